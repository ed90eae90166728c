#include <ostream>

#include "bench/load/fsync_probe.hpp"
#include "bench/load/report.hpp"
#include "bench/load/stats.hpp"

namespace ordem::bench {
namespace {

std::string microseconds(std::chrono::nanoseconds time) {
  return fixed(std::chrono::duration<double, std::micro>(time).count(), 1);
}

std::string json_text(std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string all = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      all.append(1, '\\').append(1, c);
    } else if (byte < 0x20) {
      all.append("\\u00").append(1, digits[byte >> 4]).append(1, digits[byte & 0xf]);
    } else {
      all += c;
    }
  }
  return all += '"';
}

void write_latency(std::ostream& out, const latency_histogram& latency) {
  out << R"({"samples":)" << latency.count();
  for (const auto& [percent, name] : reported_percentiles) {
    out << ",\"" << name << "\":" << microseconds(latency.percentile(percent));
  }
  out << R"(,"max":)" << microseconds(latency.max()) << '}';
}

std::uint64_t accepted_max_us(const surge_stats::slot& each, double percent) {
  return static_cast<std::uint64_t>(each.accepted_since_due.percentile(percent).count() / 1000);
}

// Calls write(element) for each, with commas between.
template <class Elements, class Write>
void write_list(std::ostream& out, char open, const Elements& elements, Write write, char close) {
  out << open;
  bool is_first = true;
  for (const auto& each : elements) {
    if (!is_first) out << ',';
    is_first = false;
    write(each);
  }
  out << close;
}

void write_errors(std::ostream& out, const error_counts& errors) {
  out << R"({"total":)" << errors.total() << R"(,"wrong_status":)" << errors.wrong_status << R"(,"wrong_header":)"
      << errors.wrong_header << R"(,"wrong_body":)" << errors.wrong_body << R"(,"repeated_order":)"
      << errors.repeated_order << R"(,"version_fault":)" << errors.version_fault << R"(,"broken":)" << errors.broken
      << R"(,"unanswered":)" << errors.unanswered << R"(,"unconnected":)" << errors.unconnected << '}';
}

void write_kinds(std::ostream& out, const load_result& result) {
  std::vector<std::size_t> kinds;
  for (std::size_t kind = 0; kind < request_kinds; ++kind) {
    if (result.latency_by_kind[kind].count() > 0) kinds.push_back(kind);
  }
  const auto write = [&](std::size_t kind) {
    out << json_text(request_kind_names[kind]) << R"(:{"requests":)" << result.answers_by_kind[kind]
        << R"(,"latency_us":)";
    write_latency(out, result.latency_by_kind[kind]);
    out << '}';
  };
  write_list(out, '{', kinds, write, '}');
}

void write_loop(std::ostream& out, const load_plan& plan, const load_result& result) {
  if (!plan.open) {
    out << R"("loop":"closed")";
    return;
  }
  const auto& late = result.late;
  out << R"("loop":"open","arrivals":{"pattern":)" << json_text(name_of(plan.open->pattern)) << R"(,"rate_per_s":)"
      << fixed(plan.open->rate_per_s, 3) << R"(},"late":{"requests":)" << late.requests << R"(,"longest_us":)"
      << microseconds(late.longest) << R"(,"queue_max":)" << late.queue_max << R"(,"never_sent":)" << late.never_sent
      << R"(,"given_up":)" << late.given_up << R"(},"timer_lag_us":)";
  write_latency(out, result.timer_lag);
}

void write_series(std::ostream& out, const load_result& result) {
  out << R"("by_second":{"requests":)";
  write_list(out, '[', result.by_second, [&out](const second_stats& each) { out << each.answers; }, ']');
  out << R"(,"latency_max_us":)";
  write_list(
      out, '[', result.by_second, [&out](const second_stats& each) { out << microseconds(each.latency_max); }, ']');
  out << R"(},"histogram_ns":)";
  write_list(
      out, '[', result.latency().filled(),
      [&out](const latency_histogram::bucket& each) { out << '[' << each.ns_max << ',' << each.count << ']'; }, ']');
}

void write_surge_phase(std::ostream& out, const surge_stats& surge, surge_phase which) {
  const auto& phase = surge.of(which);
  out << R"({"length_s":)" << fixed(in_seconds(surge.length_of(which)), 3) << R"(,"due":)" << phase.due
      << R"(,"not_sent":)" << phase.not_sent << R"(,"accepted":)" << phase.accepted << R"(,"refused":)" << phase.refused
      << R"(,"answered":)" << phase.answered << R"(,"accepted_since_due_us":)";
  write_latency(out, phase.accepted_since_due);
  out << R"(,"accepted_since_sent_us":)";
  write_latency(out, phase.accepted_since_sent);
  out << R"(,"refused_since_sent_us":)";
  write_latency(out, phase.refused_since_sent);
  out << '}';
}

