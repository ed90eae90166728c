#include "bench/load/report.hpp"

#include <ostream>

#include "bench/load/fsync_probe.hpp"
#include "bench/load/stats.hpp"

namespace ordem::bench {
namespace {

std::string milliseconds(std::chrono::nanoseconds time) {
  return fixed(std::chrono::duration<double, std::milli>(time).count(), 3) + " ms";
}

void write_latency(std::ostream& out, const latency_histogram& latency) {
  for (const auto& [percent, name] : reported_percentiles) {
    std::string label(name);
    std::ranges::replace(label, '_', '.');
    out << label << ' ' << milliseconds(latency.percentile(percent)) << ", ";
  }
  out << "max " << milliseconds(latency.max()) << '\n';
}

void write_loop(std::ostream& out, const load_plan& plan) {
  if (plan.open) {
    out << "open loop, " << name_of(plan.open->pattern) << " arrivals, " << fixed(plan.open->rate_per_s, 1)
        << "/s; latency from the time that a request was due";
  } else {
    out << "closed loop";
  }
}

void write_kinds(std::ostream& out, const load_result& result) {
  for (std::size_t kind = 0; kind < request_kinds; ++kind) {
    if (result.latency_by_kind[kind].count() == 0) continue;
    out << "  " << std::left << std::setw(13) << request_kind_names[kind] << std::right
        << fixed(100 * mean(result.answers_by_kind[kind], result.answers), 1) << " %, ";
    write_latency(out, result.latency_by_kind[kind]);
  }
}

void write_lateness(std::ostream& out, const load_result& result) {
  const auto& late = result.late;
  out << "sent late      " << late.requests << " (" << fixed(100 * mean(late.requests, result.latency().count()), 2)
      << " %), by " << milliseconds(late.longest) << " at most, because all connections were busy; longest queue "
      << late.queue_max << "; never sent " << late.never_sent << '\n';
  if (late.never_sent > 0) out << "               the server was too slow for this rate: latencies are lower bounds\n";
  out << "timer lag      p50 " << milliseconds(result.timer_lag.percentile(50)) << ", p99 "
      << milliseconds(result.timer_lag.percentile(99)) << ": the generator's own lateness, part of the latency\n";
}

void write_generator(std::ostream& out, const load_plan& plan, const load_result& result) {
  const double cpu = in_seconds(result.cpu) / in_seconds(plan.duration);
  const double busiest = in_seconds(result.busiest_thread_cpu) / in_seconds(plan.duration);
  out << "generator CPU  " << fixed(in_seconds(result.cpu), 3) << " s: " << fixed(cpu, 2) << " of " << cores()
      << " cores (" << fixed(100 * cpu / cores(), 1) << " %), "
      << (result.shares_machine ? "shared with the server" : "on another machine than the server")
      << "; its busiest thread " << fixed(100 * busiest, 1) << " %\n";
  constexpr double busy = 0.9;
  if (busiest > busy)
    out << "               the generator may be the bottleneck: give it more threads, or more cores\n";
  if (plan.server_pid != 0) {
    out << "server CPU     " << fixed(in_seconds(result.server_cpu), 3)
        << " s: " << fixed(in_seconds(result.server_cpu) / in_seconds(plan.duration), 2) << " of " << cores()
        << " cores\n";
  }
}

}  // namespace

void write_text(std::ostream& out, const load_plan& plan, const load_result& result, const run_notes& notes) {
  const auto& errors = result.errors;
  out << "scenario       " << name_of(plan.workloads.what) << ", ";
  write_loop(out, plan);
  out << ", seed " << plan.seed << '\n';
  for (const auto& [name, value] : notes) out << "note           " << name << ": " << value << '\n';
  out << "connections    " << plan.connections << " on " << plan.threads
      << (plan.threads == 1 ? " thread" : " threads");
  if (uses_own_orders(plan.workloads.what)) out << ", " << plan.workloads.orders_each << " orders each";
  out << "\nduration       " << fixed(in_seconds(plan.duration), 3) << " s after " << fixed(in_seconds(plan.warmup), 3)
      << " s of warm-up\n"
      << "bytes          request " << fixed(mean(result.request_bytes, result.answers), 1) << ", its body "
      << fixed(mean(result.request_body_bytes, result.answers), 1) << ", answer's body "
      << fixed(mean(result.answer_body_bytes, result.answers), 1) << " on average\n"
      << "requests       " << result.answers << ", of which " << result.stale
      << " were refused as out of date, rightly; key-hit share " << fixed(key_hit_share(result), 3) << '\n'
      << "errors         " << errors.total() << " (wrong status " << errors.wrong_status << ", wrong header "
      << errors.wrong_header << ", wrong body " << errors.wrong_body << ", repeated order " << errors.repeated_order
      << ", version fault " << errors.version_fault << ", broken " << errors.broken << ", unanswered "
      << errors.unanswered << ", unconnected " << errors.unconnected << ")\n"
      << "requests/s     " << fixed(rate_per_s(plan, result), 0) << '\n';
  if (sends_batches(plan.workloads.what)) {
    out << "orders/s       " << fixed(orders_per_s(plan, result), 0) << ", in batches of " << plan.workloads.batch_lines
        << "; latencies are those of whole batches\n";
  }
  out << "latency        ";
  write_latency(out, result.latency());
  write_kinds(out, result);
  if (plan.open) write_lateness(out, result);
  write_generator(out, plan, result);
}

void write_fsync_text(std::ostream& out, const latency_histogram& latency) {
  out << "append and fdatasync of " << fsync_probe_append_bytes << " bytes, " << latency.count() << " times: ";
  write_latency(out, latency);
}

std::string progress_line(const load_plan& plan, const progress& before, const progress& now) {
  const double seconds = in_seconds(now.since_begin - before.since_begin);
  const double rate = seconds > 0 ? static_cast<double>(now.answers - before.answers) / seconds : 0;
  std::string line = now.since_begin < std::chrono::nanoseconds(0)
                         ? "warming up, " + fixed(-in_seconds(now.since_begin), 1) + " s to go"
                         : fixed(in_seconds(now.since_begin), 1) + " of " + fixed(in_seconds(plan.duration), 1) + " s";
  line += ": " + fixed(rate, 0) + "/s, errors " + std::to_string(now.errors);
  if (plan.open) line += ", waiting " + std::to_string(now.waiting);
  return line;
}

}  // namespace ordem::bench
