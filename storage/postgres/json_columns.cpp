#include "storage/postgres/json_columns.hpp"

#include <charconv>
#include <string>
#include <utility>

#include "engine/base/limits.hpp"
#include "engine/codec/capture_json.hpp"

namespace ordem::storage {
namespace {

bool is_exact_integer(std::string_view number) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), value);
  return error == std::errc{} && value >= -limits::exact_integer_max && value <= limits::exact_integer_max;
}

// jsonb returns a large number such as 1e+20 as 100000000000000000000. Bodies must not have such an integer, because
// it would claim to be exact. With .0 appended it is a floating-point number of the same value.
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

std::optional<codec::write_kind> kind_of(std::string_view method, std::string_view path) {
  if (method == "PUT") return codec::write_kind::replace;
  if (method == "PATCH") return codec::write_kind::merge;
  if (method != "POST") return std::nullopt;
  return path.ends_with("/status") ? codec::write_kind::change_status : codec::write_kind::create;
}

}  // namespace

std::optional<json_column_reader::canonical_command> json_column_reader::read_command(codec::write_kind kind,
                                                                                      std::string_view body) {
  const simdjson::padded_string padded(with_large_numbers_as_floating_point(body));
  auto read = codec::read_write_body(kind, padded, parser_);
  if (!read || !read->violations.empty()) return std::nullopt;
  return canonical_command{std::move(read->command), read->merges};
}

std::optional<order_content> json_column_reader::content(std::string_view text) {
  auto read = read_command(codec::write_kind::create, text);
  if (!read) return std::nullopt;
  return std::move(std::get<create_order>(read->command).content);
}

std::optional<json_column_reader::canonical_command> json_column_reader::command(std::string_view method,
                                                                                 std::string_view path,
                                                                                 std::string_view body) {
  const auto kind = kind_of(method, path);
  return kind ? read_command(*kind, body) : std::nullopt;
}

std::optional<std::vector<captured_header>> json_column_reader::headers(std::string_view text) {
  simdjson::dom::element json;
  if (parser_.parse(simdjson::padded_string(text)).get(json) != simdjson::SUCCESS) return std::nullopt;
  return codec::read_captured_headers(json);
}

}  // namespace ordem::storage
