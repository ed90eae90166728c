// One I/O thread: an event loop, its connections, and the completion queue for their requests. Sessions submit messages
// one by one; the thread passes them to the engine in one batch per turn of its loop. Owned by the server.
#pragma once

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <deque>
#include <future>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "auth/authenticator.hpp"
#include "engine/base/inbox.hpp"
#include "engine/ports/engine_port.hpp"
#include "http-edge/access/access_control.hpp"
#include "http-edge/feed/change_feed.hpp"
#include "http-edge/handler.hpp"
#include "http-edge/protocol/request_context.hpp"
#include "http-edge/server/admission_control.hpp"
#include "http-edge/server/edge_counters.hpp"
#include "http-edge/server/loop_probe.hpp"
#include "http-edge/server/session.hpp"
#include "http-edge/server/settings.hpp"

namespace ordem::http_edge {

class io_thread final : public completion_queue {
 public:
  // All arguments must outlive the thread. `requests` is the element of counters.requests that is this thread's.
  io_thread(const server_settings& settings, const handler_context& context, edge_counters& counters,
            request_counts& requests, access_state& access, change_feed& feed,
            std::unique_ptr<auth::authenticator> authenticator);
  ~io_thread() override;

  // `queue` is the number of this completion queue. REQUIRES: no session exists yet.
  void connect(message_port& messages, std::uint32_t queue) noexcept;

  void start();
  // Stops the loop without completing pending operations, and joins the thread.
  void stop();

  // Serves the connection, or refuses it if it is over a limit. Thread-safe.
  void serve(accepted_connection&& what);
  // Starts to drain: every response becomes the last of its connection, and idle connections are closed. The result is
  // ready when that holds for all connections of this thread. Thread-safe.
  std::future<void> drain();
  // Ends the drain: refuses the requests that have not arrived completely. Thread-safe.
  void end_drain();

  boost::asio::io_context& io_context() noexcept { return io_context_; }

  // completion_queue. Thread-safe.
  void deliver(std::vector<reply>&& replies) noexcept override;

  // The following functions are called by the sessions, on this thread.
  const server_settings& settings() const noexcept { return settings_; }
  const handler_context& context() const noexcept { return context_; }
  http_edge::handler& handler() noexcept { return handler_; }
  edge_counters& counters() noexcept { return counters_; }
  request_id_generator& request_ids() noexcept { return request_ids_; }
  bool draining() const noexcept { return drain_began_.has_value(); }
  // Returns whether pipelined requests are still answered. REQUIRES: draining().
  bool takes_pipelined() const noexcept;
  // Submits a request; the answer is passed to from->on_answer(), with `line`.
  void submit(std::shared_ptr<session> from, engine_request&& what, std::uint32_t line = 0);

  // Admission of new messages (admission_control.hpp).
  bool overloaded() const noexcept { return admission_.overloaded(); }
  // Decides about the message of a request that has arrived.
  admission admit() noexcept;
  // Counts a refused message, whose response has just been written. `since` is when its header was read.
  void count_refusal(session::clock::time_point since) noexcept;
  // Has the session go on once there is room for its request, or time to refuse it: session::resume().
  void hold_back(std::shared_ptr<session> from);

  // Has the session go on once the read gate opens, or does not in time: session::on_gate(). Returns the number of the
  // wait, or nullopt if too many reads of this thread wait. REQUIRES: there is a gate.
  std::optional<std::uint64_t> wait_for_gate(std::shared_ptr<session> from);
  // The session does not go on by session::on_gate(). Returns it. REQUIRES: it waits by this number.
  std::shared_ptr<session> forget_read(std::uint64_t number);

  // Has the session go on about a second later, or when the server drains: session::end_delay(). Delays differ at
  // random, because clients that were refused together would otherwise come back together.
  void delay(std::shared_ptr<session> from);

  // The change feed. A reader is in the thread's list until it is removed; session::on_feed_blocks() is called for all
  // of them once blocks were published.
  change_feed& feed() noexcept { return feed_; }
  using feed_readers = std::list<std::shared_ptr<session>>;
  feed_readers::iterator add_feed_reader(std::shared_ptr<session> what);
  void remove_feed_reader(feed_readers::iterator which);

  void count(const answered_request& what) noexcept { requests_.add(what); }

 private:
  void pass_on();
  void take_replies();
  void complete_message(const reply& what, session::clock::time_point submitted_at, bool measures_base,
                        session::clock::time_point now) noexcept;
  void advance_admission(session::clock::time_point now) noexcept;
  void release_held();
  void schedule_release();
  void take_opened_reads();
  void end_delays();
  void schedule_end_of_delay();
  void serve_feed_readers();
  void sweep();
  void schedule_sweep();

  const server_settings& settings_;
  const handler_context& context_;
  edge_counters& counters_;
  request_counts& requests_;
  access_state& access_;
  change_feed& feed_;
  http_edge::handler handler_;
  request_id_generator request_ids_;
  session_list sessions_;
  std::optional<session::clock::time_point> drain_began_;
  boost::asio::io_context io_context_{1};  // one thread runs it
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  boost::asio::steady_timer sweep_timer_;

  message_port* messages_ = nullptr;
  std::uint32_t queue_ = 0;
  std::vector<submission> outbox_;
  std::size_t outbox_reserve_ = 0;
  // The requests in the engine, by the number of their token. Numbers are reused.
  struct pending_request {
    std::shared_ptr<session> from;
    std::uint32_t line = 0;
    bool measures_base = false;  // see admission_control::on_submitted
    session::clock::time_point submitted_at;
  };
  std::vector<pending_request> pending_;
  std::vector<std::uint32_t> free_numbers_;

  inbox<reply> inbox_;
  std::vector<reply> replies_;  // taken from the inbox
  std::size_t delivered_ = 0;   // the number of replies_ that their sessions have got

  admission_control admission_;
  bool counted_overloaded_ = false;  // in counters_
  loop_probe probe_;
  struct held_session {
    std::shared_ptr<session> from;
    session::clock::time_point since;
  };
  std::deque<held_session> held_;  // in the order in which their requests arrived
  boost::asio::steady_timer release_timer_;
  bool release_is_due_ = false;
  // What the read gate calls, which may be later than the end of this thread. Thread-safe.
  class gate_inbox {
   public:
    explicit gate_inbox(io_thread& to) : to_(&to) {}
    void push(std::uint64_t number, bool opened);
    void take(std::deque<std::pair<std::uint64_t, bool>>& into);
    void close();

   private:
    std::mutex mutex_;
    io_thread* to_;  // null once the thread has ended
    std::deque<std::pair<std::uint64_t, bool>> opened_;
  };
  const std::shared_ptr<gate_inbox> gate_inbox_;
  std::unordered_map<std::uint64_t, std::shared_ptr<session>> waiting_reads_;  // by the numbers of their waits
  std::uint64_t last_read_ = 0;
  std::deque<std::pair<std::uint64_t, bool>> opened_reads_;  // taken from the inbox

  // By the ends of their delays; at most one for each connection.
  std::multimap<session::clock::time_point, std::shared_ptr<session>> delayed_;
  std::minstd_rand delay_jitter_{std::random_device{}()};
  boost::asio::steady_timer delay_timer_;

  feed_readers feed_readers_;         // those that were served least recently come first
  std::size_t unserved_readers_ = 0;  // that are not served yet since blocks were published
  bool feed_turn_is_due_ = false;
  std::atomic<bool> feed_wake_is_due_{false};

  std::thread thread_;
};

}  // namespace ordem::http_edge
