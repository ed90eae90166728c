// Amounts in minor units of a currency (cents), with checked arithmetic.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>

#include "engine/base/limits.hpp"

namespace ordem {

// 0 to 2^53 - 1 minor units.
class money {
 public:
  constexpr money() = default;

  static constexpr std::optional<money> of_minor_units(std::int64_t amount) noexcept {
    if (amount < 0 || amount > limits::total_minor_units_max) return std::nullopt;
    return money{amount};
  }

  constexpr std::int64_t minor_units() const noexcept { return minor_units_; }

  // Both return nullopt if the result exceeds 2^53 - 1.
  constexpr std::optional<money> plus(money other) const noexcept {
    return of_minor_units(minor_units_ + other.minor_units_);  // two addends below 2^53 can't overflow 64 bits
  }
  constexpr std::optional<money> times(std::uint32_t quantity) const noexcept {
    if (quantity != 0 && minor_units_ > limits::total_minor_units_max / quantity) return std::nullopt;
    return money{minor_units_ * quantity};
  }

  friend constexpr auto operator<=>(money, money) = default;

 private:
  explicit constexpr money(std::int64_t amount) noexcept : minor_units_(amount) {}
  std::int64_t minor_units_ = 0;
};

}  // namespace ordem
