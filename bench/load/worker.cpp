#include "bench/load/worker.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/lexical_cast.hpp>
#include <ctime>
#include <exception>
#include <utility>

#include "bench/load/order_answer.hpp"

namespace ordem::bench {
namespace {

namespace asio = boost::asio;

// There is one writer.
void increase(std::atomic<std::uint64_t>& count, std::uint64_t by = 1) {
  count.store(count.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
}

void rethrow(const std::exception_ptr& bug) {
  if (bug) std::rethrow_exception(bug);
}

}  // namespace

worker::worker(const load_plan& plan, unsigned index)
    : plan_(plan), index_(index), give_up_(context_), look_(context_) {
  // Growing would show up as a stall.
  constexpr std::size_t notes_a_second = 100'000;
  const auto run_s =
      static_cast<std::size_t>(std::chrono::ceil<std::chrono::seconds>(plan.warmup + plan.duration).count());
  const std::size_t notes_expected = std::max(std::size_t{1} << 20, notes_a_second * run_s / plan.threads);
  const auto what = plan.workloads.what;
  if (what == scenario::create || what == scenario::replay || sends_batches(what))
    result_.found.created.reserve(notes_expected);
  if (what == scenario::hot_order) result_.found.hot_versions.reserve(notes_expected);
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(plan.duration).count();
  result_.by_second.resize(static_cast<std::size_t>(std::max<std::int64_t>(seconds, 1)));
}

void worker::open(const asio::ip::tcp::endpoint& server, unsigned number, hot_order& hot,
                  const http_edge::tls_context* tls) {
  std::string fields = "Host: " + boost::lexical_cast<std::string>(server);  // with the brackets of IPv6
  if (!plan_.api_key.empty()) fields += "\r\nAuthorization: Bearer " + plan_.api_key;
  connections_.emplace_back(
      context_, server, tls,
      make_workload(plan_.workloads,
                    {.fields = fields, .number = number, .seed = plan_.seed, .hot = &hot, .noted = &result_.found}));
  result_.shares_machine = connections_.back().is_to_own_machine();
}

std::string worker::prepare(std::size_t connections_max) {
  std::string complaint;
  const std::size_t expected_count = std::min(connections_max, connections_.size());
  std::size_t prepared = 0;
  for (std::size_t i = 0; i < expected_count; ++i) {
    asio::co_spawn(context_, prepare_one(connections_[i], complaint), [&](const std::exception_ptr& bug) {
      rethrow(bug);
      if (++prepared == expected_count || !complaint.empty()) context_.stop();
    });
  }
  context_.run_for(plan_.patience);
  context_.restart();
  if (complaint.empty() && prepared < expected_count) complaint = "unanswered";
  if (!complaint.empty()) {
    // What is still under way refers to this function's variables.
    for (auto& each : connections_) each.close();
    context_.run();
    context_.restart();
  }
  return complaint;
}

io_task<void> worker::prepare_one(connection& with, std::string& complaint) {
  while (complaint.empty() && !with.workload().is_prepared()) {
    std::string failure = co_await with.exchange();
    if (failure.empty()) {
      const answer got = with.last_answer();
      if (with.workload().judge(got) != verdict::right) failure = describe("wrong answer", got);
    }
    if (complaint.empty()) complaint = std::move(failure);
  }
}

void worker::run(const measured_time& time) {
  time_ = time;
  conversing_ = connections_.size();
  if (plan_.open) {
    due_.emplace(arrival_schedule(*plan_.open, index_, plan_.threads, plan_.seed), since_start(time.begin),
                 since_start(time.end));
    if (plan_.open->surge) {
      result_.surge = surge_stats(*plan_.open->surge, since_start(time.begin), time.end - time.begin);
    }
  }
  for (auto& each : connections_) {
    asio::co_spawn(context_, due_ ? converse_open(each) : converse_closed(each), [this](const std::exception_ptr& bug) {
      rethrow(bug);
      if (--conversing_ > 0) return;
      give_up_.cancel();
      look_.cancel();
    });
  }
  give_up_.expires_at(time.give_up);
  give_up_.async_wait([this](const boost::system::error_code& cancelled) {
    if (cancelled) return;
    has_given_up_ = true;
    for (auto& each : connections_) each.close();
  });
  if (due_) look_at_queue();
  context_.run();
  if (due_) drop_what_is_unsent();
  timespec used{};
  if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used) == 0) {
    cpu_at_end_ = std::chrono::seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec);
  }
}

io_task<void> worker::converse_closed(connection& with) {
  for (auto sent_at = run_clock::now(); sent_at < time_.end; sent_at = run_clock::now()) {
    const std::string failure = co_await with.exchange();
    if (!failure.empty()) co_return lose(with, sent_at, failure);
    complete(with, sent_at, sent_at);
  }
}

