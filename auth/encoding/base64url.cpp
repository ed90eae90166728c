#include "auth/encoding/base64url.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

namespace ordem::auth {
namespace {

constexpr std::int8_t no_digit = -1;

constexpr std::array<std::int8_t, 256> make_values() {
  constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::array<std::int8_t, 256> values{};
  values.fill(no_digit);
  for (std::size_t i = 0; i < alphabet.size(); ++i) {
    values[static_cast<unsigned char>(alphabet[i])] = static_cast<std::int8_t>(i);
  }
  return values;
}

constexpr std::array<std::int8_t, 256> value_of = make_values();

}  // namespace

std::optional<std::string> decode_base64url(std::string_view text) {
  std::string bytes;
  bytes.reserve(text.size() * 3 / 4);
  std::uint32_t held = 0;  // bits that are not yet a byte, in the low `count`
  unsigned count = 0;
  for (const char c : text) {
    const std::int8_t value = value_of[static_cast<unsigned char>(c)];
    if (value == no_digit) return std::nullopt;
    held = held << 6 | static_cast<std::uint32_t>(value);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes += static_cast<char>(held >> count & 0xFFU);
    held &= (1U << count) - 1;
  }
  // Of a whole text 0, 2 or 4 bits are left, which are 0.
  if (count == 6 || held != 0) return std::nullopt;
  return bytes;
}

}  // namespace ordem::auth
