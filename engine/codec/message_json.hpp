// Messages and their recorded responses as JSON text. Deterministic: the same outcome always gives the same bytes, so a
// repeated GUID gets the original response. Pure functions; thread-safe.
#pragma once

#include <optional>
#include <string>

#include "engine/codec/problem.hpp"
#include "engine/model/conflict.hpp"
#include "engine/model/ids.hpp"
#include "engine/model/order.hpp"
#include "engine/model/outcome.hpp"

namespace ordem::codec {

// The part of a response that depends only on the outcome.
struct recorded_response {
  unsigned status = 200;
  std::string body;                                      // a problem (RFC 9457) if the outcome is a rejection
  std::optional<codec::problem> problem = std::nullopt;  // of a rejection
  std::string detail = {};                               // of the problem
};

// Returns the status of that response.
unsigned recorded_status(const outcome& what);

// Returns the problem that it is, if the outcome is a rejection.
std::optional<problem> recorded_problem(verdict what) noexcept;

// `order` is the version that an accepted outcome created, or null for a rejection. `of` has the versions of a stale
// write; without them, its response links to the list of versions.
recorded_response recorded_response_of(const outcome& what, const shared_order& order, const conflict& of = {});

// A message as it is stored in Postgres and returned by GET /api/v1/messages/{guid}.
struct message_json {
  std::string request;   // {"method", "path", "body"}
  std::string response;  // {"status", "code", "body"}
};
// `order` and `of` as above.
message_json message_json_of(const message_record& record, const shared_order& order, const conflict& of = {});

// Returns the body of GET /api/v1/messages/{guid}. `order` and `of` as above.
std::string message_body(const guid& id, const message_record& record, const shared_order& order,
                         const conflict& of = {});

}  // namespace ordem::codec
