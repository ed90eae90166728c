// Decides which requests are sampled, and makes the ids of traces and spans. Thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "app/settings/otel_environment.hpp"
#include "engine/ports/tracing.hpp"

namespace ordem::app {

// Ids are random and not secret. Each thread draws them from a generator of its own.
trace_id random_trace_id() noexcept;
span_id random_span_id() noexcept;

class trace_sampler {
 public:
  explicit trace_sampler(const sampler_settings& settings) noexcept;

  // See tracer::begin().
  shared_trace begin(const std::optional<remote_parent>& parent, std::string_view trace_state) const;

  // Returns whether a trace without a parent that decides is sampled: the same for all servers with the same ratio, by
  // the last 8 bytes of the id.
  bool samples(const trace_id& of) const noexcept;

 private:
  const bool follows_parent_;
  const bool samples_all_;
  const std::uint64_t below_;  // sampled if the last 8 bytes, as a big-endian number, are below this
};

}  // namespace ordem::app
