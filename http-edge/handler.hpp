// From a whole request to what comes of it: an answer at once, or something for the engine to do. No sockets, no
// waiting.
#pragma once

#include <simdjson.h>

#include <boost/beast/http/fields.hpp>
#include <boost/beast/http/message.hpp>
#include <functional>
#include <optional>
#include <string>
#include <variant>

#include "engine/port.hpp"
#include "engine/time.hpp"
#include "http-edge/batch_line.hpp"
#include "http-edge/padded_body.hpp"
#include "http-edge/response.hpp"
#include "http-edge/service_status.hpp"

namespace ordem::edge {

using http_request = boost::beast::http::request<padded_body>;

// What handlers draw on. All of it outlives the server.
struct services {
  const order_reader* orders = nullptr;
  const time_source* clock = nullptr;
  const service_status* status = nullptr;
  std::function<std::string()> metrics_text;  // Prometheus text; any thread
  std::function<log_positions()> positions;   // any thread, once the data has been read
};

// What reads show, for Ordem-Position. Nothing while the data is being read: then there is no order_reader yet.
std::optional<position> visible_position(const services& given);

using handled = std::variant<response, message, capture_request>;

// One per I/O thread: it owns that thread's JSON parsers.
class handler {
 public:
  // `captured_bytes_max`: of a response that is to be captured; see server_settings.
  handler(const services& given, std::size_t captured_bytes_max);

  handled handle(const http_request& request);

  // Of a POST to the batches of orders, by its header: the answer, if it is refused as a whole.
  std::optional<response> refuse_batch(const http_request& request) const;
  // One of its lines, followed by SIMDJSON_PADDING readable bytes.
  read_line read_line_of_batch(std::string_view line) { return read_batch_line(line, line_parser_); }

 private:
  void shrink_parser();

  const services& services_;
  const std::size_t captured_bytes_max_;
  simdjson::dom::parser parser_;
  simdjson::dom::parser line_parser_;
};

// The answer to a request that never became whole. A write's answer carries a write's headers, whatever it is.
response refused_request(problem which, std::string_view detail, boost::beast::http::verb method,
                         std::string_view target, const services& given);

}  // namespace ordem::edge
