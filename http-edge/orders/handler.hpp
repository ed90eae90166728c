// From a whole request to what comes of it: an answer at once, a page to be read, or something for the engine to do. No
// sockets, no waiting.
#pragma once

#include <simdjson.h>

#include <boost/beast/http/fields.hpp>
#include <boost/beast/http/message.hpp>
#include <functional>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <variant>

#include "engine/model/time.hpp"
#include "engine/ports/readers.hpp"
#include "http-edge/operations/service_status.hpp"
#include "http-edge/orders/batch_line.hpp"
#include "http-edge/orders/order_page.hpp"
#include "http-edge/protocol/padded_body.hpp"
#include "http-edge/protocol/response.hpp"
#include "http-edge/protocol/route.hpp"

namespace ordem::http_edge {

using http_request = boost::beast::http::request<padded_body>;

// What handlers draw on. All of it outlives the server.
struct handler_context {
  const order_reader* orders = nullptr;
  const time_source* clock = nullptr;
  const service_status* status = nullptr;
  std::function<std::string()> metrics_text;  // Prometheus text; any thread
  std::function<log_positions()> positions;   // any thread, once the data has been read
};

// What reads show, for Ordem-Position. Nothing while the data is being read: then there is no order_reader yet.
std::optional<position> visible_position(const handler_context& context);

using handled = std::variant<response, message, capture_request, order_page>;

// What the header of a request says that its body can't change.
struct request_head {
  route to;
  std::optional<ordem::guid> guid;  // of a write: by Idempotency-Key
};

// One per I/O thread: it owns that thread's JSON parsers.
class handler {
 public:
  // `captured_bytes_max`: of a response that is to be captured; see server_settings.
  handler(const handler_context& context, std::size_t captured_bytes_max);

  // By the header alone, which is all that may have come: the answer, if it is refused whatever its body holds.
  tl::expected<request_head, response> read_head(const http_request& request) const;
  // Of a request whose body has not been sent yet: the answer, if its header refuses it, though of a whole request the
  // faults of the body would be told first.
  std::optional<response> refuse_unsent_body(const http_request& request, const request_head& head) const;
  // Of the whole request. `head` is what read_head() made of it; not for batches, whose body is taken line by line.
  handled handle(const http_request& request, request_head&& head);

  // One of its lines, followed by SIMDJSON_PADDING readable bytes.
  read_line read_line_of_batch(std::string_view line) { return read_batch_line(line, line_parser_); }

 private:
  std::optional<response> refuse_batch(const http_request& request) const;
  void shrink_parser();

  const handler_context& context_;
  const std::size_t captured_bytes_max_;
  simdjson::dom::parser parser_;
  simdjson::dom::parser line_parser_;
};

// The answer to a request that never became whole. A write's answer carries a write's headers, whatever it is.
response refused_request(problem which, std::string_view detail, boost::beast::http::verb method,
                         std::string_view target, const handler_context& context);

}  // namespace ordem::http_edge
