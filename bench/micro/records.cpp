// The records on disk: encoding and decoding.

#include "storage/records/capture_record.hpp"
#include "storage/records/log_group.hpp"
#include "storage/records/message_record.hpp"
#include "storage/records/order_record.hpp"

#include <benchmark/benchmark.h>

#include <memory>
#include <string>
#include <utility>

#include "bench/micro/consume.hpp"
#include "bench/micro/samples.hpp"

namespace ordem::bench {
namespace {

void count_bytes(benchmark::State& state, const std::string& record) {
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(record.size()));
}

// Into a string that keeps its memory, as the store does it.
template <class Encode>
void encode(benchmark::State& state, Encode encode_to) {
  std::string record;
  for (auto _ : state) {
    record.clear();
    encode_to(record);
    consume(record);
  }
  count_bytes(state, record);
}

template <class Encode, class Decode>
void decode(benchmark::State& state, Encode encode_to, Decode decode_from) {
  std::string record;
  encode_to(record);
  expect(decode_from(record).has_value(), "a record can't be decoded");
  for (auto _ : state) consume(decode_from(record));
  count_bytes(state, record);
}

// --- orders ---

void encode_order(benchmark::State& state, std::size_t items) {
  encode(state, [what = samples().order(items)](std::string& out) { storage::encode_order(out, what); });
}
void decode_order(benchmark::State& state, std::size_t items) {
  const order what = samples().order(items);
  decode(
      state, [&](std::string& out) { storage::encode_order(out, what); },
      [&](std::string_view record) { return storage::decode_order(what.id, record); });
}
BENCHMARK_CAPTURE(encode_order, small, small);
BENCHMARK_CAPTURE(encode_order, large, large);
BENCHMARK_CAPTURE(decode_order, small, small);
BENCHMARK_CAPTURE(decode_order, large, large);

// --- messages ---

message_record created() {
  return samples().create_entry(small).record;
}
// A merge patch's record holds its command.
message_record patched() {
  samples some;
  const order current = some.order(small);
  message_record record = created();
  record.outcome.verdict = verdict::content_changed;
  record.outcome.version = {2};
  record.outcome.expected_version = ordem::expected_version{{1}, false};
  record.command = some.change(command_kind::merge, current).command;
  return record;
}

void encode_message(benchmark::State& state, const message_record& what) {
  encode(state, [&](std::string& out) { storage::encode_message(out, what); });
}
void decode_message(benchmark::State& state, const message_record& what) {
  decode(state, [&](std::string& out) { storage::encode_message(out, what); }, storage::decode_message);
}
BENCHMARK_CAPTURE(encode_message, created, created());
BENCHMARK_CAPTURE(encode_message, patched, patched());
BENCHMARK_CAPTURE(decode_message, created, created());
BENCHMARK_CAPTURE(decode_message, patched, patched());

// --- captures ---

capture allocated() {
  return {sample_time, sample_time + std::chrono::minutes(1), sample_time + sample_ttl, nullptr};
}
capture recorded(std::size_t body_bytes) {
  auto response = std::make_shared<const captured_response>(samples().response(body_bytes));
  return {sample_time, std::nullopt, sample_time + sample_ttl, std::move(response)};
}

void encode_capture(benchmark::State& state, const capture& what) {
  encode(state, [&](std::string& out) { storage::encode_capture(out, what); });
}
void decode_capture(benchmark::State& state, const capture& what) {
  decode(state, [&](std::string& out) { storage::encode_capture(out, what); }, storage::decode_capture);
}
BENCHMARK_CAPTURE(encode_capture, allocated, allocated());
BENCHMARK_CAPTURE(encode_capture, recorded_small, recorded(small_body));
BENCHMARK_CAPTURE(encode_capture, recorded_large, recorded(large_body));
BENCHMARK_CAPTURE(decode_capture, allocated, allocated());
BENCHMARK_CAPTURE(decode_capture, recorded_small, recorded(small_body));
BENCHMARK_CAPTURE(decode_capture, recorded_large, recorded(large_body));

// --- log groups, of creates ---

void encode_log_group(benchmark::State& state) {
  const auto entries = samples().create_entries(static_cast<std::size_t>(state.range(0)), small);
  encode(state, [&](std::string& out) { storage::encode_log_group(out, std::nullopt, entries); });
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
void decode_log_group(benchmark::State& state) {
  const auto entries = samples().create_entries(static_cast<std::size_t>(state.range(0)), small);
  decode(
      state, [&](std::string& out) { storage::encode_log_group(out, std::nullopt, entries); },
      storage::decode_log_group);
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(encode_log_group)->Arg(1)->Arg(16)->Arg(256)->Arg(storage::group_entries_max);
BENCHMARK(decode_log_group)->Arg(1)->Arg(16)->Arg(256)->Arg(storage::group_entries_max);

}  // namespace
}  // namespace ordem::bench
