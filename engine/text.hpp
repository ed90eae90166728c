// Small pieces of text.
#pragma once

#include <array>
#include <charconv>
#include <concepts>
#include <string>

namespace ordem {

// Appends the number in decimal digits.
template <std::integral Number>
void append_number(std::string& out, Number number) {
  std::array<char, 20> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  out.append(digits.data(), end);
}

}  // namespace ordem
