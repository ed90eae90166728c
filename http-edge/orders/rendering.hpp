// Orders, messages and answers as JSON and as HTTP answers. Deterministic: the same outcome always gives the same
// bytes, which is how a repeated GUID gets the answer of the first time.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/model/message.hpp"
#include "engine/model/outcome.hpp"
#include "http-edge/protocol/response.hpp"

namespace ordem::http_edge {

// The answer to a write of an order. `now` goes into Idempotency-Expires where nothing was recorded; `visible` as
// below.
response write_response(const answer& what, timestamp now, std::optional<position> visible);

// What a refusal is answered, without a write's headers.
response refusal_response(const refusal& why);

// 422 with the member errors.
response invalid_order_response(const std::vector<violation>& violations);

// What every answer to a write of an order carries, whatever its status. Idempotency-Expires: until when a repeat gets
// the same answer.
void add_write_headers(response& to, timestamp expires_at, std::optional<position> visible);

// The recorded part of it alone: status and body, the same whenever it is asked for.
response outcome_response(const outcome& what, const shared_order& order);

// The answer to a read that the store could not serve.
response storage_failed_response();

// GET of an order or of one of its versions.
response order_response(const order& what);

// GET of a message. `order` is the one that its outcome made, null if it was rejected.
response message_response(const guid& id, const message_record& record, const shared_order& order);

}  // namespace ordem::http_edge
