// A request for the change feed: GET /api/v1/changes. Pure functions; thread-safe.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <variant>

#include "engine/model/ids.hpp"
#include "http-edge/feed/feed_filter.hpp"
#include "http-edge/protocol/handler_context.hpp"
#include "http-edge/protocol/request_head.hpp"
#include "http-edge/protocol/request_header.hpp"
#include "http-edge/protocol/response.hpp"

namespace ordem::http_edge {

// How the events are sent.
enum class feed_form : std::uint8_t {
  page,          // one response, application/json
  lines,         // application/x-ndjson, without an end
  event_stream,  // text/event-stream (WHATWG HTML, "Server-sent events"), without an end
};

std::string_view media_type_of(feed_form what) noexcept;

// Returns the form that the value of Accept prefers (RFC 9110, section 12.5.1). A page, if it names none of them.
feed_form preferred_form(std::string_view accept);

struct feed_request {
  feed_form form = feed_form::page;
  feed_filter filter;
  position after;                // the position behind which the reader begins
  std::size_t events_max = 0;    // of a page
  std::chrono::seconds wait{0};  // how long a page without an event waits for one
};

// Reads the request. Returns the error if it is refused, or the whole response to a HEAD for a stream.
// REQUIRES: the service is not recovering.
std::variant<response, feed_request> read_feed_request(const http_request& request, const request_head& head,
                                                       const handler_context& context);

// Returns the error for a position behind which entries are missing. `first` is the position of the first that is
// there.
response trimmed_response(position first);

}  // namespace ordem::http_edge
