// Bodies of requests, read into what they ask for, as each I/O thread does it: with a parser that it keeps.

#include <benchmark/benchmark.h>

#include <string>
#include <string_view>

#include "bench/micro/consume.hpp"
#include "bench/micro/samples.hpp"
#include "engine/codec/capture_json.hpp"
#include "engine/codec/write_body.hpp"
#include "http-edge/captures/capture_body.hpp"
#include "http-edge/protocol/padded_body.hpp"
#include "http-edge/server/settings.hpp"

namespace ordem::bench {
namespace {

template <class Read>
void read(benchmark::State& state, std::string_view json, Read read_from) {
  http_edge::padded_body::value_type body;
  body.append(json.data(), json.size());
  simdjson::dom::parser parser;
  expect(read_from(body.view(), parser).has_value(), "a body can't be read");
  for (auto _ : state) consume(read_from(body.view(), parser));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(json.size()));
}

// --- writes of orders ---

codec::write_kind kind_of(command_kind what) {
  switch (what) {
    case command_kind::create: return codec::write_kind::create;
    case command_kind::replace: return codec::write_kind::replace;
    case command_kind::merge: return codec::write_kind::merge;
    case command_kind::status: return codec::write_kind::change_status;
  }
  throw std::logic_error("there is no such command");
}

void read_write_body(benchmark::State& state, command_kind what, std::size_t items) {
  samples some;
  const message request = what == command_kind::create ? some.creation(items) : some.change(what, some.order(items));
  read(state, body_of(request), [kind = kind_of(what)](std::string_view body, simdjson::dom::parser& parser) {
    auto body_read = codec::read_write_body(kind, body, parser);
    expect(body_read && body_read->violations.empty(), "a body is refused");
    return body_read;
  });
}
BENCHMARK_CAPTURE(read_write_body, create_small, command_kind::create, small);
BENCHMARK_CAPTURE(read_write_body, create_large, command_kind::create, large);
BENCHMARK_CAPTURE(read_write_body, replace_small, command_kind::replace, small);
BENCHMARK_CAPTURE(read_write_body, replace_large, command_kind::replace, large);
BENCHMARK_CAPTURE(read_write_body, merge, command_kind::merge, small);
BENCHMARK_CAPTURE(read_write_body, status, command_kind::status, small);

// --- captures ---

void read_allocation(benchmark::State& state) {
  read(state, R"({"idempotency_key":")" + samples().capture_key_text() + R"("})", http_edge::read_allocation);
}
BENCHMARK(read_allocation);

void read_record(benchmark::State& state, std::size_t body_bytes) {
  samples some;
  std::string json = R"({"idempotency_key":")" + some.capture_key_text() + R"(","response":)";
  codec::append_captured_response(json, some.response(body_bytes));
  json += '}';
  read(state, json, [](std::string_view body, simdjson::dom::parser& parser) {
    return http_edge::read_record(body, parser, http_edge::server_settings{}.captured_bytes_max);
  });
}
BENCHMARK_CAPTURE(read_record, small, small_body);
BENCHMARK_CAPTURE(read_record, large, large_body);

}  // namespace
}  // namespace ordem::bench
