// The request headers that carry meaning for orders, parsed. Pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "engine/model/ids.hpp"

namespace ordem::http_edge {

// The value of Idempotency-Key: an RFC 8941 String ("..."), whose parameters are passed over, or the bare GUID. Returns
// nullopt if it is neither.
//
// All of a bare GUID is the GUID, a ';' and what looks like a parameter too: RFC 8941 has no such item, and clients may
// tell two GUIDs apart by it. A comma is the exception: proxies join header lines with it, and two keys that were
// joined must not become a third. A GUID with a comma comes in quotes, or in the body.
std::optional<guid> parse_idempotency_key(std::string_view value);

// The value of If-Match: one strong entity tag that holds a version from 1 up. Nothing for anything else.
std::optional<version> parse_if_match(std::string_view value);

// Whether If-None-Match (RFC 9110, section 13.1.2: a list of tags, weak or strong, or *) holds the tag of this version.
bool if_none_match_holds(std::string_view value, version current);

// The entity tag of a version, with its quotes.
std::string entity_tag(version which);

// The media type without its parameters, in lower case: "application/json" of "Application/JSON; charset=utf-8".
std::string media_type(std::string_view content_type);

// Whether the texts are equal but for the case of ASCII letters. Beast's iequals reads a byte behind the end of both.
bool equals_ignoring_case(std::string_view a, std::string_view b) noexcept;

// Whether one of its parameters names a charset whose texts are not UTF-8.
bool has_other_charset(std::string_view content_type);

// A number from 1 up in plain decimal digits without leading zeros, at most 2^53 - 1. Nothing for anything else.
std::optional<std::uint64_t> parse_positive(std::string_view digits);

}  // namespace ordem::http_edge
