#include "bench/load/load_run.hpp"

#include <pthread.h>

#include <algorithm>
#include <boost/asio/ip/tcp.hpp>
#include <ctime>
#include <deque>
#include <stdexcept>
#include <thread>
#include <vector>

#include "bench/load/process_cpu.hpp"
#include "bench/load/worker.hpp"
#include "http-edge/server/tls_context.hpp"

namespace ordem::bench {
namespace {

using std::chrono::nanoseconds;

constexpr auto progress_interval = std::chrono::milliseconds(250);

nanoseconds server_cpu(const load_plan& plan) {
  return plan.server_pid == 0 ? nanoseconds(0) : cpu_of(plan.server_pid);
}

// 0 if the thread has ended.
nanoseconds thread_cpu(std::jthread& thread) {
  clockid_t its_clock{};
  timespec time{};
  if (pthread_getcpuclockid(thread.native_handle(), &its_clock) != 0 || clock_gettime(its_clock, &time) != 0) return {};
  return std::chrono::seconds(time.tv_sec) + nanoseconds(time.tv_nsec);
}

// Throws if one of them fails.
void prepare(std::deque<worker>& workers) {
  std::vector<std::string> complaints(workers.size());
  complaints.front() = workers.front().prepare(1);  // the first connection may make what all share
  if (complaints.front().empty()) {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < workers.size(); ++i) {
      threads.emplace_back([&complaint = complaints[i], &each = workers[i]] { complaint = each.prepare(); });
    }
  }
  for (const auto& complaint : complaints) {
    if (!complaint.empty()) throw std::runtime_error("cannot prepare the load: " + complaint);
  }
}

measured_time times_of(const load_plan& plan) {
  measured_time time;
  time.start = run_clock::now();
  time.begin = time.start + std::chrono::duration_cast<run_clock::duration>(plan.warmup);
  time.end = time.begin + std::chrono::duration_cast<run_clock::duration>(plan.duration);
  time.give_up = time.end + std::chrono::duration_cast<run_clock::duration>(plan.patience);
  return time;
}

void tell(const progress_listener& listener, const std::deque<worker>& workers, nanoseconds since_begin) {
  progress now{.since_begin = since_begin};
  for (const auto& each : workers) {
    now.answers += each.live().answers.load(std::memory_order_relaxed);
    now.errors += each.live().errors.load(std::memory_order_relaxed);
    now.waiting += each.live().waiting.load(std::memory_order_relaxed);
  }
  listener(now);
}

void sleep_until(run_clock::time_point time, const progress_listener& listener, const std::deque<worker>& workers,
                 run_clock::time_point begin) {
  if (listener) {
    for (auto next = run_clock::now(); next < time; next += progress_interval) {
      std::this_thread::sleep_until(next);
      tell(listener, workers, run_clock::now() - begin);
    }
  }
  std::this_thread::sleep_until(time);
}

}  // namespace

load_result run_load(const load_plan& plan, const progress_listener& listener) {
  if (plan.threads == 0 || plan.threads > plan.connections) {
    throw std::invalid_argument("needs at least one thread, and a connection for each thread");
  }
  http_edge::shared_tls_context tls;
  if (!plan.tls_ca.empty()) {
    auto made = http_edge::tls_context::for_client(plan.tls_ca);
    if (!made) throw std::runtime_error(made.error());
    tls = std::move(*made);
  }
  hot_order hot;
  std::deque<worker> workers;
  for (unsigned i = 0; i < plan.threads; ++i) workers.emplace_back(plan, i);

  const boost::asio::ip::tcp::endpoint server(boost::asio::ip::make_address(plan.host), plan.port);
  for (unsigned number = 0; number < plan.connections; ++number) {
    workers[number % plan.threads].open(server, number, hot, tls.get());
  }
  prepare(workers);

  load_result sum;
  const auto time = times_of(plan);
  std::vector<nanoseconds> threads_before;
  std::vector<nanoseconds> threads_after;
  {
    std::vector<std::jthread> threads;
    for (auto& each : workers) threads.emplace_back([&each, &time] { each.run(time); });
    sleep_until(time.begin, listener, workers, time.begin);
    const auto cpu_before = own_cpu();
    const auto server_cpu_before = server_cpu(plan);
    for (auto& each : threads) threads_before.push_back(thread_cpu(each));
    sleep_until(time.end, listener, workers, time.begin);
    sum.cpu = own_cpu() - cpu_before;
    sum.server_cpu = server_cpu(plan) - server_cpu_before;
    for (auto& each : threads) threads_after.push_back(thread_cpu(each));
  }
  for (std::size_t i = 0; i < workers.size(); ++i) {
    // In an open loop a thread that has nothing more to send ends a moment before the time does.
    const auto after = threads_after[i] > nanoseconds(0) ? threads_after[i] : workers[i].cpu_at_end();
    sum.busiest_thread_cpu = std::max(sum.busiest_thread_cpu, after - threads_before[i]);
  }

  for (const auto& each : workers) sum.merge(each.result());
  sum.shares_machine = workers.front().result().shares_machine;
  check_findings(sum);
  return sum;
}

}  // namespace ordem::bench
