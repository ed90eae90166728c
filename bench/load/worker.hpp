// worker: one thread's share of the connections, and what it saw.
//
// open() and prepare() are called by the main thread or a thread of its own, run() by the latter; result() after that
// was joined. Only live() may be read meanwhile.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "bench/load/arrivals.hpp"
#include "bench/load/connection.hpp"
#include "bench/load/load_plan.hpp"
#include "bench/load/load_result.hpp"

namespace ordem::bench {

struct measured_time {
  run_clock::time_point start;  // of the warm-up; arrivals count from here
  run_clock::time_point begin;
  run_clock::time_point end;
  run_clock::time_point give_up;
};

/// For the progress line; exact only once the thread is done.
struct live_counts {
  std::atomic<std::uint64_t> answers = 0;
  std::atomic<std::uint64_t> errors = 0;
  std::atomic<std::uint64_t> waiting = 0;
};

class worker {
 public:
  worker(const load_plan& plan, unsigned index);

  /// Blocks; throws std::exception on failure. `hot` and `tls`, which is null for plain TCP, must outlive this.
  void open(const boost::asio::ip::tcp::endpoint& server, unsigned number, hot_order& hot,
            const http_edge::tls_context* tls);

  /// Has the first connections, or all, send what has to be there before the load. Blocks. Returns what went wrong;
  /// empty if nothing did.
  [[nodiscard]] std::string prepare(std::size_t connections_max = SIZE_MAX);

  /// Has every connection send and receive until the measured time is over and the last answer is in.
  void run(const measured_time& time);

  [[nodiscard]] const load_result& result() const noexcept { return result_; }
  /// What the thread of run() had used when that returned.
  [[nodiscard]] std::chrono::nanoseconds cpu_at_end() const noexcept { return cpu_at_end_; }
  [[nodiscard]] const live_counts& live() const noexcept { return live_; }

 private:
  io_task<void> prepare_one(connection& with, std::string& complaint);
  io_task<void> converse_closed(connection& with);
  io_task<void> converse_open(connection& with);
  void look_at_queue();
  // `due_at` is the time from which latency counts: in a closed loop that of sending.
  void complete(connection& with, run_clock::time_point due_at, run_clock::time_point sent_at);
  void complete_refused(const answer& got, run_clock::time_point due_at, run_clock::time_point sent_at);
  void drop_what_is_late(run_clock::time_point now);
  void add_not_sent(std::chrono::nanoseconds due);
  void count(verdict checked, const answer& got);
  void lose(connection& with, run_clock::time_point sent_at, std::string_view why);
  void drop_what_is_unsent();
  void complain(std::string complaint);
  [[nodiscard]] std::chrono::nanoseconds since_begin(run_clock::time_point time) const { return time - time_.begin; }
  [[nodiscard]] std::chrono::nanoseconds since_start(run_clock::time_point time) const { return time - time_.start; }

  const load_plan& plan_;
  unsigned index_;
  measured_time time_;
  boost::asio::io_context context_{1};
  run_timer give_up_;
  run_timer look_;
  std::deque<connection> connections_;
  std::optional<due_requests> due_;  // open loop
  std::size_t conversing_ = 0;
  bool has_given_up_ = false;
  load_result result_;
  std::chrono::nanoseconds cpu_at_end_{};
  live_counts live_;
};

}  // namespace ordem::bench
