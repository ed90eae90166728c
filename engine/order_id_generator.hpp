// Makes order ids: UUIDv7 (RFC 9562, section 5.7) that sort by time and carry the partition they were born in.
//
//   bytes 0-5    Unix time in milliseconds
//   bytes 6-7    version 7 (4 bits), counter within the millisecond (12 bits; RFC 9562, section 6.2, method 1)
//   bytes 8-9    variant 0b10 (2 bits), hash slot of the creating GUID (14 bits)
//   bytes 10-15  random (48 bits)
#pragma once

#include <cstdint>
#include <random>

#include "engine/ids.hpp"
#include "engine/time.hpp"

namespace ordem {

// Ids of one generator strictly ascend within a hash slot, even if the clock steps back. Not for several threads at
// once: each dedupe shard owns one, so that two generators never serve one slot.
class order_id_generator {
 public:
  explicit order_id_generator(std::uint64_t seed) : random_(seed) {}

  order_id next(timestamp now, hash_slot slot);

 private:
  std::mt19937_64 random_;
  std::uint64_t last_ms_ = 0;
  std::uint16_t counter_ = 0;
};

}  // namespace ordem
