#include "http-edge/access/denial_log.hpp"

namespace ordem::http_edge {

// Begins a new second if the last one has ended. Returns how many requests were left out in it. REQUIRES: mutex_ is
// locked.
std::uint64_t denial_log::begin_second(clock::time_point now) {
  if (now < second_ends_at_) return 0;
  second_ends_at_ = now + std::chrono::seconds(1);
  lines_left_ = lines_a_second_max;
  return std::exchange(left_out_, 0);
}

void denial_log::add(denial_cause why, std::string_view address, std::string_view name, clock::time_point now) {
  counts_[why.index()].fetch_add(1, std::memory_order_relaxed);
  std::uint64_t left_out = 0;
  bool has_line = false;
  {
    const std::lock_guard lock(mutex_);
    left_out = begin_second(now);
    has_line = lines_left_ > 0;
    has_line ? static_cast<void>(--lines_left_) : static_cast<void>(++left_out_);
  }
  if (left_out > 0) lines_.left_out(left_out);
  if (has_line) lines_.denied({address, name, why.name()});
}

void denial_log::flush(clock::time_point now) {
  std::uint64_t left_out = 0;
  {
    const std::lock_guard lock(mutex_);
    if (left_out_ > 0) left_out = begin_second(now);
  }
  if (left_out > 0) lines_.left_out(left_out);
}

}  // namespace ordem::http_edge
