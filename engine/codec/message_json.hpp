// Messages and their recorded responses as JSON text. Deterministic: the same outcome always gives the same bytes, so a
// repeated GUID gets the response of the first time. Pure functions, any thread.
#pragma once

#include <string>

#include "engine/model/ids.hpp"
#include "engine/model/order.hpp"
#include "engine/model/outcome.hpp"

namespace ordem::codec {

// The part of a response that depends on the outcome alone.
struct recorded_response {
  unsigned status = 200;
  std::string body;  // a problem (RFC 9457) if the outcome is a rejection
};

// `order`: the version that an accepted outcome made; null for a rejection.
recorded_response recorded_response_of(const outcome& what, const shared_order& order);

// As Postgres keeps a message, and GET /api/v1/messages/{guid} shows it.
struct message_json {
  std::string request;   // {"method", "path", "body"}
  std::string response;  // {"status", "code", "body"}
};
// `order` as above.
message_json message_json_of(const message_record& record, const shared_order& order);

// Returns the body of GET /api/v1/messages/{guid}. `order` as above.
std::string message_body(const guid& id, const message_record& record, const shared_order& order);

}  // namespace ordem::codec
