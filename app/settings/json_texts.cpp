#include "app/settings/json_texts.hpp"

#include <charconv>
#include <memory>
#include <utility>

#include "engine/base/limits.hpp"
#include "http-edge/captures/capture_body.hpp"
#include "http-edge/orders/rendering.hpp"
#include "http-edge/orders/write_body.hpp"

namespace ordem::app {
namespace {

bool is_exact_integer(std::string_view number) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), value);
  return error == std::errc{} && value >= -limits::exact_integer_max && value <= limits::exact_integer_max;
}

// A large number such as 1e+20 comes back from jsonb as its digits, 100000000000000000000, which bodies must not have:
// they would claim to be exact. With .0 behind it it is the same number, and a floating-point one again.
std::string with_large_numbers_as_floating_point(std::string_view json) {
  std::string out;
  bool in_string = false;
  for (std::size_t i = 0; i < json.size();) {
    const char c = json[i];
    if (in_string || (c != '-' && (c < '0' || c > '9'))) {
      if (in_string && c == '\\') out += json[i++];
      if (c == '"') in_string = !in_string;
      out += json[i++];
      continue;
    }
    const auto number = json.substr(i, json.find_first_not_of("+-.0123456789eE", i) - i);
    out += number;
    if (number.find_first_of(".eE") == std::string_view::npos && !is_exact_integer(number)) out += ".0";
    i += number.size();
  }
  return out;
}

// `parser` is kept from text to text for its memory.
std::optional<command> read_command(edge::write_kind kind, std::string_view body, simdjson::dom::parser& parser) {
  simdjson::padded_string padded(with_large_numbers_as_floating_point(body));
  auto read = edge::read_write_body(kind, padded, parser);
  if (!read || !read->violations.empty()) return std::nullopt;
  return std::move(read->command);
}

std::optional<edge::write_kind> kind_of(std::string_view method, std::string_view path) {
  if (method == "PUT") return edge::write_kind::replace;
  if (method == "PATCH") return edge::write_kind::merge;
  if (method != "POST") return std::nullopt;
  return path.ends_with("/status") ? edge::write_kind::change_status : edge::write_kind::create;
}

}  // namespace

storage::message_text write_message_text(const message_record& record, const shared_order& after) {
  auto exchange = edge::exchange_of(record, after);
  return {std::move(exchange.request), std::move(exchange.response)};
}

storage::json_readers make_json_readers() {
  const auto parser = std::make_shared<simdjson::dom::parser>();
  return {[parser](std::string_view content) -> std::optional<order_content> {
            auto read = read_command(edge::write_kind::create, content, *parser);
            if (!read) return std::nullopt;
            return std::move(std::get<create_order>(*read).content);
          },
          [parser](std::string_view method, std::string_view path, std::string_view body) -> std::optional<command> {
            const auto kind = kind_of(method, path);
            return kind ? read_command(*kind, body, *parser) : std::nullopt;
          },
          [parser](std::string_view headers) -> std::optional<std::vector<captured_header>> {
            simdjson::dom::element json;
            if (parser->parse(simdjson::padded_string(headers)).get(json) != simdjson::SUCCESS) return std::nullopt;
            return edge::read_captured_headers(json);
          }};
}

}  // namespace ordem::app
