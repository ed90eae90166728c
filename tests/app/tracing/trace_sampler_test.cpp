#include "app/tracing/trace_sampler.hpp"

#include <catch2/catch.hpp>
#include <cstdint>
#include <set>

namespace ordem::app {
namespace {

// An id whose last 8 bytes are these bits.
trace_id id_with(std::uint64_t bits) {
  trace_id made{1};
  for (std::size_t i = 15; i >= 8; --i, bits >>= 8) made[i] = static_cast<std::uint8_t>(bits);
  return made;
}

remote_parent parent_with(std::uint64_t bits, bool sampled) {
  return {{id_with(bits), {7, 7}}, sampled};
}

TEST_CASE("the ratio is a threshold for the end of the trace id") {
  constexpr std::uint64_t quarter = std::uint64_t{1} << 62;
  const trace_sampler sampler({.ratio = 0.25, .follows_parent = false});
  CHECK(sampler.samples(id_with(0)));
  CHECK(sampler.samples(id_with(quarter - 1)));
  CHECK_FALSE(sampler.samples(id_with(quarter)));
  CHECK_FALSE(sampler.samples(id_with(~std::uint64_t{0})));
}

TEST_CASE("the ratios 0 and 1 have no exceptions") {
  const trace_sampler none({.ratio = 0, .follows_parent = false});
  const trace_sampler all({.ratio = 1, .follows_parent = false});
  for (const std::uint64_t bits : {std::uint64_t{0}, std::uint64_t{1}, ~std::uint64_t{0}}) {
    CHECK_FALSE(none.samples(id_with(bits)));
    CHECK(all.samples(id_with(bits)));
  }
}

TEST_CASE("a sampler that follows the parent decides only without one") {
  const trace_sampler none({.ratio = 0, .follows_parent = true});
  const trace_sampler all({.ratio = 1, .follows_parent = true});
  CHECK(none.begin(parent_with(5, true), "") != nullptr);
  CHECK(all.begin(parent_with(5, false), "") == nullptr);
  CHECK(none.begin(std::nullopt, "") == nullptr);
  CHECK(all.begin(std::nullopt, "") != nullptr);
}

TEST_CASE("a sampler that does not follow the parent decides by the parent's trace") {
  const trace_sampler half({.ratio = 0.5, .follows_parent = false});
  CHECK(half.begin(parent_with(1, false), "") != nullptr);
  CHECK(half.begin(parent_with(~std::uint64_t{0}, true), "") == nullptr);
}

TEST_CASE("a request with a parent is part of its trace") {
  const trace_sampler all({});
  const auto parent = parent_with(5, true);
  const auto trace = all.begin(parent, "a=1");
  CHECK(trace->request.trace == parent.context.trace);
  CHECK(trace->parent == parent.context.span);
  CHECK(trace->request.span != parent.context.span);
  CHECK(trace->trace_state == "a=1");
}

TEST_CASE("a request without a parent has a trace of its own") {
  const trace_sampler all({});
  std::set<trace_id> traces;
  for (int i = 0; i < 100; ++i) {
    const auto trace = all.begin(std::nullopt, "a=1");
    CHECK_FALSE(trace->parent);
    CHECK(trace->trace_state.empty());
    traces.insert(trace->request.trace);
  }
  CHECK(traces.size() == 100);
}

}  // namespace
}  // namespace ordem::app
