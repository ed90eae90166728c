#include "app/tracing/trace_sampler.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <random>
#include <string>

namespace ordem::app {
namespace {

std::uint64_t random_bits() noexcept {
  thread_local std::mt19937_64 generator = [] {
    std::random_device device;
    std::seed_seq seed{device(), device(), device(), device(), device(), device(), device(), device()};
    return std::mt19937_64(seed);
  }();
  return generator();
}

void put(std::uint64_t bits, std::uint8_t* to) noexcept {
  for (int i = 7; i >= 0; --i, bits >>= 8) to[i] = static_cast<std::uint8_t>(bits);
}

std::uint64_t last_bits(const trace_id& of) noexcept {
  std::uint64_t bits = 0;
  for (std::size_t i = of.size() - 8; i < of.size(); ++i) bits = bits << 8 | of[i];
  return bits;
}

}  // namespace

trace_id random_trace_id() noexcept {
  trace_id made;
  put(random_bits(), made.data());
  put(random_bits() | 1, made.data() + 8);  // never zero
  return made;
}

span_id random_span_id() noexcept {
  span_id made;
  put(random_bits() | 1, made.data());
  return made;
}

trace_sampler::trace_sampler(const sampler_settings& settings) noexcept
    : follows_parent_(settings.follows_parent),
      samples_all_(settings.ratio >= 1),
      below_(samples_all_ ? 0 : static_cast<std::uint64_t>(std::ldexp(settings.ratio, 64))) {}

bool trace_sampler::samples(const trace_id& of) const noexcept {
  return samples_all_ || last_bits(of) < below_;
}

shared_trace trace_sampler::begin(const std::optional<remote_parent>& parent, std::string_view trace_state) const {
  const trace_id trace = parent ? parent->context.trace : random_trace_id();
  const bool sampled = parent && follows_parent_ ? parent->sampled : samples(trace);
  if (!sampled) return nullptr;
  auto made = std::make_shared<request_trace>();
  made->request = {trace, random_span_id()};
  if (parent) {
    made->parent = parent->context.span;
    made->trace_state = trace_state;
  }
  return made;
}

}  // namespace ordem::app
