#include "http-edge/server/io_thread.hpp"

#include <pthread.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <utility>
#include <variant>

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
// The same for reads that the gate has let through.
constexpr auto reads_turn = std::chrono::milliseconds(2);
// The time for which readers of the change feed are served before other connections get their turn, looked at after
// each so many readers.
constexpr auto feed_turn = std::chrono::milliseconds(2);
constexpr int readers_per_clock = 16;
// The interval at which connections that are held back are looked at, besides when messages complete.
constexpr auto release_interval = std::chrono::milliseconds(2);
// The connections that are admitted, and that are refused, before others get their turn.
constexpr std::size_t released_at_once = 64;
constexpr int delay_least_ms = 500;
constexpr int delay_most_ms = 1500;

admission_settings admission_settings_of(const server_settings& settings) {
  admission_settings made;
  made.waiting_max = settings.patient_messages_max / settings.io_threads;
  return made;
}

}  // namespace

io_thread::io_thread(const server_settings& settings, const handler_context& context, edge_counters& counters,
                     request_counts& requests, access_state& access, change_feed& feed,
                     std::unique_ptr<auth::authenticator> authenticator)
    : settings_(settings),
      context_(context),
      counters_(counters),
      requests_(requests),
      access_(access),
      feed_(feed),
      handler_(context, settings.captured_bytes_max, access_control(access, std::move(authenticator))),
      work_(io_context_.get_executor()),
      sweep_timer_(io_context_),
      admission_(admission_settings_of(settings), session::clock::now()),
      probe_(io_context_,
             [this](session::clock::time_point now, session::clock::duration delay) {
               admission_.on_loop_delay(now, delay);
               counters_.loop_delay.add(delay);
             }),
      release_timer_(io_context_),
      gate_inbox_(std::make_shared<gate_inbox>(*this)),
      delay_timer_(io_context_) {
  feed_.add_listener([this] {
    if (feed_wake_is_due_.exchange(true, std::memory_order_acq_rel)) return;
    boost::asio::post(io_context_, [this] {
      feed_wake_is_due_.store(false, std::memory_order_release);
      unserved_readers_ = feed_readers_.size();
      if (!feed_turn_is_due_) serve_feed_readers();
    });
  });
}

