// Is this GUID known? Asked of a dedupe table before a store that holds so many messages.

#include <benchmark/benchmark.h>

#include <vector>

#include "actors/orders/dedupe_table.hpp"
#include "bench/micro/consume.hpp"
#include "bench/micro/filled_store.hpp"
#include "bench/micro/samples.hpp"

namespace ordem::bench {
namespace {

using actors::dedupe_table;

// A repeat: the answer is there, with the order as it was.
void dedupe_hit(benchmark::State& state, const filled_store& filled) {
  dedupe_table table(filled.committed(), actors::in_flight_policy::join);
  const auto& known = filled.known();
  expect(std::holds_alternative<answer>(table.admit({}, known.front(), sample_time)), "a known message is not known");
  std::size_t next = 0;
  for (auto _ : state) {
    consume(table.admit({}, known[next], sample_time));
    next = next + 1 < known.size() ? next + 1 : 0;
  }
  expect(table.in_flight() == 0, "a known message was taken for a new one");
}

// A new message: it is in flight then.
void dedupe_miss(benchmark::State& state, const filled_store& filled) {
  constexpr std::size_t admitted_at_once = 256;
  dedupe_table table(filled.committed(), actors::in_flight_policy::join);
  samples some(2);
  std::vector<message> fresh;
  std::vector<reply> no_replies;
  while (state.KeepRunningBatch(admitted_at_once)) {
    state.PauseTiming();
    for (const message& each : fresh) {
      table.complete({{}, 0, message_key{each.origin.tenant, each.guid}, std::nullopt, refusal{}}, no_replies);
    }
    expect(table.in_flight() == 0, "a new message was taken for a known one");
    fresh.clear();
    while (fresh.size() < admitted_at_once) fresh.push_back(some.creation(small));
    state.ResumeTiming();
    for (const message& each : fresh) consume(table.admit({}, each, sample_time));
  }
}

using dedupe_benchmark = void (*)(benchmark::State&, const filled_store&);

void add(const char* name, dedupe_benchmark what, filled_stores& stores, place where) {
  benchmark::RegisterBenchmark(name,
                               [=, &stores](benchmark::State& state) {
                                 what(state, stores.with(where, static_cast<std::size_t>(state.range(0))));
                               })
      ->Arg(1'000)
      ->Arg(100'000);
}

}  // namespace

void register_dedupe(filled_stores& stores) {
  add("dedupe_hit/memory", dedupe_hit, stores, place::memory);
  add("dedupe_hit/files", dedupe_hit, stores, place::files);
  add("dedupe_miss/memory", dedupe_miss, stores, place::memory);
  add("dedupe_miss/files", dedupe_miss, stores, place::files);
}

}  // namespace ordem::bench