void write_surge(std::ostream& out, const load_plan& plan, const surge_stats& surge) {
  out << R"(,"surge":{"rate_per_s":)" << fixed(plan.open->surge->rate_per_s, 3) << R"(,"phases":{)";
  for (std::size_t i = 0; i < surge_phase_names.size(); ++i) {
    out << (i == 0 ? "" : ",") << json_text(surge_phase_names[i]) << ':';
    write_surge_phase(out, surge, static_cast<surge_phase>(i));
  }
  out << R"(},"slot_s":)" << fixed(in_seconds(surge_stats::slot_length), 3) << R"(,"slots":)";
  const auto write = [&out](const surge_stats::slot& each) {
    out << R"({"due":)" << each.due << R"(,"not_sent":)" << each.not_sent << R"(,"refused":)" << each.refused
        << R"(,"answered":)" << each.answered << R"(,"p50_us":)" << accepted_max_us(each, 50) << R"(,"p99_us":)"
        << accepted_max_us(each, 99) << '}';
  };
  write_list(out, '[', surge.slots(), write, ']');
  out << '}';
}

void write_shares(std::ostream& out, const scenario_plan& workloads) {
  out << R"("orders_each":)" << (uses_own_orders(workloads.what) ? workloads.orders_each : 0);
  if (workloads.what == scenario::replay) out << R"(,"replay_share":)" << fixed(workloads.replay_share, 4);
  if (sends_batches(workloads.what)) out << R"(,"batch_lines":)" << workloads.batch_lines;
  if (workloads.what == scenario::conflict) out << R"(,"conflict_share":)" << fixed(workloads.conflict_share, 4);
}

}  // namespace

void write_json(std::ostream& out, const load_plan& plan, const load_result& result, const run_notes& notes) {
  out << R"({"scenario":)" << json_text(name_of(plan.workloads.what)) << ',';
  write_loop(out, plan, result);
  out << R"(,"notes":)";
  write_list(
      out, '{', notes, [&out](const auto& note) { out << json_text(note.first) << ':' << json_text(note.second); },
      '}');
  out << R"(,"connections":)" << plan.connections << R"(,"threads":)" << plan.threads << R"(,"duration_s":)"
      << fixed(in_seconds(plan.duration), 3) << R"(,"warmup_s":)" << fixed(in_seconds(plan.warmup), 3) << R"(,"seed":)"
      << plan.seed << ',';
  write_shares(out, plan.workloads);
  out << R"(,"request_bytes":)" << fixed(mean(result.request_bytes, result.answers), 1) << R"(,"body_bytes":)"
      << fixed(mean(result.request_body_bytes, result.answers), 1) << R"(,"answer_body_bytes_mean":)"
      << fixed(mean(result.answer_body_bytes, result.answers), 1) << R"(,"requests":)" << result.answers
      << R"(,"requests_per_s":)" << fixed(rate_per_s(plan, result), 1) << R"(,"orders":)" << result.orders
      << R"(,"orders_per_s":)" << fixed(orders_per_s(plan, result), 1) << R"(,"stale":)" << result.stale
      << R"(,"key_hit_share":)" << fixed(key_hit_share(result), 4) << R"(,"errors":)";
  write_errors(out, result.errors);
  out << R"(,"latency_us":)";
  write_latency(out, result.latency());
  out << R"(,"by_kind":)";
  write_kinds(out, result);
  out << ',';
  write_series(out, result);
  if (plan.takes_refusals) {
    out << R"(,"refused":)" << result.refused << R"(,"refused_since_sent_us":)";
    write_latency(out, result.refusal_time);
  }
  if (!result.surge.empty()) write_surge(out, plan, result.surge);
  out << R"(,"generator_cpu_s":)" << fixed(in_seconds(result.cpu), 3) << R"(,"generator_busiest_thread_cpu_s":)"
      << fixed(in_seconds(result.busiest_thread_cpu), 3) << R"(,"cores":)" << cores() << R"(,"shares_machine":)"
      << (result.shares_machine ? "true" : "false");
  if (plan.server_pid != 0) out << R"(,"server_cpu_s":)" << fixed(in_seconds(result.server_cpu), 3);
  out << "}\n";
}

void write_fsync_json(std::ostream& out, const latency_histogram& latency) {
  out << R"({"scenario":"fsync","append_bytes":)" << fsync_probe_append_bytes << R"(,"latency_us":)";
  write_latency(out, latency);
  out << "}\n";
}

}  // namespace ordem::bench
