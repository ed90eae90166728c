// The names of things, out of their texts and back. Each benchmark goes round so many different ones that a processor
// does not learn them.

#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "bench/micro/consume.hpp"
#include "bench/micro/samples.hpp"
#include "engine/model/capture.hpp"
#include "engine/model/ids.hpp"
#include "http-edge/protocol/headers.hpp"

namespace ordem::bench {
namespace {

constexpr std::size_t names = 1024;

template <class Make>
auto several(Make make) {
  samples some;
  std::vector<decltype(make(some))> made;
  made.reserve(names);
  while (made.size() < names) made.push_back(make(some));
  return made;
}

template <class Name, class Work>
void go_round(benchmark::State& state, const std::vector<Name>& all, Work work) {
  std::size_t next = 0;
  for (auto _ : state) consume(work(all[next++ % names]));
}

template <class Parse>
void parse_all(benchmark::State& state, const std::vector<std::string>& texts, Parse parse) {
  for (const std::string& each : texts) expect(parse(each).has_value(), "a name can't be parsed");
  go_round(state, texts, parse);
}

void guid_parse(benchmark::State& state) {
  parse_all(state, several([](samples& some) { return some.guid_text(); }), guid::parse);
}
BENCHMARK(guid_parse);

void guid_slot(benchmark::State& state) {
  go_round(state, several([](samples& some) { return some.guid(); }), [](const guid& each) { return each.slot(); });
}
BENCHMARK(guid_slot);

void parse_idempotency_key(benchmark::State& state, const std::string& quote) {
  parse_all(state, several([&](samples& some) { return quote + some.guid_text() + quote; }),
            http_edge::parse_idempotency_key);
}
BENCHMARK_CAPTURE(parse_idempotency_key, bare, "");
BENCHMARK_CAPTURE(parse_idempotency_key, quoted, "\"");

void order_id_parse(benchmark::State& state) {
  parse_all(state, several([](samples& some) { return some.id().to_string(); }), order_id::parse);
}
BENCHMARK(order_id_parse);

void order_id_append(benchmark::State& state) {
  std::string out;
  go_round(state, several([](samples& some) { return some.id(); }), [&](const order_id& each) {
    out.clear();
    each.append_to(out);
    return std::string_view(out);
  });
}
BENCHMARK(order_id_append);

void capture_key_parse(benchmark::State& state) {
  parse_all(state, several([](samples& some) { return some.capture_key_text(); }), capture_key::parse);
}
BENCHMARK(capture_key_parse);

}  // namespace
}  // namespace ordem::bench
