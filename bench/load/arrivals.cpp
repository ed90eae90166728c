#include "bench/load/arrivals.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace ordem::bench {

using std::chrono::nanoseconds;

arrival_schedule::arrival_schedule(arrivals whole, unsigned share, unsigned shares, std::uint64_t seed)
    : whole_(whole), share_(share), shares_(shares), random_(seed, share) {
  if (!(whole.rate_per_s > 0)) throw std::invalid_argument("arrivals need a rate above 0");
  if (share >= shares) throw std::invalid_argument("no such share of the arrivals");
  if (whole.surge &&
      !(whole.surge->rate_per_s > 0 && whole.surge->from >= nanoseconds(0) && whole.surge->until > whole.surge->from)) {
    throw std::invalid_argument("a surge needs a rate above 0 and some time");
  }
  random_number_ = random_gap();
}

// The inverse of the number of arrivals that are due up to a time, on average: a polyline with up to three slopes.
double arrival_schedule::time_s_of(double number) const noexcept {
  if (!whole_.surge) return number / whole_.rate_per_s;
  const std::chrono::duration<double> from = whole_.surge->from;
  const std::chrono::duration<double> until = whole_.surge->until;
  const double first = whole_.rate_per_s * from.count();
  if (number <= first) return number / whole_.rate_per_s;
  const double last = first + whole_.surge->rate_per_s * (until - from).count();
  if (number <= last) return from.count() + (number - first) / whole_.surge->rate_per_s;
  return until.count() + (number - last) / whole_.rate_per_s;
}

nanoseconds arrival_schedule::next() const noexcept {
  const double number =
      whole_.pattern == arrival_pattern::fixed ? static_cast<double>(taken_) * shares_ + share_ : random_number_;
  return nanoseconds(std::llround(time_s_of(number) * 1e9));
}

void arrival_schedule::advance() noexcept {
  ++taken_;
  random_number_ += random_gap();
}

double arrival_schedule::random_gap() noexcept {
  return -std::log1p(-random_.fraction()) * shares_;
}

void lateness::merge(const lateness& other) noexcept {
  requests += other.requests;
  longest = std::max(longest, other.longest);
  queue_max += other.queue_max;
  never_sent += other.never_sent;
  given_up += other.given_up;
}

due_requests::due_requests(const arrival_schedule& schedule, nanoseconds counted_from, nanoseconds end)
    : next_(schedule), due_(schedule), counted_from_(counted_from), end_(end) {}

std::optional<nanoseconds> due_requests::take(nanoseconds now) {
  const auto time = next_.next();
  if (time >= end_) return std::nullopt;
  const auto queue = waiting(now);
  next_.advance();
  ++taken_;
  if (queue > 0 && time >= counted_from_ && time < now) {
    ++late_.requests;
    late_.longest = std::max(late_.longest, now - time);
    late_.queue_max = std::max(late_.queue_max, queue);
  }
  return time;
}

std::optional<nanoseconds> due_requests::drop() {
  const auto time = next_.next();
  if (time >= end_) return std::nullopt;
  next_.advance();
  ++taken_;
  ++late_.never_sent;
  return time;
}

std::optional<nanoseconds> due_requests::drop_late(nanoseconds now, nanoseconds late_max) {
  const auto time = next_.next();
  if (time >= end_ || time + late_max >= now) return std::nullopt;
  next_.advance();
  ++taken_;
  if (time >= counted_from_) ++late_.given_up;
  return time;
}

std::uint64_t due_requests::waiting(nanoseconds now) {
  for (; due_.next() <= now && due_.next() < end_; due_.advance()) ++came_due_;
  return came_due_ > taken_ ? came_due_ - taken_ : 0;
}

}  // namespace ordem::bench
