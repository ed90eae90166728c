// What an order takes in memory, as a live order keeps it: not a time, but the counter `bytes`. It is what the
// allocator hands out, rounded up to its size classes, and so what `scripts/bench scale` takes off what a live order
// costs in all.

#include <benchmark/benchmark.h>
#include <jemalloc/jemalloc.h>

#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "actors/execution.hpp"
#include "bench/load/order_text.hpp"
#include "bench/micro/consume.hpp"
#include "bench/micro/samples.hpp"
#include "engine/codec/write_body.hpp"
#include "http-edge/protocol/padded_body.hpp"

namespace ordem::bench {
namespace {

std::uint64_t counted(const char* name) {
  std::uint64_t bytes = 0;
  std::size_t size = sizeof bytes;
  expect(mallctl(name, &bytes, &size, nullptr, 0) == 0, "the allocator does not count");
  return bytes;
}

// By this thread, and not freed by it.
std::uint64_t bytes_held() {
  return counted("thread.allocated") - counted("thread.deallocated");
}

// An order after the update that makes it live: its content is that of ordem-load's body, read as the edge reads it.
shared_order updated(samples& some, simdjson::dom::parser& parser, std::size_t items) {
  auto current = std::make_shared<const order>(some.order(items));
  order_text texts("127.0.0.1", 1, {.items = items, .bytes = 0});
  const std::string_view request = texts.update({}, {}, current->version.number, 1);
  const std::string_view json = request.substr(request.find("\r\n\r\n") + 4);
  http_edge::padded_body::value_type body;
  body.append(json.data(), json.size());
  auto given = codec::read_write_body(codec::write_kind::replace, body.view(), parser);
  expect(given && given->violations.empty(), "a body is refused");

  message asked = some.change(command_kind::replace, *current);
  asked.command = std::move(given->command);
  auto done = actors::execute_task({{}, 0, std::move(asked)}, current, {}, sample_time, sample_ttl);
  expect(done.current != current, "the order is not replaced");
  return std::move(done.current);
}

void kept_order(benchmark::State& state, std::size_t items) {
  constexpr std::size_t orders = 1000;
  samples some;
  simdjson::dom::parser parser;
  consume(updated(some, parser, items));  // the parser grows here, once
  std::vector<shared_order> kept;
  kept.reserve(orders);
  for (auto _ : state) {
    kept.clear();
    const std::uint64_t before = bytes_held();
    while (kept.size() < orders) kept.push_back(updated(some, parser, items));
    state.counters["bytes"] = static_cast<double>(bytes_held() - before) / orders;
  }
}
BENCHMARK_CAPTURE(kept_order, small, small)->Iterations(1);
BENCHMARK_CAPTURE(kept_order, large, large)->Iterations(1);

}  // namespace
}  // namespace ordem::bench
