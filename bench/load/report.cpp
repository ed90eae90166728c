#include "bench/load/report.hpp"

#include <algorithm>
#include <iomanip>
#include <ostream>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>

#include "bench/load/fsync_probe.hpp"

namespace ordem::bench {
namespace {

double in_seconds(std::chrono::nanoseconds time) {
  return std::chrono::duration<double>(time).count();
}

std::string fixed(double number, int decimals) {
  std::ostringstream text;
  text << std::fixed << std::setprecision(decimals) << number;
  return text.str();
}

std::string microseconds(std::chrono::nanoseconds time) {
  return fixed(std::chrono::duration<double, std::micro>(time).count(), 1);
}

std::string milliseconds(std::chrono::nanoseconds time) {
  return fixed(std::chrono::duration<double, std::milli>(time).count(), 3) + " ms";
}

std::string_view name_of(scenario what) {
  switch (what) {
    case scenario::create: return "create";
    case scenario::get: return "get";
    case scenario::bare: return "bare";
  }
  return "";
}

unsigned cores() {
  return std::max(1U, std::thread::hardware_concurrency());
}

double mean_body_bytes(const load_result& result) {
  if (result.answers == 0) return 0;
  return static_cast<double>(result.answer_body_bytes) / static_cast<double>(result.answers);
}

double rate_per_s(const load_plan& plan, const load_result& result) {
  return static_cast<double>(result.answers) / in_seconds(plan.duration);
}

double cpu_cores(const load_plan& plan, const load_result& result) {
  return in_seconds(result.cpu) / in_seconds(plan.duration);
}

void write_latency_text(std::ostream& out, const latency_histogram& latency) {
  out << "p50 " << milliseconds(latency.percentile(50)) << ", p90 " << milliseconds(latency.percentile(90)) << ", p99 "
      << milliseconds(latency.percentile(99)) << ", p99.9 " << milliseconds(latency.percentile(99.9)) << ", max "
      << milliseconds(latency.max());
}

void write_latency_json(std::ostream& out, const latency_histogram& latency) {
  out << R"({"samples":)" << latency.count() << R"(,"p50":)" << microseconds(latency.percentile(50)) << R"(,"p90":)"
      << microseconds(latency.percentile(90)) << R"(,"p99":)" << microseconds(latency.percentile(99)) << R"(,"p99_9":)"
      << microseconds(latency.percentile(99.9)) << R"(,"max":)" << microseconds(latency.max()) << '}';
}

}  // namespace

void write_text(std::ostream& out, const load_plan& plan, const load_result& result) {
  const double cpu = cpu_cores(plan, result);
  const auto& errors = result.errors;
  out << "scenario       " << name_of(plan.what) << ", closed loop, seed " << plan.seed << '\n'
      << "connections    " << plan.connections << " on " << plan.threads << (plan.threads == 1 ? " thread" : " threads")
      << '\n'
      << "duration       " << fixed(in_seconds(plan.duration), 3) << " s after " << fixed(in_seconds(plan.warmup), 3)
      << " s of warm-up\n"
      << "bytes          request " << result.request_bytes << ", its body " << result.request_body_bytes
      << ", answer's body " << fixed(mean_body_bytes(result), 1) << " on average\n"
      << "requests       " << result.answers << '\n'
      << "errors         " << errors.total() << " (wrong status " << errors.wrong_status << ", wrong body "
      << errors.wrong_body << ", repeated order " << errors.repeated_order << ", broken " << errors.broken
      << ", unanswered " << errors.unanswered << ")\n"
      << "requests/s     " << fixed(rate_per_s(plan, result), 0) << '\n'
      << "latency        ";
  write_latency_text(out, result.latency);
  out << '\n'
      << "generator CPU  " << fixed(in_seconds(result.cpu), 3) << " s: " << fixed(cpu, 2) << " of " << cores()
      << " cores (" << fixed(100 * cpu / cores(), 1) << " %)\n";
}

void write_json(std::ostream& out, const load_plan& plan, const load_result& result) {
  const auto& errors = result.errors;
  out << R"({"scenario":")" << name_of(plan.what) << R"(","connections":)" << plan.connections << R"(,"threads":)"
      << plan.threads << R"(,"duration_s":)" << fixed(in_seconds(plan.duration), 3) << R"(,"warmup_s":)"
      << fixed(in_seconds(plan.warmup), 3) << R"(,"seed":)" << plan.seed << R"(,"request_bytes":)"
      << result.request_bytes << R"(,"body_bytes":)" << result.request_body_bytes << R"(,"answer_body_bytes_mean":)"
      << fixed(mean_body_bytes(result), 1) << R"(,"requests":)" << result.answers << R"(,"requests_per_s":)"
      << fixed(rate_per_s(plan, result), 1) << R"(,"errors":{"total":)" << errors.total() << R"(,"wrong_status":)"
      << errors.wrong_status << R"(,"wrong_body":)" << errors.wrong_body << R"(,"repeated_order":)"
      << errors.repeated_order << R"(,"broken":)" << errors.broken << R"(,"unanswered":)" << errors.unanswered
      << R"(},"latency_us":)";
  write_latency_json(out, result.latency);
  out << R"(,"generator_cpu_s":)" << fixed(in_seconds(result.cpu), 3) << R"(,"cores":)" << cores() << "}\n";
}

void write_fsync_text(std::ostream& out, const latency_histogram& latency) {
  out << "append and fdatasync of " << fsync_probe_append_bytes << " bytes, " << latency.count() << " times: ";
  write_latency_text(out, latency);
  out << '\n';
}

void write_fsync_json(std::ostream& out, const latency_histogram& latency) {
  out << R"({"scenario":"fsync","append_bytes":)" << fsync_probe_append_bytes << R"(,"latency_us":)";
  write_latency_json(out, latency);
  out << "}\n";
}

}  // namespace ordem::bench
