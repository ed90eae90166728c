// Identifiers and counters, each with its own type.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace ordem {

// The version of an order: 1, 2, 3, ... without gaps. 0 is not a version.
struct version {
  std::uint64_t number = 0;
  constexpr version next() const noexcept { return {number + 1}; }
  friend constexpr auto operator<=>(version, version) = default;
};

// The position of an entry in the log: 1, 2, 3, ... 0 precedes the first entry.
struct position {
  std::uint64_t number = 0;
  friend constexpr auto operator<=>(position, position) = default;
};

// One of the 16384 partitions of all GUIDs.
struct hash_slot {
  static constexpr unsigned bits = 14;
  static constexpr std::uint16_t count = 1U << bits;
  std::uint16_t number = 0;
  friend constexpr auto operator<=>(hash_slot, hash_slot) = default;
};

// 64-bit FNV-1a (draft-eastlake-fnv), folded. Every order id contains a slot: do not change the function.
hash_slot slot_of(std::string_view name) noexcept;

// A UUIDv7 (RFC 9562, section 5.7). order_id_generator.hpp describes its free bits.
struct order_id {
  std::array<std::uint8_t, 16> bytes{};

  // Parses the 36 characters of RFC 9562, section 4, in either case. Returns nullopt for anything else.
  static std::optional<order_id> parse(std::string_view text) noexcept;
  void append_to(std::string& out) const;
  std::string to_string() const;
  // The hash slot of the GUID that created the order.
  hash_slot slot() const noexcept;

  friend constexpr auto operator<=>(const order_id&, const order_id&) = default;
};

// The client's identifier of a message: 1 to 255 characters from 0x21 to 0x7E, compared byte by byte.
class guid {
 public:
  static std::optional<guid> parse(std::string_view text);

  std::string_view view() const noexcept { return text_; }
  hash_slot slot() const noexcept { return slot_of(text_); }

  friend bool operator==(const guid&, const guid&) = default;

 private:
  explicit guid(std::string_view text) : text_(text) {}
  std::string text_;
};

// 128-bit hash of the content of a message. Two requests with the same GUID are the same message if it is equal.
struct fingerprint {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  friend constexpr auto operator<=>(const fingerprint&, const fingerprint&) = default;
};

}  // namespace ordem

template <>
struct std::hash<ordem::guid> {
  std::size_t operator()(const ordem::guid& id) const noexcept { return std::hash<std::string_view>{}(id.view()); }
};

template <>
struct std::hash<ordem::order_id> {
  std::size_t operator()(const ordem::order_id& id) const noexcept {
    return std::hash<std::string_view>{}({reinterpret_cast<const char*>(id.bytes.data()), id.bytes.size()});
  }
};
