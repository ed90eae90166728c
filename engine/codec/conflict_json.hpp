// What a 3043 response says about the versions of the order, so that its client can go on. Deterministic: the response
// to a repeated GUID is made again from the same versions. Pure functions; thread-safe.
#pragma once

#include <optional>
#include <string>

#include "engine/model/conflict.hpp"
#include "engine/model/order.hpp"
#include "engine/model/outcome.hpp"

namespace ordem::codec {

// Returns the JSON merge patch (RFC 7396) that turns the JSON of one version of an order into that of another. Returns
// nullopt if it would have more than limits::changes_bytes_max bytes, or if there is none: a patch cannot set an
// attribute to null.
std::optional<std::string> changes_between(const order& from, const order& to);

// Returns the members of the problem, each with a leading comma: `changes` from the expected version to that at which
// the write was rejected or, where these are not known or the patch is too long, `versions`, the path of all versions;
// and `conflicts` if the write was to be merged: the fields that clash, as many as limits::changes_bytes_max bytes
// hold.
std::string conflict_members(const outcome& stale, const conflict& of);

}  // namespace ordem::codec
