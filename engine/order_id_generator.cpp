#include "engine/order_id_generator.hpp"

namespace ordem {

order_id order_id_generator::next(timestamp now, hash_slot slot) {
  constexpr std::uint16_t counter_max = 0xFFF;
  const auto now_ms = static_cast<std::uint64_t>(now.time_since_epoch().count());
  if (now_ms > last_ms_) {
    last_ms_ = now_ms;
    counter_ = 0;
  } else if (counter_ < counter_max) {
    ++counter_;
  } else {
    // More than 4096 ids in a millisecond, or a clock that stepped back: run ahead of it, as RFC 9562 allows.
    ++last_ms_;
    counter_ = 0;
  }

  order_id id;
  for (unsigned i = 0; i < 6; ++i) id.bytes[i] = static_cast<std::uint8_t>(last_ms_ >> (40 - 8 * i));
  id.bytes[6] = static_cast<std::uint8_t>(0x70 | counter_ >> 8);
  id.bytes[7] = static_cast<std::uint8_t>(counter_);
  id.bytes[8] = static_cast<std::uint8_t>(0x80 | slot.number >> 8);
  id.bytes[9] = static_cast<std::uint8_t>(slot.number);
  const std::uint64_t random = random_();
  for (unsigned i = 0; i < 6; ++i) id.bytes[10 + i] = static_cast<std::uint8_t>(random >> (8 * i));
  return id;
}

}  // namespace ordem
