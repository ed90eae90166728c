// Generates order ids: UUIDv7 (RFC 9562, section 5.7), which sort by time and contain the hash slot of the creating
// GUID.
//
//   bytes 0-5    Unix time in milliseconds
//   bytes 6-7    version 7 (4 bits), counter within the millisecond (12 bits; RFC 9562, section 6.2, method 1)
//   bytes 8-9    variant 0b10 (2 bits), hash slot of the creating GUID (14 bits)
//   bytes 10-15  random (48 bits)
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <random>

#include "engine/model/ids.hpp"
#include "engine/model/time.hpp"

namespace ordem {

// Returns the time in an id. It is the time of the order's creation; of orders that were made before data format 6, it
// may be some milliseconds later.
timestamp time_in(const order_id& id) noexcept;
// Returns an id such that every order with a lower one was created before `at`, and no other.
order_id lowest_id_at(timestamp at) noexcept;
// Returns the lowest id with the milliseconds and the counter of this one. No other id is between the two.
order_id lowest_id_like(const order_id& id) noexcept;

// The part of an id that determines its order, milliseconds and counter: 60 bits that strictly ascend in the order of
// the calls. All generators of an engine share one, so an order that was acknowledged before another was requested has
// the lower id, whatever their slots. Thread-safe.
class order_id_sequence {
 public:
  // Continues after `newest`, the greatest id generated so far, even if the clock is behind it.
  explicit order_id_sequence(const std::optional<order_id>& newest = std::nullopt);

  std::uint64_t next(timestamp now) noexcept;

 private:
  std::atomic<std::uint64_t> last_;
};

// Not thread-safe: each dedupe shard owns one. `sequence` must outlive it.
class order_id_generator {
 public:
  order_id_generator(std::uint64_t seed, order_id_sequence& sequence) : random_(seed), sequence_(sequence) {}

  order_id next(timestamp now, hash_slot slot);

 private:
  std::mt19937_64 random_;
  order_id_sequence& sequence_;
};

}  // namespace ordem
