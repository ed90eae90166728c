// Renders orders, messages and the engine's answers as HTTP responses. Deterministic: the same outcome always gives the
// same bytes, so a repeated GUID gets the original response. Thread-safe; pure but for write_response().
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/model/conflict.hpp"
#include "engine/model/message.hpp"
#include "engine/model/outcome.hpp"
#include "engine/ports/readers.hpp"
#include "http-edge/protocol/response.hpp"

namespace ordem::http_edge {

// Returns the response to a write of an order. `now` is the value of Idempotency-Expires if nothing was recorded.
// `visible` is the value of Ordem-Position, see add_position(). `orders` has the versions of a stale write, whose
// response may block for reads from disk.
response write_response(const answer& what, timestamp now, std::optional<position> visible, const order_lookup& orders);

// Returns the response to a refusal, without the headers of a write.
response refusal_response(const refusal& why);

// Returns 422 with the member errors.
response invalid_order_response(const std::vector<violation>& violations);

// Adds the headers that every response to a write of an order has: Idempotency-Expires, the time until which a repeat
// gets the same response, and Ordem-Position.
void add_write_headers(response& to, timestamp expires_at, std::optional<position> visible);

// Returns the response to a recorded outcome, without the headers of a write. The same for every repeat. `of` as for
// codec::recorded_response_of().
response outcome_response(const outcome& what, const shared_order& order, const conflict& of = {});

// Returns the response to a read that failed in the store.
response storage_failed_response();

// Returns the response to a GET of an order or of one of its versions.
response order_response(const order& what);

// Returns the response to a GET of a message. `order` is the version that its outcome created, or null if the message
// was rejected; `of` as above.
response message_response(const guid& id, const message_record& record, const shared_order& order,
                          const conflict& of = {});

}  // namespace ordem::http_edge
