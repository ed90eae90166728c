#include "http-edge/server/io_thread.hpp"

#include <pthread.h>

#include <boost/asio/post.hpp>
#include <utility>

#include "engine/base/check.hpp"

namespace ordem::http_edge {
namespace {

// The interval between checks of deadlines, and so how late one may be noticed.
constexpr auto sweep_interval = std::chrono::milliseconds(250);
// Shorter while the server drains, as that waits for the last connection.
constexpr auto drain_sweep_interval = std::chrono::milliseconds(10);
constexpr auto drain_pipelined_time = std::chrono::seconds(1);
// The time for which replies are delivered before other connections get their turn.
constexpr auto replies_turn = std::chrono::milliseconds(2);

}  // namespace

io_thread::io_thread(const server_settings& settings, const handler_context& context, edge_counters& counters,
                     access_state& access, std::unique_ptr<auth::authenticator> authenticator)
    : settings_(settings),
      context_(context),
      counters_(counters),
      access_(access),
      handler_(context, settings.captured_bytes_max, access_control(access, std::move(authenticator))),
      work_(io_context_.get_executor()),
      sweep_timer_(io_context_) {}

io_thread::~io_thread() {
  stop();
  pending_.clear();  // destroys sessions, whose sockets must not outlive the loop
}

void io_thread::connect(message_port& messages, std::uint32_t queue) noexcept {
  messages_ = &messages;
  queue_ = queue;
}

void io_thread::start() {
  schedule_sweep();
  thread_ = std::thread([this] { io_context_.run(); });
  pthread_setname_np(thread_.native_handle(), "ordem-io");
}

void io_thread::stop() {
  io_context_.stop();
  if (thread_.joinable()) thread_.join();
}

void io_thread::serve(accepted_connection&& what) {
  boost::asio::post(io_context_, [this, accepted = std::move(what)]() mutable {
    const auto made = std::make_shared<session>(std::move(accepted), *this);
    sessions_.push_back(*made);
    made->start();
  });
}

void io_thread::drain() {
  boost::asio::post(io_context_, [this] {
    drain_began_ = session::clock::now();
    for (session& each : sessions_) each.drain();
    sweep();
    schedule_sweep();
  });
}

void io_thread::end_drain() {
  boost::asio::post(io_context_, [this] {
    for (session& each : sessions_) each.end_drain();
  });
}

bool io_thread::takes_pipelined() const noexcept {
  return session::clock::now() < *drain_began_ + drain_pipelined_time;
}

// --- requests out, replies in ---

void io_thread::submit(std::shared_ptr<session> from, engine_request&& what, std::uint32_t line) {
  std::uint32_t number = 0;
  if (free_numbers_.empty()) {
    number = static_cast<std::uint32_t>(pending_.size());
    pending_.push_back({std::move(from), line});
  } else {
    number = free_numbers_.back();
    free_numbers_.pop_back();
    pending_[number] = {std::move(from), line};
  }
  // The first message of a turn schedules pass_on() behind the handlers that are ready now, so that the batch includes
  // all requests that have arrived.
  if (outbox_.empty()) {
    boost::asio::post(io_context_, [this] { pass_on(); });
    outbox_.reserve(outbox_reserve_);
  }
  outbox_.push_back({{queue_, number}, std::move(what)});
}

void io_thread::pass_on() {
  outbox_reserve_ = outbox_.size();  // the next batch is probably about as large
  messages_->submit(std::exchange(outbox_, {}));
}

void io_thread::deliver(std::vector<reply>&& replies) noexcept {
  if (inbox_.push(std::move(replies))) boost::asio::post(io_context_, [this] { take_replies(); });
}

// Delivering a reply renders and writes its response. After replies_turn, other connections get their turn first.
void io_thread::take_replies() {
  const auto end = session::clock::now() + replies_turn;
  do {
    if (delivered_ == replies_.size()) {
      delivered_ = 0;
      inbox_.take(replies_);
    }
    if (replies_.empty()) return;
    reply& next = replies_[delivered_++];
    const std::uint32_t number = next.token.number;
    CHECK(number < pending_.size() && pending_[number].from != nullptr);
    const pending_request pending = std::exchange(pending_[number], {});
    free_numbers_.push_back(number);
    pending.from->on_answer(pending.line, std::move(next.answer));
  } while (session::clock::now() < end);
  boost::asio::post(io_context_, [this] { take_replies(); });
}

// --- deadlines ---

void io_thread::schedule_sweep() {
  sweep_timer_.expires_after(draining() ? drain_sweep_interval : sweep_interval);
  sweep_timer_.async_wait([this](boost::system::error_code ec) {
    if (ec) return;
    sweep();
    schedule_sweep();
  });
}

void io_thread::sweep() {
  const auto now = session::clock::now();
  for (session& each : sessions_) each.check_deadline(now);
  access_.denials.flush(now);
}

void io_thread::count_response(unsigned status, std::chrono::steady_clock::duration took) noexcept {
  counters_.responses[status / 100].fetch_add(1, std::memory_order_relaxed);
  counters_.response_time.add(took);
}

}  // namespace ordem::http_edge
