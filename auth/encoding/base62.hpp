// Base 62, with the digits 0-9 A-Z a-z. Pure functions, any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace ordem::auth {

// Returns whether the character is a digit of base 62.
constexpr bool is_base62(char c) noexcept {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

// Returns the number that the bytes hold, most significant first, in exactly so many digits, with zeros in front.
// REQUIRES: the number has no more digits.
std::string to_base62(std::span<const std::uint8_t> number, std::size_t digits);

}  // namespace ordem::auth
