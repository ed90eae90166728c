// Small pieces of text.
#pragma once

#include <array>
#include <charconv>
#include <concepts>
#include <cstddef>
#include <string>
#include <string_view>

#include "engine/base/limits.hpp"

namespace ordem {

// Appends the number in decimal digits.
template <std::integral Number>
void append_number(std::string& out, Number number) {
  std::array<char, 20> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  out.append(digits.data(), end);
}

// Whether the bytes are UTF-8 (RFC 3629).
bool is_utf8(std::string_view bytes) noexcept;

// Returns the text without the byte order mark (U+FEFF) that some editors and exports put at its beginning.
std::string_view without_byte_order_mark(std::string_view text) noexcept;

// Returns the bytes as UTF-8, with U+FFFD for each byte that belongs to no character. A text of more than `bytes_max`
// bytes is cut between two characters and ends in "...".
std::string to_utf8(std::string_view bytes, std::size_t bytes_max = std::string_view::npos);

// Returns foreign bytes in single quotes, fit for an error message or a log line: as UTF-8, '?' for each control
// character, and cut after limits::quoted_bytes_max. Every message that repeats what a client sent does so through
// this.
std::string in_quotes(std::string_view bytes);

}  // namespace ordem
