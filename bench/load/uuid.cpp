#include "bench/load/uuid.hpp"

namespace ordem::bench {
namespace {

constexpr bool is_dash_place(std::size_t place) noexcept {
  return place == 8 || place == 13 || place == 18 || place == 23;
}

constexpr std::optional<unsigned> digit_of(char c) noexcept {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a' + 10);
  if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A' + 10);
  return std::nullopt;
}

}  // namespace

void write_uuid(const uuid& id, std::span<char, uuid_text_bytes> text) noexcept {
  constexpr std::string_view digits = "0123456789abcdef";
  unsigned digit = 0;
  for (std::size_t place = 0; place < uuid_text_bytes; ++place) {
    if (is_dash_place(place)) {
      text[place] = '-';
      continue;
    }
    const std::uint64_t half = digit < 16 ? id.high : id.low;
    text[place] = digits[(half >> (60 - 4 * (digit % 16))) & 0xf];
    ++digit;
  }
}

std::optional<uuid> parse_uuid(std::string_view text) noexcept {
  if (text.size() != uuid_text_bytes) return std::nullopt;
  uuid id;
  for (std::size_t place = 0; place < uuid_text_bytes; ++place) {
    if (is_dash_place(place)) {
      if (text[place] != '-') return std::nullopt;
      continue;
    }
    const auto digit = digit_of(text[place]);
    if (!digit) return std::nullopt;
    id.high = id.high << 4 | id.low >> 60;
    id.low = id.low << 4 | *digit;
  }
  return id;
}

}  // namespace ordem::bench
