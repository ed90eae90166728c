#include "engine/model/ids.hpp"

#include <algorithm>

#include "engine/base/limits.hpp"

namespace ordem {
namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";

constexpr bool is_dash_place(std::size_t i) {
  return i == 8 || i == 13 || i == 18 || i == 23;
}

int hex_value(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::optional<order_id> order_id::parse(std::string_view text) noexcept {
  if (text.size() != 36) return std::nullopt;
  order_id id;
  std::size_t nibble = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (is_dash_place(i)) {
      if (text[i] != '-') return std::nullopt;
      continue;
    }
    const int value = hex_value(text[i]);
    if (value < 0) return std::nullopt;
    auto& byte = id.bytes[nibble / 2];
    byte = static_cast<std::uint8_t>(byte << 4 | value);
    ++nibble;
  }
  return id;
}

void order_id::append_to(std::string& out) const {
  char text[36];
  char* to = text;
  for (const std::uint8_t byte : bytes) {
    if (is_dash_place(static_cast<std::size_t>(to - text))) *to++ = '-';
    *to++ = hex_digits[byte >> 4];
    *to++ = hex_digits[byte & 15];
  }
  out.append(text, sizeof text);
}

std::string order_id::to_string() const {
  std::string text;
  append_to(text);
  return text;
}

hash_slot order_id::slot() const noexcept {
  return {static_cast<std::uint16_t>((bytes[8] & 0x3F) << 8 | bytes[9])};
}

std::optional<guid> guid::parse(std::string_view text) {
  if (text.empty() || text.size() > limits::guid_bytes_max) return std::nullopt;
  if (!std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x21 && c <= 0x7E; })) return std::nullopt;
  return guid{text};
}

hash_slot slot_of(std::string_view name) noexcept {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  hash ^= hash >> 32;
  return {static_cast<std::uint16_t>((hash ^ hash >> hash_slot::bits) % hash_slot::count)};
}

}  // namespace ordem
