// Changes of orders as events: CloudEvents 1.0 in the JSON format (cloudevents.io, "CloudEvents - Version 1.0.2" and
// "JSON Event Format"). Pure functions; thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "engine/model/order_change.hpp"

namespace ordem::codec {

// Returns the type of the event: order.created, order.updated or order.status_changed. REQUIRES: is_accepted(what).
std::string_view event_type(verdict what) noexcept;
// Returns nullopt if no event has this type.
std::optional<verdict> parse_event_type(std::string_view text) noexcept;

// Appends the event, one JSON object without a line end. Its id and source are made from the log's id and the position,
// so the same change always gives the same bytes.
void append_event(std::string& out, const order_change& what, std::string_view log_id);

}  // namespace ordem::codec
