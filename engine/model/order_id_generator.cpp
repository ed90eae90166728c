#include "engine/model/order_id_generator.hpp"

#include <algorithm>

namespace ordem {
namespace {

constexpr unsigned counter_bits = 12;

std::uint64_t sequence_in(const order_id& id) noexcept {
  std::uint64_t number = 0;
  for (unsigned i = 0; i < 6; ++i) number = number << 8 | id.bytes[i];
  return number << counter_bits | (id.bytes[6] & 0x0FU) << 8 | id.bytes[7];
}

void put_milliseconds(order_id& id, std::uint64_t ms) noexcept {
  for (unsigned i = 0; i < 6; ++i) id.bytes[i] = static_cast<std::uint8_t>(ms >> (40 - 8 * i));
}

}  // namespace

timestamp time_in(const order_id& id) noexcept {
  return timestamp{milliseconds{static_cast<milliseconds::rep>(sequence_in(id) >> counter_bits)}};
}

order_id lowest_id_at(timestamp at) noexcept {
  constexpr milliseconds::rep ms_max = (milliseconds::rep{1} << 48) - 1;
  order_id id;
  put_milliseconds(id,
                   static_cast<std::uint64_t>(std::clamp<milliseconds::rep>(at.time_since_epoch().count(), 0, ms_max)));
  return id;
}

order_id lowest_id_like(const order_id& id) noexcept {
  order_id lowest;
  std::copy_n(id.bytes.begin(), 8, lowest.bytes.begin());
  return lowest;
}

order_id_sequence::order_id_sequence(const std::optional<order_id>& newest)
    : last_(newest ? sequence_in(*newest) : 0) {}

std::uint64_t order_id_sequence::next(timestamp now) noexcept {
  const std::uint64_t first_of_now = static_cast<std::uint64_t>(now.time_since_epoch().count()) << counter_bits;
  std::uint64_t last = last_.load(std::memory_order_relaxed);
  std::uint64_t given = 0;
  do {
    // With more than 4096 ids in a millisecond, or a clock that is behind, run ahead of it, as RFC 9562 allows.
    given = std::max(last + 1, first_of_now);
  } while (!last_.compare_exchange_weak(last, given, std::memory_order_relaxed));
  return given;
}

order_id order_id_generator::next(timestamp now, hash_slot slot) {
  const std::uint64_t number = sequence_.next(now);
  const std::uint64_t ms = number >> counter_bits;
  order_id id;
  put_milliseconds(id, ms);
  id.bytes[6] = static_cast<std::uint8_t>(0x70 | (number >> 8 & 0x0F));
  id.bytes[7] = static_cast<std::uint8_t>(number);
  id.bytes[8] = static_cast<std::uint8_t>(0x80 | slot.number >> 8);
  id.bytes[9] = static_cast<std::uint8_t>(slot.number);
  const std::uint64_t random = random_();
  for (unsigned i = 0; i < 6; ++i) id.bytes[10 + i] = static_cast<std::uint8_t>(random >> (8 * i));
  return id;
}

}  // namespace ordem