// Takes the next request that is due, waits for its time if that has not come yet, and counts its latency from there,
// not from when it could be sent.
io_task<void> worker::converse_open(connection& with) {
  while (!has_given_up_) {
    const auto free_at = run_clock::now();
    drop_what_is_late(free_at);
    const auto due = due_->take(since_start(free_at));
    if (!due) co_return;
    const auto due_at = time_.start + *due;
    auto sent_at = free_at;
    if (due_at > free_at) {
      co_await with.wait_until(due_at);
      if (has_given_up_) co_return;
      sent_at = run_clock::now();
      if (due_at >= time_.begin) result_.timer_lag.record(sent_at - due_at);
    }
    const std::string failure = co_await with.exchange();
    if (!failure.empty()) co_return lose(with, due_at, failure);
    complete(with, due_at, sent_at);
  }
}

// Called at intervals: the queue matters most while the server stalls and takes no requests.
void worker::look_at_queue() {
  constexpr auto interval = std::chrono::milliseconds(100);
  live_.waiting.store(due_->waiting(since_start(run_clock::now())), std::memory_order_relaxed);
  look_.expires_after(interval);
  look_.async_wait([this](const boost::system::error_code& cancelled) {
    if (!cancelled && conversing_ > 0) look_at_queue();
  });
}

void worker::complete(connection& with, run_clock::time_point due_at, run_clock::time_point sent_at) {
  const auto answered_at = run_clock::now();
  const answer got = with.last_answer();
  if (plan_.takes_refusals && is_refusal(got)) return complete_refused(got, due_at, sent_at);
  if (!result_.surge.empty()) {
    result_.surge.add_accepted(since_begin(due_at), since_begin(sent_at), since_begin(answered_at));
  }
  const auto kind = static_cast<std::size_t>(with.workload().kind());
  const auto checked = with.workload().judge(got);
  if (due_at >= time_.begin) result_.latency_by_kind[kind].record(answered_at - due_at);
  if (answered_at >= time_.begin && answered_at < time_.end) {
    ++result_.answers;
    ++result_.answers_by_kind[kind];
    result_.orders += with.workload().orders();
    if (checked == verdict::stale) ++result_.stale;
    result_.request_bytes += with.request_bytes();
    result_.request_body_bytes += with.request_body_bytes();
    result_.answer_body_bytes += got.body.size();
    auto& second = result_.by_second[static_cast<std::size_t>((answered_at - time_.begin) / std::chrono::seconds(1))];
    ++second.answers;
    second.latency_max = std::max<std::chrono::nanoseconds>(second.latency_max, answered_at - due_at);
  }
  increase(live_.answers, with.workload().orders());
  count(checked, got);
}

// It took part in the load and its latency counts, but apart: it is quick, and no work was done.
void worker::complete_refused(const answer& got, run_clock::time_point due_at, run_clock::time_point sent_at) {
  const auto answered_at = run_clock::now();
  if (!result_.surge.empty()) {
    result_.surge.add_refused(since_begin(due_at), since_begin(sent_at), since_begin(answered_at));
  }
  if (due_at >= time_.begin) result_.refusal_time.record(answered_at - sent_at);
  if (answered_at >= time_.begin && answered_at < time_.end) ++result_.refused;
  count(judge_refusal(got), got);
}

void worker::drop_what_is_late(run_clock::time_point now) {
  if (!plan_.late_max) return;
  while (const auto due = due_->drop_late(since_start(now), *plan_.late_max)) add_not_sent(*due);
}

void worker::add_not_sent(std::chrono::nanoseconds due) {
  if (!result_.surge.empty()) result_.surge.add_not_sent(due - since_start(time_.begin));
}

void worker::count(verdict checked, const answer& got) {
  switch (checked) {
    case verdict::right:
    case verdict::stale: return;
    case verdict::wrong_status: ++result_.errors.wrong_status; return complain(describe("wrong status", got));
    case verdict::wrong_header:
      ++result_.errors.wrong_header;
      return complain(describe("wrong header", got) + " " + std::string(got.headers));
    case verdict::wrong_body: ++result_.errors.wrong_body; return complain(describe("wrong body", got));
  }
}

// The request will have no answer; it counts with the time waited so far, which is less than the truth.
void worker::lose(connection& with, run_clock::time_point sent_at, std::string_view why) {
  if (sent_at >= time_.begin) {
    result_.latency_by_kind[static_cast<std::size_t>(with.workload().kind())].record(run_clock::now() - sent_at);
  }
  if (has_given_up_) {
    ++result_.errors.unanswered;
    return complain("unanswered at the end");
  }
  ++(with.was_connected() ? result_.errors.broken : result_.errors.unconnected);
  complain("connection lost: " + std::string(why));
}

// What was due and never sent, because the server was too slow or the connections are gone, counts likewise.
void worker::drop_what_is_unsent() {
  const auto now = since_start(run_clock::now());
  while (const auto due = due_->drop()) {
    if (*due >= since_start(time_.begin)) result_.unsent_latency.record(now - *due);
    add_not_sent(*due);
  }
  result_.late = due_->late();
}

void worker::complain(std::string complaint) {
  increase(live_.errors);
  if (result_.first_complaint.empty()) result_.first_complaint = std::move(complaint);
}

}  // namespace ordem::bench
