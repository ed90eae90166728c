// uuid: 128 bits and their usual text form, 8-4-4-4-12 hexadecimal digits.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace ordem::bench {

struct uuid {
  std::uint64_t high = 0;
  std::uint64_t low = 0;

  friend auto operator<=>(const uuid&, const uuid&) = default;
};

inline constexpr std::size_t uuid_text_bytes = 36;

/// Writes the text form, in lower case.
void write_uuid(const uuid& id, std::span<char, uuid_text_bytes> text) noexcept;

/// Reads the text form, in either case; nothing if `text` is not exactly that.
[[nodiscard]] std::optional<uuid> parse_uuid(std::string_view text) noexcept;

}  // namespace ordem::bench
