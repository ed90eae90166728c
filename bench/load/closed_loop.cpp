#include "bench/load/closed_loop.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <deque>
#include <exception>
#include <iterator>
#include <optional>
#include <random>
#include <stdexcept>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "bench/load/response_reader.hpp"

namespace ordem::bench {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using clock = std::chrono::steady_clock;

// Naming the executor spares the type-erased one.
using executor = asio::io_context::executor_type;
using tcp_socket = asio::basic_stream_socket<tcp, executor>;
using timer = asio::basic_waitable_timer<clock, asio::wait_traits<clock>, executor>;
constexpr asio::as_tuple_t<asio::use_awaitable_t<executor>> with_error;

struct measured_time {
  clock::time_point begin;
  clock::time_point end;
  clock::time_point give_up;
};

struct connection {
  connection(asio::io_context& context, conversation its_talk)
      : socket(context), pace(context), talk(std::move(its_talk)) {}

  tcp_socket socket;
  timer pace;  // until the next request is due
  conversation talk;
  response_reader reader;
};

std::chrono::nanoseconds cpu_used() {
  rusage usage{};
  if (getrusage(RUSAGE_SELF, &usage) != 0) throw std::runtime_error("getrusage failed");
  const auto nanoseconds = [](const timeval& time) {
    return std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
  };
  return nanoseconds(usage.ru_utime) + nanoseconds(usage.ru_stime);
}

std::string describe(std::string_view what, const answer& got) {
  constexpr std::size_t shown_bytes_max = 600;
  return std::string(what) + ": " + std::to_string(got.status) + " " + std::string(got.body.substr(0, shown_bytes_max));
}

// One thread's share of the connections, and what it saw. open() is called by the main thread before run() takes the
// worker to its own; the results are read after that thread was joined.
class worker {
 public:
  worker(const load_plan& plan, unsigned index) : plan_(plan), give_up_(context_) {
    std::seed_seq seed{static_cast<std::uint32_t>(plan.seed), static_cast<std::uint32_t>(plan.seed >> 32), index};
    random_.seed(seed);
    constexpr std::size_t order_ids_expected = std::size_t{1} << 20;  // growing would show up as a stall
    if (plan.what == scenario::create) order_ids_.reserve(order_ids_expected);
    if (plan.rate_max > 0) {
      interval_ =
          std::chrono::duration_cast<clock::duration>(std::chrono::duration<double>(plan.connections / plan.rate_max));
    }
  }

  /// Connects, and creates the order to read where the scenario is to read one. Blocks; throws on failure.
  void open(const tcp::endpoint& server, unsigned number);

  /// Has every connection send and receive until the measured time is over and the last answer is in.
  void run(const measured_time& time);

  void add_to(load_result& sum, std::vector<uuid>& order_ids) const;

 private:
  asio::awaitable<void, executor> converse(connection& with);
  clock::time_point first_turn_of(const connection& with);
  asio::awaitable<void, executor> wait_for_turn(connection& with, clock::time_point turn);
  /// Sends the next request and reads until its answer is whole. Returns what went wrong; empty if nothing did.
  asio::awaitable<std::string, executor> exchange(connection& with);
  void create_order_of(connection& with);
  void settle(connection& with, clock::time_point sent_at);
  void lose(clock::time_point sent_at, std::string_view why);
  void complain(std::string complaint);
  uuid next_guid() { return {.high = random_(), .low = random_()}; }

