// arrivals: the times at which requests are due, independent of the server.
//
// arrival_schedule names the times; due_requests assigns them to connections and counts those that wait. Both are pure:
// times are nanoseconds since the run's start, and no clock is read. Each load thread owns a pair, for its share
// of the arrivals.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "bench/load/random_source.hpp"

namespace ordem::bench {

enum class arrival_pattern {
  fixed,    // all gaps alike
  poisson,  // gaps at random, independent of each other, as of many clients that know nothing of each other
};

/// A time in which more requests are due than before and after it. Times count from the start of the arrivals.
struct surge {
  double rate_per_s = 0;  // of all threads together; above 0
  std::chrono::nanoseconds from{};
  std::chrono::nanoseconds until{};  // after `from`
};

struct arrivals {
  arrival_pattern pattern = arrival_pattern::fixed;
  double rate_per_s = 0;  // of all threads together; above 0
  std::optional<bench::surge> surge = std::nullopt;
};

/// The times of one of `shares` parts of the arrivals, in ascending order, without end. The parts together are the
/// whole: fixed arrivals are dealt out in turn, and Poisson arrivals of a part are Poisson at a part of the rate.
/// Times do not depend on how quickly they are taken. A copy continues with the same times.
class arrival_schedule {
 public:
  arrival_schedule(arrivals whole, unsigned share, unsigned shares, std::uint64_t seed);

  [[nodiscard]] std::chrono::nanoseconds next() const noexcept;
  void advance() noexcept;

 private:
  [[nodiscard]] double random_gap() noexcept;
  [[nodiscard]] double time_s_of(double number) const noexcept;

  arrivals whole_;
  unsigned share_;
  unsigned shares_;
  random_source random_;
  std::uint64_t taken_ = 0;
  double random_number_ = 0;  // of Poisson arrivals: the next one, in means of gaps since the start
};

/// How late requests were sent because no connection was free when they were due.
struct lateness {
  std::uint64_t requests = 0;  // that had to wait
  std::chrono::nanoseconds longest{};
  std::uint64_t queue_max = 0;   // most that waited at one time
  std::uint64_t never_sent = 0;  // still waiting at the end of the run
  std::uint64_t given_up = 0;    // not sent because they would have been later than the plan allows

  void merge(const lateness& other) noexcept;  // of another thread: its queue is another one
};

/// The requests of one thread that are due, first in, first out. A connection that is free takes the next one; that may
/// be due later, and then the connection waits for it. So each request is sent by the connection that is free first,
/// at its time or, if all were busy then, as soon as one is free.
///
/// The queue takes no memory, whatever its length: it is the range between two places of one schedule.
class due_requests {
 public:
  /// Hands out what is due before `end`. Lateness is counted for what is due at or after `counted_from`.
  due_requests(const arrival_schedule& schedule, std::chrono::nanoseconds counted_from, std::chrono::nanoseconds end);

  /// The time at which the next request is to be sent, for a connection that is free at `now`, which must not be
  /// before the last `now`. Returns nullopt if none is due before the end.
  std::optional<std::chrono::nanoseconds> take(std::chrono::nanoseconds now);

  /// Removes the next request, which will not be sent. Returns nullopt if there is none.
  std::optional<std::chrono::nanoseconds> drop();

  /// Removes the next request if it has been due for more than `late_max` at `now`: its client has given up. Returns
  /// nullopt if there is none.
  std::optional<std::chrono::nanoseconds> drop_late(std::chrono::nanoseconds now, std::chrono::nanoseconds late_max);

  /// Requests that are due at `now` and not taken.
  [[nodiscard]] std::uint64_t waiting(std::chrono::nanoseconds now);

  [[nodiscard]] const lateness& late() const noexcept { return late_; }

 private:
  arrival_schedule next_;  // the next one to be taken
  arrival_schedule due_;   // the next one that is not due yet; not before next_
  std::uint64_t taken_ = 0;
  std::uint64_t came_due_ = 0;
  std::chrono::nanoseconds counted_from_;
  std::chrono::nanoseconds end_;
  lateness late_;
};

}  // namespace ordem::bench
