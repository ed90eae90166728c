// The body of a call of captures. A record that was read must be read the same from the JSON that it is answered as.

#include "engine/codec/capture_json.hpp"
#include "http-edge/captures/capture_body.hpp"

#include <variant>

#include "engine/model/json_value.hpp"
#include "tests/fuzz/support.hpp"

namespace ordem::http_edge {
namespace {

using namespace codec;

constexpr std::size_t response_bytes_max = 256;

bool is_same(const capture_body_result& a, const capture_body_result& b) {
  if (!a || !b) return !a && !b && a.error() == b.error();
  if (a->key != b->key || a->action.index() != b->action.index()) return false;
  const auto* record = std::get_if<record_capture>(&a->action);
  return record == nullptr || *record->response == *std::get<record_capture>(b->action).response;
}

simdjson::dom::parser& parser() {
  static simdjson::dom::parser one = fuzz::json_parser();
  return one;
}

capture_body_result record_in(std::string_view body, char fill = '\0') {
  return read_record(fuzz::padded_text(body, fill).view(), parser(), response_bytes_max);
}

void check_record(const capture_request& read) {
  const auto& response = *std::get<record_capture>(read.action).response;
  ORDEM_CHECK(bytes_of(response) <= response_bytes_max);
  ORDEM_CHECK(response.status >= limits::captured_status_min && response.status <= limits::captured_status_max);
  std::string text = "{\"idempotency_key\":";
  append_json_string(text, read.key.view());
  text += ",\"response\":";
  append_captured_response(text, response);
  text += '}';
  ORDEM_CHECK(is_same(record_in(text), read));
}

void run(std::string_view body) {
  const auto record = record_in(body);
  ORDEM_CHECK(is_same(record, record_in(body, '9')));
  const auto allocation = read_allocation(fuzz::padded_text(body).view(), parser());
  if (record) {
    ORDEM_CHECK(allocation.has_value() && allocation->key == record->key);
    check_record(*record);
  }
}

}  // namespace
}  // namespace ordem::http_edge

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ordem::http_edge::run(ordem::fuzz::text_of(data, size));
  return 0;
}