io_thread::~io_thread() {
  stop();
  gate_inbox_->close();
  waiting_reads_.clear();
  held_.clear();
  feed_readers_.clear();
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

std::future<void> io_thread::drain() {
  std::promise<void> begun;
  std::future<void> result = begun.get_future();
  boost::asio::post(io_context_, [this, begun = std::move(begun)]() mutable {
    drain_began_ = session::clock::now();
    for (session& each : sessions_) each.drain();
    sweep();
    schedule_sweep();
    release_held();
    end_delays();
    begun.set_value();
  });
  return result;
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
  const auto now = session::clock::now();
  probe_.begin(now);
  const bool measures_base = admission_.on_submitted();
  auto trace = from->trace_of(what);
  std::uint32_t number = 0;
  if (free_numbers_.empty()) {
    number = static_cast<std::uint32_t>(pending_.size());
    pending_.push_back({std::move(from), line, measures_base, now});
  } else {
    number = free_numbers_.back();
    free_numbers_.pop_back();
    pending_[number] = {std::move(from), line, measures_base, now};
  }
  // The first message of a turn schedules pass_on() behind the handlers that are ready now, so that the batch includes
  // all requests that have arrived.
  if (outbox_.empty()) {
    boost::asio::post(io_context_, [this] { pass_on(); });
    outbox_.reserve(outbox_reserve_);
  }
  outbox_.push_back({{queue_, number}, std::move(what), std::move(trace)});
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
  auto now = session::clock::now();
  const auto end = now + replies_turn;
  do {
    if (delivered_ == replies_.size()) {
      delivered_ = 0;
      inbox_.take(replies_);
    }
    if (replies_.empty()) break;
    reply& next = replies_[delivered_++];
    const std::uint32_t number = next.token.number;
    ORDEM_CHECK(number < pending_.size() && pending_[number].from != nullptr);
    const pending_request pending = std::exchange(pending_[number], {});
    free_numbers_.push_back(number);
    complete_message(next, pending.submitted_at, pending.measures_base, now);
    pending.from->on_answer(pending.line, std::move(next.answer));
    now = session::clock::now();
  } while (now < end);
  advance_admission(now);
  release_held();
  if (!replies_.empty()) boost::asio::post(io_context_, [this] { take_replies(); });
}

// --- admission ---

void io_thread::complete_message(const reply& what, session::clock::time_point submitted_at, bool measures_base,
                                 session::clock::time_point now) noexcept {
  const auto* refused = std::get_if<refusal>(&what.answer);
  const auto* unavailable = refused != nullptr ? std::get_if<unavailability>(refused) : nullptr;
  if (unavailable != nullptr && *unavailable == unavailability::overloaded) {
    counters_.refused_by_bound.fetch_add(1, std::memory_order_relaxed);
    admission_.on_bound(now);
    return;
  }
  const auto* decided = std::get_if<executed>(&what.answer);
  const bool is_executed = refused == nullptr && (decided == nullptr || !decided->replayed);
  admission_.on_completed(now, now - submitted_at, is_executed, measures_base);
}

void io_thread::advance_admission(session::clock::time_point now) noexcept {
  if (const auto late = probe_.late(now); late > admission_.loop_delay()) admission_.on_loop_delay(now, late);
  admission_.advance(now, counters_.connections.now() / settings_.io_threads, held_.size());
  if (counted_overloaded_ == admission_.overloaded()) return;
  counted_overloaded_ = admission_.overloaded();
  counters_.overloaded_threads.fetch_add(counted_overloaded_ ? 1 : -1, std::memory_order_relaxed);
}

admission io_thread::admit() noexcept {
  const auto now = session::clock::now();
  probe_.begin(now);
  advance_admission(now);
  return admission_.decide(now);
}

void io_thread::count_refusal(session::clock::time_point since) noexcept {
  const auto now = session::clock::now();
  admission_.on_refused(now, now - since);
  counters_.refusal_time.add(now - since);
  counters_.refused_by_delay.fetch_add(1, std::memory_order_relaxed);
}

void io_thread::hold_back(std::shared_ptr<session> from) {
  held_.push_back({std::move(from), session::clock::now()});
  counters_.held_back.fetch_add(1, std::memory_order_relaxed);
  schedule_release();
}

void io_thread::schedule_release() {
  if (std::exchange(release_is_due_, true)) return;
  release_timer_.expires_after(release_interval);
  release_timer_.async_wait([this](boost::system::error_code ec) {
    release_is_due_ = false;
    if (!ec) release_held();
  });
}

// Admits the newest, whose clients have waited least, and refuses the oldest.
void io_thread::release_held() {
  if (held_.empty()) return;
  const auto now = session::clock::now();
  probe_.begin(now);
  advance_admission(now);
  const bool holds = overloaded() && !draining();
  for (std::size_t room = holds ? std::min(admission_.room(now), released_at_once) : released_at_once;
       room > 0 && !held_.empty(); --room) {
    if (holds && !admission_.is_fresh(now - held_.back().since)) break;
    const auto newest = std::move(held_.back().from);
    held_.pop_back();
    counters_.held_back.fetch_sub(1, std::memory_order_relaxed);
    newest->resume(admission::admit);
  }
  for (std::size_t i = 0; holds && i < released_at_once && !held_.empty(); ++i) {
    if (!admission_.may_refuse(session::clock::now())) break;
    const auto oldest = std::move(held_.front().from);
    held_.pop_front();
    counters_.held_back.fetch_sub(1, std::memory_order_relaxed);
    oldest->resume(admission::refuse);
  }
  if (!held_.empty()) schedule_release();
}

// --- reads that wait for the gate ---

void io_thread::gate_inbox::push(std::uint64_t number, bool opened) {
  const std::lock_guard lock(mutex_);
  if (to_ == nullptr) return;
  opened_.emplace_back(number, opened);
  if (opened_.size() == 1) boost::asio::post(to_->io_context_, [to = to_] { to->take_opened_reads(); });
}

// REQUIRES: `into` is empty.
void io_thread::gate_inbox::take(std::deque<std::pair<std::uint64_t, bool>>& into) {
  const std::lock_guard lock(mutex_);
  opened_.swap(into);
}

void io_thread::gate_inbox::close() {
  const std::lock_guard lock(mutex_);
  to_ = nullptr;
}

std::optional<std::uint64_t> io_thread::wait_for_gate(std::shared_ptr<session> from) {
  if (waiting_reads_.size() >= settings_.waiting_reads_max / settings_.io_threads) return std::nullopt;
  const std::uint64_t number = ++last_read_;
  waiting_reads_.emplace(number, std::move(from));
  context_.gate->wait([inbox = gate_inbox_, number](bool opened) { inbox->push(number, opened); });
  return number;
}

std::shared_ptr<session> io_thread::forget_read(std::uint64_t number) {
  return std::move(waiting_reads_.extract(number).mapped());
}

// Reads are executed here. After reads_turn, other connections get their turn first.
void io_thread::take_opened_reads() {
  const auto end = session::clock::now() + reads_turn;
  do {
    if (opened_reads_.empty()) gate_inbox_->take(opened_reads_);
    if (opened_reads_.empty()) return;
    const auto [number, opened] = opened_reads_.front();
    opened_reads_.pop_front();
    // A read that is no longer waiting has been answered.
    if (auto found = waiting_reads_.extract(number)) found.mapped()->on_gate(opened);
  } while (session::clock::now() < end);
  if (!opened_reads_.empty()) boost::asio::post(io_context_, [this] { take_opened_reads(); });
}

void io_thread::delay(std::shared_ptr<session> from) {
  const std::chrono::milliseconds delay(std::uniform_int_distribution(delay_least_ms, delay_most_ms)(delay_jitter_));
  const auto added = delayed_.emplace(session::clock::now() + delay, std::move(from));
  if (added == delayed_.begin()) schedule_end_of_delay();
}

void io_thread::schedule_end_of_delay() {
  delay_timer_.expires_at(draining() ? session::clock::now() : delayed_.begin()->first);
  delay_timer_.async_wait([this](boost::system::error_code ec) {
    if (!ec) end_delays();
  });
}

void io_thread::end_delays() {
  const auto now = session::clock::now();
  for (std::size_t i = 0; i < released_at_once && !delayed_.empty(); ++i) {
    if (!draining() && now < delayed_.begin()->first) break;
    const auto next = std::move(delayed_.extract(delayed_.begin()).mapped());
    next->end_delay();
  }
  if (!delayed_.empty()) schedule_end_of_delay();
}

// --- the change feed ---

io_thread::feed_readers::iterator io_thread::add_feed_reader(std::shared_ptr<session> what) {
  return feed_readers_.insert(feed_readers_.end(), std::move(what));
}

void io_thread::remove_feed_reader(feed_readers::iterator which) {
  feed_readers_.erase(which);
}

// After feed_turn, other connections get their turn first.
void io_thread::serve_feed_readers() {
  feed_turn_is_due_ = false;
  unserved_readers_ = std::min(unserved_readers_, feed_readers_.size());
  const auto end = session::clock::now() + feed_turn;
  for (int served = 0; unserved_readers_ > 0 && !feed_readers_.empty(); --unserved_readers_) {
    if (++served % readers_per_clock == 0 && session::clock::now() >= end) {
      feed_turn_is_due_ = true;
      boost::asio::post(io_context_, [this] { serve_feed_readers(); });
      return;
    }
    feed_readers_.splice(feed_readers_.end(), feed_readers_, feed_readers_.begin());
    const auto next = feed_readers_.back();  // it may remove itself
    next->on_feed_blocks();
  }
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
  advance_admission(now);
}

}  // namespace ordem::http_edge
