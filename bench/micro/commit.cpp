// Groups of creates into the log of a real store, which is new and grows by them.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <span>
#include <vector>

#include "bench/micro/consume.hpp"
#include "bench/micro/samples.hpp"
#include "bench/micro/scratch_store.hpp"

namespace ordem::bench {
namespace {

using group = std::span<const storage::entry>;

// write(store, group) for groups of state.range(0) entries. The bytes counted are those of the log's records.
template <class Write>
void commit(benchmark::State& state, storage::durability level, Write write) {
  const auto entries = static_cast<std::size_t>(state.range(0));
  const std::size_t groups_at_once = std::max<std::size_t>(1, 64 / entries);  // made while the clock stands still
  const scratch_store store(level);
  samples some;
  std::vector<storage::entry> made;
  while (state.KeepRunningBatch(static_cast<benchmark::IterationCount>(groups_at_once))) {
    state.PauseTiming();
    made = some.create_entries(groups_at_once * entries, small);
    state.ResumeTiming();
    for (std::size_t first = 0; first < made.size(); first += entries) {
      expect(write(*store, group(made).subspan(first, entries)), "a group can't be written");
    }
  }
  expect(store->log().sync().has_value(), "the log can't be synced");
  state.SetItemsProcessed(state.iterations() * state.range(0));
  state.SetBytesProcessed(static_cast<std::int64_t>(store->log().bytes_after({0}).value()));
}

void append(benchmark::State& state) {
  commit(state, storage::durability::os,
         [](storage::store& to, group entries) { return to.log().append(entries).has_value(); });
}

void append_and_sync(benchmark::State& state, storage::durability level) {
  commit(state, level, [](storage::store& to, group entries) {
    return to.log().append(entries).has_value() && to.log().sync().has_value();
  });
}

void group_sizes(benchmark::internal::Benchmark* what) {
  // By the clock on the wall: a sync waits.
  what->Arg(1)->Arg(16)->Arg(256)->Arg(storage::group_entries_max)->UseRealTime();
}
BENCHMARK(append)->Apply(group_sizes);
BENCHMARK_CAPTURE(append_and_sync, os, storage::durability::os)->Apply(group_sizes);
BENCHMARK_CAPTURE(append_and_sync, fsync, storage::durability::fsync)->Apply(group_sizes);

}  // namespace
}  // namespace ordem::bench
