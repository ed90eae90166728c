// Counts refused requests and logs them, at most so many lines a second. Shared by all I/O threads; thread-safe.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string_view>
#include <utility>

#include "http-edge/access/denial_cause.hpp"

namespace ordem::http_edge {

struct denied_request {
  std::string_view address;  // the client's IP address; empty if it is not known
  std::string_view name;     // of the identity; empty if none was proved
  std::string_view reason;   // of denial_cause::name()
};

// The lines of the log. Called on I/O threads.
struct denial_lines {
  std::function<void(const denied_request&)> denied = [](const denied_request&) {};
  // So many requests were denied without a line of their own since the last line of either kind.
  std::function<void(std::uint64_t)> left_out = [](std::uint64_t) {};
};

class denial_log {
 public:
  using clock = std::chrono::steady_clock;

  static constexpr std::uint32_t lines_a_second_max = 10;

  explicit denial_log(denial_lines lines) : lines_(std::move(lines)) {}

  void add(denial_cause why, std::string_view address, std::string_view name, clock::time_point now);

  // Reports what was left out in a second that has ended. Called regularly, so that a flood that ends is reported.
  void flush(clock::time_point now);

  std::uint64_t count(denial_cause why) const noexcept { return counts_[why.index()].load(std::memory_order_relaxed); }

 private:
  std::uint64_t begin_second(clock::time_point now);

  const denial_lines lines_;
  std::array<std::atomic<std::uint64_t>, denial_cause::count> counts_{};
  std::mutex mutex_;  // guards what follows
  clock::time_point second_ends_at_;
  std::uint32_t lines_left_ = 0;
  std::uint64_t left_out_ = 0;
};

}  // namespace ordem::http_edge
