#include "auth/encoding/base62.hpp"

#include <string_view>
#include <vector>

namespace ordem::auth {

std::string to_base62(std::span<const std::uint8_t> number, std::size_t digits) {
  constexpr std::string_view alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  constexpr unsigned base = 62;
  std::vector<std::uint8_t> rest(number.begin(), number.end());
  std::string text(digits, '0');
  for (std::size_t digit = digits; digit-- > 0;) {
    unsigned remainder = 0;
    for (std::uint8_t& byte : rest) {  // long division by the base
      const unsigned part = remainder << 8 | byte;
      byte = static_cast<std::uint8_t>(part / base);
      remainder = part % base;
    }
    text[digit] = alphabet[remainder];
  }
  return text;
}

}  // namespace ordem::auth
