// random_source: pseudo-random numbers from a seed (SplitMix64, by Steele, Lea and Flood, 2014).
//
// A value of eight bytes, so that each of many connections can have its own at little cost in cache.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

#include "bench/load/uuid.hpp"

namespace ordem::bench {

class random_source {
 public:
  using result_type = std::uint64_t;  // as std::uniform_random_bit_generator wants it

  /// Sources with the same seed and different `number`s are independent.
  random_source(std::uint64_t seed, std::uint64_t number) noexcept : state_(mixed(seed) ^ mixed(~number)) {}

  static constexpr result_type min() noexcept { return 0; }
  static constexpr result_type max() noexcept { return std::numeric_limits<result_type>::max(); }
  result_type operator()() noexcept {
    state_ += step;
    return mixed(state_);
  }

  /// Returns a number in [0, 1), in steps of 2^-53.
  double fraction() noexcept { return static_cast<double>((*this)() >> 11) * 0x1p-53; }
  /// Returns true for a share (0..1) of the calls.
  bool happens(double share) noexcept { return fraction() < share; }
  /// Returns a number in [0, count). The bias of the remainder is negligible here.
  std::size_t below(std::size_t count) noexcept { return static_cast<std::size_t>((*this)() % count); }
  uuid next_uuid() noexcept {
    const auto high = (*this)();
    return {.high = high, .low = (*this)()};
  }

 private:
  static constexpr std::uint64_t step = 0x9e3779b97f4a7c15;

  static constexpr std::uint64_t mixed(std::uint64_t bits) noexcept {
    bits = (bits ^ (bits >> 30)) * 0xbf58476d1ce4e5b9;
    bits = (bits ^ (bits >> 27)) * 0x94d049bb133111eb;
    return bits ^ (bits >> 31);
  }

  std::uint64_t state_;
};

}  // namespace ordem::bench