  const load_plan& plan_;
  clock::duration interval_{};  // between two requests of one connection
  measured_time time_;
  asio::io_context context_{1};
  timer give_up_;
  std::deque<connection> connections_;
  std::size_t conversing_ = 0;
  bool has_given_up_ = false;
  std::mt19937_64 random_;
  load_result result_;
  std::vector<uuid> order_ids_;
};

void worker::open(const tcp::endpoint& server, unsigned number) {
  const std::string host = plan_.host + ":" + std::to_string(plan_.port);
  auto& opened = connections_.emplace_back(
      context_, plan_.what == scenario::bare ? conversation::about_a_constant(host, number, plan_.body_items)
                                             : conversation::about_new_orders(host, number, plan_.body_items));
  boost::system::error_code refused;
  opened.socket.connect(server, refused);
  if (refused) throw std::runtime_error("cannot connect to " + host + ": " + refused.message());
  opened.socket.set_option(tcp::no_delay(true));
  if (plan_.what == scenario::get) {
    create_order_of(opened);
    opened.talk = conversation::about_order(host, opened.talk);
  }
  result_.request_bytes = opened.talk.request_bytes();
  result_.request_body_bytes = opened.talk.body_bytes();
}

void worker::create_order_of(connection& with) {
  std::optional<std::string> failure;
  asio::co_spawn(context_, exchange(with), [&failure](const std::exception_ptr& bug, std::string how_it_failed) {
    if (bug) std::rethrow_exception(bug);
    failure = std::move(how_it_failed);
  });
  context_.run_for(plan_.patience);
  context_.restart();
  if (!failure) throw std::runtime_error("cannot create an order to read: unanswered");
  if (!failure->empty()) throw std::runtime_error("cannot create an order to read: " + *failure);
  const answer got = with.reader.whole();
  if (with.talk.judge(got) != verdict::right) throw std::runtime_error(describe("cannot create an order to read", got));
}

void worker::run(const measured_time& time) {
  time_ = time;
  conversing_ = connections_.size();
  for (auto& each : connections_) {
    asio::co_spawn(context_, converse(each), [this](const std::exception_ptr& bug) {
      if (bug) std::rethrow_exception(bug);
      if (--conversing_ == 0) give_up_.cancel();
    });
  }
  give_up_.expires_at(time.give_up);
  give_up_.async_wait([this](const boost::system::error_code& cancelled) {
    if (cancelled) return;
    has_given_up_ = true;
    for (auto& each : connections_) {
      each.socket.close();
      each.pace.cancel();
    }
  });
  context_.run();
}

asio::awaitable<void, executor> worker::converse(connection& with) {
  co_await wait_for_turn(with, first_turn_of(with));
  for (auto sent_at = clock::now(); sent_at < time_.end; sent_at = clock::now()) {
    const std::string failure = co_await exchange(with);
    if (!failure.empty()) co_return lose(sent_at, failure);
    settle(with, sent_at);
    co_await wait_for_turn(with, sent_at + interval_);
  }
}

// The first requests are spread over one interval.
clock::time_point worker::first_turn_of(const connection& with) {
  const auto number =
      std::ranges::find(connections_, &with, [](const auto& each) { return &each; }) - connections_.begin();
  return clock::now() + interval_ * number / static_cast<std::ptrdiff_t>(connections_.size());
}

asio::awaitable<void, executor> worker::wait_for_turn(connection& with, clock::time_point turn) {
  if (interval_ == clock::duration::zero()) co_return;
  with.pace.expires_at(turn);
  co_await with.pace.async_wait(with_error);
}

asio::awaitable<std::string, executor> worker::exchange(connection& with) {
  const auto request = with.talk.next_request(next_guid());
  const auto [write_error, written] = co_await asio::async_write(with.socket, asio::buffer(request), with_error);
  if (write_error) co_return write_error.message();

  with.reader.reset();
  while (with.reader.state() == read_state::incomplete) {
    const auto space = with.reader.space();
    const auto [read_error, bytes] =
        co_await with.socket.async_read_some(asio::buffer(space.data(), space.size()), with_error);
    if (read_error) co_return read_error.message();
    with.reader.received(bytes);
  }
  co_return std::string(with.reader.complaint());
}

void worker::settle(connection& with, clock::time_point sent_at) {
  const auto answered_at = clock::now();
  const answer got = with.reader.whole();
  if (sent_at >= time_.begin) result_.latency.record(answered_at - sent_at);
  if (answered_at >= time_.begin && answered_at < time_.end) {
    ++result_.answers;
    result_.answer_body_bytes += got.body.size();
  }
  switch (with.talk.judge(got)) {
    case verdict::right:
      if (plan_.what == scenario::create) order_ids_.push_back(*with.talk.order_id());
      return;
    case verdict::wrong_status: ++result_.errors.wrong_status; return complain(describe("wrong status", got));
    case verdict::wrong_body: ++result_.errors.wrong_body; return complain(describe("wrong body", got));
  }
}

// The request will have no answer; it counts with the time waited so far, which is less than the truth.
void worker::lose(clock::time_point sent_at, std::string_view why) {
  if (sent_at >= time_.begin) result_.latency.record(clock::now() - sent_at);
  ++(has_given_up_ ? result_.errors.unanswered : result_.errors.broken);
  complain(has_given_up_ ? "unanswered at the end" : "connection lost: " + std::string(why));
}

void worker::complain(std::string complaint) {
  if (result_.first_complaint.empty()) result_.first_complaint = std::move(complaint);
}

void worker::add_to(load_result& sum, std::vector<uuid>& order_ids) const {
  sum.answers += result_.answers;
  sum.answer_body_bytes += result_.answer_body_bytes;
  sum.latency.merge(result_.latency);
  sum.errors.add(result_.errors);
  if (sum.first_complaint.empty()) sum.first_complaint = result_.first_complaint;
  sum.request_bytes = result_.request_bytes;
  sum.request_body_bytes = result_.request_body_bytes;
  order_ids.insert(order_ids.end(), order_ids_.begin(), order_ids_.end());
}

// How many ids came again after their first time.
std::uint64_t count_repeated(std::vector<uuid> order_ids) {
  std::ranges::sort(order_ids);
  const auto repeated = std::ranges::unique(order_ids);
  return repeated.size();
}

}  // namespace

void error_counts::add(const error_counts& other) noexcept {
  wrong_status += other.wrong_status;
  wrong_body += other.wrong_body;
  repeated_order += other.repeated_order;
  broken += other.broken;
  unanswered += other.unanswered;
}

load_result run_closed_loop(const load_plan& plan) {
  if (plan.threads == 0 || plan.threads > plan.connections) {
    throw std::invalid_argument("needs at least one thread, and a connection for each thread");
  }
  std::deque<worker> workers;
  for (unsigned i = 0; i < plan.threads; ++i) workers.emplace_back(plan, i);

  const tcp::endpoint server(asio::ip::make_address(plan.host), plan.port);
  for (unsigned number = 0; number < plan.connections; ++number) workers[number % plan.threads].open(server, number);

  measured_time time;
  time.begin = clock::now() + std::chrono::duration_cast<clock::duration>(plan.warmup);
  time.end = time.begin + std::chrono::duration_cast<clock::duration>(plan.duration);
  time.give_up = time.end + std::chrono::duration_cast<clock::duration>(plan.patience);

  load_result sum;
  {
    std::vector<std::jthread> threads;
    for (auto& each : workers) threads.emplace_back([&each, &time] { each.run(time); });
    std::this_thread::sleep_until(time.begin);
    const auto cpu_before = cpu_used();
    std::this_thread::sleep_until(time.end);
    sum.cpu = cpu_used() - cpu_before;
  }

  std::vector<uuid> order_ids;
  for (const auto& each : workers) each.add_to(sum, order_ids);
  sum.errors.repeated_order = count_repeated(std::move(order_ids));
  if (sum.errors.repeated_order > 0 && sum.first_complaint.empty()) {
    sum.first_complaint = "an order id came with more than one create";
  }
  return sum;
}

}  // namespace ordem::bench
