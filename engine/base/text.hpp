// Text helpers. Pure functions, any thread.
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

// Returns whether the bytes are valid UTF-8 (RFC 3629).
bool is_utf8(std::string_view bytes) noexcept;

// The byte order mark (U+FEFF) in UTF-8, which some editors and exports write before a text.
inline constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

// The characters that JSON allows between its tokens (RFC 8259, section 2).
inline constexpr std::string_view json_white_space = " \t\r\n";

// Returns the text without a leading byte order mark.
std::string_view without_byte_order_mark(std::string_view text) noexcept;

// Returns the bytes as UTF-8, with U+FFFD for each invalid byte. Truncates between two characters, and appends "...",
// if the text has more than `bytes_max` bytes.
std::string to_utf8(std::string_view bytes, std::size_t bytes_max = std::string_view::npos);

// Returns input in single quotes for an error message or a log line: as UTF-8, with '?' for each control character,
// truncated to limits::quoted_bytes_max. Use it for every message that repeats input.
std::string in_quotes(std::string_view bytes);

}  // namespace ordem
