// Decides which new messages one I/O thread takes when more arrive than it can execute. Pure: the times are arguments,
// and nothing is read or sent. Owned by the I/O thread, the only caller.
//
// The delay of a message has two parts, both measured: how long the event loop takes to come to a request that has
// arrived (on_loop_delay), and how long the engine takes for the message (on_completed).
//
//   normal      every message is taken.
//   overloaded  as many messages are taken as are executed within target_delay() (Little's law: a number under way is a
//               rate times a delay). Others are refused, and the connection of a refused one is held back: its next
//               message is taken only if there is room while it is fresh, and else refused.
//
// The thread becomes overloaded when there are more than waiting_max connections and, in one interval, most messages
// took longer than entry_delay() and more than waiting_max were under way on average, read or unread; or when the
// engine refuses a message because of --max-in-flight. So clients that wait for their answers are not refused, up to
// waiting_max of them, however slow the service is. The thread is normal again once hardly anything was refused and no
// connection was held back for quiet_intervals.
//
// A refusal costs a quarter of a message, so refusing a large excess at once would leave little time for messages. The
// budget (may_refuse) bounds the share of the thread's time that refusals take; what it does not cover waits.
// docs/decisions/0037-admission-by-measured-delay.md
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace ordem::http_edge {

// What becomes of a message that has just arrived.
enum class admission : std::uint8_t {
  admit,
  refuse,
  wait,  // it is read once there is room for it, or time to refuse it
};

struct admission_settings {
  using duration = std::chrono::steady_clock::duration;

  // Not overloaded unless more messages than this are under way, and not while a message takes less than entry_delay,
  // or eight times base_delay if that is longer. Larger: more patient clients are served, and an overload is noticed
  // later.
  std::size_t waiting_max = 3072;
  duration entry_delay = std::chrono::milliseconds(50);
  // The delay that is kept up while the thread is overloaded, or four times base_delay if that is longer. Shorter:
  // smaller groups, each with a sync of its own, so fewer messages a second.
  duration target_delay = std::chrono::milliseconds(8);
  duration interval = std::chrono::milliseconds(100);
  // The number of intervals after which the thread is no longer overloaded. In each fewer messages than this share were
  // refused.
  std::uint32_t quiet_intervals = 3;
  double quiet_share = 0.02;
  // The least window, or half of waiting_max if that is less. Protects the rate where a sync is slower than the target.
  std::size_t in_flight_min = 128;
  // The messages in flight below which another one measures base_delay.
  std::size_t few_in_flight = 16;
  // The share of the thread's time that refusals may take while messages take longer than half the target, and
  // otherwise; and how much of it may be saved up.
  double refusal_share = 0.03;
  double idle_refusal_share = 0.1;
  duration refusal_time_max = std::chrono::milliseconds(50);
  // Over how long the greatest number of messages in flight is remembered: for as long as clients take to send their
  // next message.
  duration peak_memory = std::chrono::milliseconds(20);
};

class admission_control {
 public:
  using clock = std::chrono::steady_clock;
  using time_point = clock::time_point;
  using duration = clock::duration;

  admission_control(const admission_settings& settings, time_point now) noexcept;

  // --- What happens. No `now` may be before the last one.

  // A message goes to the engine. Returns whether its engine time measures base_delay, which on_completed() wants to
  // know.
  bool on_submitted() noexcept;
  // The engine has answered a message after `engine_time`. `executed` is false for what it answered without executing:
  // a replay, a refusal.
  void on_completed(time_point now, duration engine_time, bool executed, bool measures_base) noexcept;
  // The engine has refused a message because of --max-in-flight.
  void on_bound(time_point now) noexcept;
  // The last measured time from an event to its handler.
  void on_loop_delay(time_point now, duration delay) noexcept;
  // A message was refused, which took `cost`.
  void on_refused(time_point now, duration cost) noexcept;
  // Ends the interval if it is over. `connections` are those of this thread; `held_back` of them wait to be read.
  void advance(time_point now, std::size_t connections, std::size_t held_back) noexcept;

  // --- Decisions.

  bool overloaded() const noexcept { return overloaded_; }
  // Decides about a message that has just arrived.
  admission decide(time_point now) noexcept;
  // Returns whether the budget has time for a refusal.
  bool may_refuse(time_point now) noexcept;
  // Returns how many messages of connections that were held back may be taken now: as many as window() is above the
  // most that were in flight within peak_memory, so that places are kept for clients that have just got an answer.
  std::size_t room(time_point now) noexcept;
  // Returns whether a message that has been held back for so long is still taken. An older one is only refused.
  bool is_fresh(duration held) const noexcept { return held <= target_delay(); }

  // --- Figures.

  // Returns how many messages may be in flight while the thread is overloaded.
  std::size_t window() const noexcept { return window_; }
  std::size_t in_flight() const noexcept { return in_flight_; }
  // The delay of a message that meets few others: mostly that of a sync.
  duration base_delay() const noexcept { return base_; }
  duration entry_delay() const noexcept;
  duration target_delay() const noexcept;
  duration loop_delay() const noexcept { return loop_delay_; }
  // The loop delay and engine time of a message, averaged over the last interval in which one completed.
  duration delay() const noexcept { return delay_; }

 private:
  void enter() noexcept;
  void adapt_window() noexcept;
  bool is_busy() const noexcept { return 2 * delay_ > target_delay(); }
  void refill(time_point now) noexcept;
  void note_peak(time_point now) noexcept;

  const admission_settings settings_;
  bool overloaded_ = false;
  std::size_t in_flight_ = 0;
  duration base_{0};
  duration loop_delay_{0};
  duration delay_{0};

  // The interval.
  time_point began_;
  std::uint64_t completed_ = 0;
  std::uint64_t executed_ = 0;
  std::uint64_t slow_ = 0;  // of those executed
  std::uint64_t refused_ = 0;
  duration delay_sum_{0};
  duration last_delay_sum_{0};  // of the interval before, which took last_length_
  duration last_length_{0};
  std::uint32_t quiet_ = 0;         // intervals with few refusals
  std::array<double, 16> rates_{};  // completions a second of the last intervals
  std::size_t next_rate_ = 0;
  std::size_t window_ = 0;

  time_point refilled_;
  duration budget_{0};

  time_point peak_began_;
  std::size_t peak_ = 0;  // since peak_began_
  std::size_t peak_before_ = 0;
};

}  // namespace ordem::http_edge
