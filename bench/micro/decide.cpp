// The rules: what a message does to an order.

#include "engine/rules/decide.hpp"

#include <benchmark/benchmark.h>

#include <optional>
#include <utility>

#include "bench/micro/consume.hpp"
#include "bench/micro/samples.hpp"

namespace ordem::bench {
namespace {

struct situation {
  std::optional<order> current;  // absent for a create
  message update;
  order_id fresh_id;

  const order* state() const noexcept { return current ? &*current : nullptr; }
};

situation situation_of(command_kind what, std::size_t items) {
  samples some;
  if (what == command_kind::create) return {std::nullopt, some.creation(items), some.id()};
  order current = some.order(items);
  message update = some.change(what, current);
  return {std::move(current), std::move(update), {}};
}

decision decide_in(const situation& input) {
  return ordem::decide(input.state(), input.update, input.fresh_id, sample_time);
}

// Makes the event, and drops it.
void decide(benchmark::State& state, command_kind what, std::size_t items) {
  const situation input = situation_of(what, items);
  expect(std::holds_alternative<event>(decide_in(input)), "the message is not accepted");
  for (auto _ : state) consume(decide_in(input));
}

// Makes the event and the order after it, and drops that.
void decide_and_apply(benchmark::State& state, command_kind what, std::size_t items) {
  const situation input = situation_of(what, items);
  for (auto _ : state) consume(apply(input.state(), std::get<event>(decide_in(input))));
}

#define EACH_COMMAND(FUNCTION)                                              \
  BENCHMARK_CAPTURE(FUNCTION, create_small, command_kind::create, small);   \
  BENCHMARK_CAPTURE(FUNCTION, create_large, command_kind::create, large);   \
  BENCHMARK_CAPTURE(FUNCTION, replace_small, command_kind::replace, small); \
  BENCHMARK_CAPTURE(FUNCTION, replace_large, command_kind::replace, large); \
  BENCHMARK_CAPTURE(FUNCTION, merge_small, command_kind::merge, small);     \
  BENCHMARK_CAPTURE(FUNCTION, merge_large, command_kind::merge, large);     \
  BENCHMARK_CAPTURE(FUNCTION, status_small, command_kind::status, small);   \
  BENCHMARK_CAPTURE(FUNCTION, status_large, command_kind::status, large)

EACH_COMMAND(decide);
EACH_COMMAND(decide_and_apply);

}  // namespace
}  // namespace ordem::bench
