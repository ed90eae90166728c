#include "engine/base/text.hpp"

#include <algorithm>

namespace ordem {
namespace {

constexpr std::string_view replacement_character = "\xEF\xBF\xBD";

// Returns the size of the first UTF-8 character (RFC 3629, section 4), or 0 if the first byte is invalid.
std::size_t character_bytes(std::string_view text) noexcept {
  const auto is_between = [&](std::size_t place, unsigned least, unsigned most) {
    return place < text.size() && static_cast<unsigned char>(text[place]) >= least &&
           static_cast<unsigned char>(text[place]) <= most;
  };
  const auto continues = [&](std::size_t place) { return is_between(place, 0x80, 0xBF); };
  const auto first = static_cast<unsigned char>(text.front());
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return continues(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    const bool second = is_between(1, first == 0xE0 ? 0xA0 : 0x80, first == 0xED ? 0x9F : 0xBF);
    return second && continues(2) ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const bool second = is_between(1, first == 0xF0 ? 0x90 : 0x80, first == 0xF4 ? 0x8F : 0xBF);
    return second && continues(2) && continues(3) ? 4 : 0;
  }
  return 0;
}

bool is_control(char c) noexcept {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
}

}  // namespace

bool is_utf8(std::string_view bytes) noexcept {
  while (!bytes.empty()) {
    const std::size_t length = character_bytes(bytes);
    if (length == 0) return false;
    bytes.remove_prefix(length);
  }
  return true;
}

std::string_view without_byte_order_mark(std::string_view text) noexcept {
  if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
  return text;
}

std::string to_utf8(std::string_view bytes, std::size_t bytes_max) {
  std::string text;
  text.reserve(std::min(bytes.size(), bytes_max));
  while (!bytes.empty()) {
    const std::size_t length = character_bytes(bytes);
    const auto character = length == 0 ? replacement_character : bytes.substr(0, length);
    if (character.size() > bytes_max - text.size()) return text + "...";
    text += character;
    bytes.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return text;
}

std::string in_quotes(std::string_view bytes) {
  std::string text = to_utf8(bytes, limits::quoted_bytes_max);
  std::replace_if(text.begin(), text.end(), is_control, '?');
  return '\'' + text + '\'';
}

}  // namespace ordem
