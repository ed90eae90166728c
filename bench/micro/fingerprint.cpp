// What tells two requests under one GUID apart: the canonical form of a write, and its hash.

#include <benchmark/benchmark.h>

#include "bench/micro/consume.hpp"
#include "bench/micro/samples.hpp"
#include "engine/codec/canonical_request.hpp"

namespace ordem::bench {
namespace {

void fingerprint(benchmark::State& state, command_kind what, std::size_t items) {
  samples some;
  const message request = what == command_kind::create ? some.creation(items) : some.change(what, some.order(items));
  for (auto _ : state)
    consume(codec::fingerprint_of(codec::canonical(request.command, request.target, request.expected_version)));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(body_of(request).size()));
}
BENCHMARK_CAPTURE(fingerprint, create_small, command_kind::create, small);
BENCHMARK_CAPTURE(fingerprint, create_large, command_kind::create, large);
BENCHMARK_CAPTURE(fingerprint, merge, command_kind::merge, small);
BENCHMARK_CAPTURE(fingerprint, status, command_kind::status, small);

}  // namespace
}  // namespace ordem::bench
