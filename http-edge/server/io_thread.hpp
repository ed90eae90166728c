// One I/O thread: an event loop, the connections that it serves, and its queue, where answers from the engine are
// handed in. Sessions hand in messages one by one; the thread passes them on in one batch a turn of its loop.
#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "engine/base/inbox.hpp"
#include "engine/ports/port.hpp"
#include "http-edge/handler.hpp"
#include "http-edge/server/edge_counters.hpp"
#include "http-edge/server/session.hpp"
#include "http-edge/server/settings.hpp"

namespace ordem::http_edge {

class io_thread final : public completion_queue {
 public:
  // All of the arguments outlive the thread.
  io_thread(const server_settings& settings, const handler_context& context, edge_counters& counters);
  ~io_thread() override;

  // Before start() and before any session only.
  void connect(message_port& messages, std::uint32_t queue) noexcept;

  void start();
  // Ends the loop at once, whatever is under way, and waits for the thread.
  void stop();

  // Any thread: serves this connection from now on, or tells it that it is one too many.
  void serve(session::socket_type&& socket, connection_permit&& permit, bool over_limit);
  // Any thread: from now on every answer is its connection's last, and connections without a request are closed.
  void drain();
  // Any thread: refuses the requests that have not come whole since.
  void end_drain();

  boost::asio::io_context& io_context() noexcept { return io_context_; }

  // completion_queue: any thread.
  void deliver(std::vector<reply>&& replies) noexcept override;

  // The rest is for this thread's sessions, on this thread.
  const server_settings& settings() const noexcept { return settings_; }
  const handler_context& context() const noexcept { return context_; }
  http_edge::handler& handler() noexcept { return handler_; }
  edge_counters& counters() noexcept { return counters_; }
  bool draining() const noexcept { return drain_began_.has_value(); }
  // While it drains: whether requests that came before the answer to an earlier one are still answered.
  bool takes_pipelined() const noexcept;
  // `line` is the session's own number for what it asks: its answer comes with it.
  void submit(std::shared_ptr<session> from, engine_request&& what, std::uint32_t line = 0);
  void count_response(unsigned status, std::chrono::steady_clock::duration took) noexcept;

 private:
  void pass_on();
  void take_replies();
  void sweep();
  void schedule_sweep();

  const server_settings& settings_;
  const handler_context& context_;
  edge_counters& counters_;
  http_edge::handler handler_;
  session_list sessions_;
  std::optional<session::clock::time_point> drain_began_;
  boost::asio::io_context io_context_{1};  // one thread runs it
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  boost::asio::steady_timer sweep_timer_;

  message_port* messages_ = nullptr;
  std::uint32_t queue_ = 0;
  std::vector<submission> outbox_;
  std::size_t outbox_reserve_ = 0;
  // Who waits, by token number; numbers are used again.
  struct waiter {
    std::shared_ptr<session> who;
    std::uint32_t line = 0;
  };
  std::vector<waiter> waiting_;
  std::vector<std::uint32_t> free_numbers_;

  inbox<reply> inbox_;
  std::vector<reply> taken_;  // from the inbox, of which
  std::size_t answered_ = 0;  // so many have been handed to their sessions

  std::thread thread_;
};

}  // namespace ordem::http_edge
