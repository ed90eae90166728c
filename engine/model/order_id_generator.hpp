// Makes order ids: UUIDv7 (RFC 9562, section 5.7) that sort by time and carry the partition they were born in.
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

// The part of an id that it is sorted by, milliseconds and counter: 60 bits that strictly ascend, in the order of the
// calls. One for all generators of an engine, so that of two orders the one that was acknowledged before the other was
// asked for has the lower id, whatever their slots. Thread-safe.
class order_id_sequence {
 public:
  // Goes on after the greatest id that was given before, if there is one, also where the clock is behind it.
  explicit order_id_sequence(const std::optional<order_id>& newest = std::nullopt);

  std::uint64_t next(timestamp now) noexcept;

 private:
  std::atomic<std::uint64_t> last_;
};

// Not for several threads at once: each dedupe shard owns one. `sequence` must outlive it.
class order_id_generator {
 public:
  order_id_generator(std::uint64_t seed, order_id_sequence& sequence) : random_(seed), sequence_(sequence) {}

  order_id next(timestamp now, hash_slot slot);

 private:
  std::mt19937_64 random_;
  order_id_sequence& sequence_;
};

}  // namespace ordem
