#include "app/observability/log_text.hpp"

#include <cstdint>

#include "engine/base/text.hpp"

namespace ordem::app {
namespace {

// The first character of valid UTF-8.
struct character {
  std::uint32_t code_point;
  std::size_t bytes;
};

character first_of(std::string_view text) noexcept {
  const auto byte = [&](std::size_t at) { return static_cast<std::uint32_t>(static_cast<unsigned char>(text[at])); };
  const auto bits = [&](std::size_t at) { return byte(at) & 0x3FU; };
  if (byte(0) < 0x80) return {byte(0), 1};
  if (byte(0) < 0xE0) return {(byte(0) & 0x1FU) << 6 | bits(1), 2};
  if (byte(0) < 0xF0) return {(byte(0) & 0x0FU) << 12 | bits(1) << 6 | bits(2), 3};
  return {(byte(0) & 0x07U) << 18 | bits(1) << 12 | bits(2) << 6 | bits(3), 4};
}

bool needs_escape(std::uint32_t c) noexcept {
  const auto is_between = [c](std::uint32_t least, std::uint32_t most) { return c >= least && c <= most; };
  return c < 0x20 || is_between(0x7F, 0x9F) || c == 0x061C || is_between(0x200E, 0x200F) ||
         is_between(0x2028, 0x202E) || is_between(0x2066, 0x2069);
}

// REQUIRES: c < 0x10000.
void append_escape(std::string& to, std::uint32_t c) {
  constexpr std::string_view digits = "0123456789abcdef";
  to += "\\u";
  for (const unsigned shift : {12U, 8U, 4U, 0U}) to += digits[c >> shift & 15U];
}

}  // namespace

void append_log_string(std::string& line, std::string_view bytes, std::size_t bytes_max) {
  const std::string text = to_utf8(bytes, bytes_max);
  line += '"';
  for (std::string_view rest = text; !rest.empty();) {
    const auto [c, length] = first_of(rest);
    if (c == '"' || c == '\\') {
      line += {'\\', static_cast<char>(c)};
    } else if (needs_escape(c)) {
      append_escape(line, c);
    } else {
      line += rest.substr(0, length);
    }
    rest.remove_prefix(length);
  }
  line += '"';
}

}  // namespace ordem::app
