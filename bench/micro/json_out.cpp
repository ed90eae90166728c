// Orders, captured responses and answers, written as JSON and as HTTP.

#include <benchmark/benchmark.h>

#include <memory>
#include <string>
#include <utility>

#include "bench/micro/consume.hpp"
#include "bench/micro/samples.hpp"
#include "engine/codec/capture_json.hpp"
#include "engine/codec/order_json.hpp"
#include "http-edge/orders/rendering.hpp"
#include "http-edge/protocol/response.hpp"

namespace ordem::bench {
namespace {

constexpr position shown{1'000'000};

// Into a string that keeps its memory.
template <class Append>
void append(benchmark::State& state, Append append_to) {
  std::string out;
  for (auto _ : state) {
    out.clear();
    append_to(out);
    consume(out);
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(out.size()));
}

void append_order(benchmark::State& state, std::size_t items) {
  append(state, [what = samples().order(items)](std::string& out) { codec::append_order(out, what); });
}
BENCHMARK_CAPTURE(append_order, small, small);
BENCHMARK_CAPTURE(append_order, large, large);

void append_captured_response(benchmark::State& state, std::size_t body_bytes) {
  append(state,
         [what = samples().response(body_bytes)](std::string& out) { codec::append_captured_response(out, what); });
}
BENCHMARK_CAPTURE(append_captured_response, small, small_body);
BENCHMARK_CAPTURE(append_captured_response, large, large_body);

// --- answers to writes ---

answer created(std::size_t items) {
  const auto done = samples().create_entry(items);
  return executed{done.record.outcome, done.after, done.record.expires_at, false};
}
answer stale() {
  const auto done = samples().create_entry(small);
  outcome rejected = done.record.outcome;
  rejected.verdict = verdict::stale_version;
  rejected.version = {2};
  rejected.expected_version = ordem::expected_version{{1}, false};
  return executed{rejected, nullptr, done.record.expires_at, false};
}
answer overloaded() {
  return refusal{unavailability::overloaded};
}

// Every order in two versions, which differ: what a 3043 response compares.
class two_versions final : public order_lookup {
 public:
  two_versions() : before_(samples().create_entry(small).after) {
    order after = *before_;
    after.content.customer_id = "another-customer";
    current_ = std::make_shared<const order>(std::move(after));
  }
  read_result<shared_order> find_order(order_id) const override { return current_; }
  std::optional<shared_order> find_cached_order(order_id) const override { return current_; }
  read_result<shared_order> find_version(order_id, version which) const override {
    return which.number == 1 ? before_ : current_;
  }
  read_result<std::optional<message_record>> find_message(std::string_view, const guid&,
                                                          const clock_reading&) const override {
    return std::optional<message_record>{};
  }

 private:
  shared_order before_;
  shared_order current_;
};

// Status, headers and body, not yet as the bytes that leave.
void write_response(benchmark::State& state, const answer& what) {
  const two_versions orders;
  for (auto _ : state) consume(http_edge::write_response(what, sample_time, shown, orders));
}
BENCHMARK_CAPTURE(write_response, created_small, created(small));
BENCHMARK_CAPTURE(write_response, created_large, created(large));
BENCHMARK_CAPTURE(write_response, stale, stale());
BENCHMARK_CAPTURE(write_response, overloaded, overloaded());

// The bytes that leave.
void append_response(benchmark::State& state, std::size_t items) {
  append(state, [what = http_edge::write_response(created(items), sample_time, shown, two_versions())](
                    std::string& out) { http_edge::append_response(out, what, {}); });
}
BENCHMARK_CAPTURE(append_response, small, small);
BENCHMARK_CAPTURE(append_response, large, large);

}  // namespace
}  // namespace ordem::bench
