// The tracer of the program: samples requests, and sends spans in batches on a thread of its own. Spans wait in a queue
// with a bound; what does not fit, or cannot be sent, is dropped and counted. So a collector that is away or slow costs
// memory up to the bound, and never an answer.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string_view>
#include <thread>
#include <vector>

#include "app/settings/otel_environment.hpp"
#include "app/tracing/span_exporter.hpp"
#include "app/tracing/trace_sampler.hpp"
#include "engine/ports/tracing.hpp"

namespace ordem::app {

// Called on the tracer's thread.
struct tracer_events {
  // A batch was not sent, for the reason in `message`; the batch before it was.
  std::function<void(std::string_view message)> on_failure = [](std::string_view) {};
  // A batch was sent after a failure.
  std::function<void()> on_recovery = [] {};
};

struct tracer_stats {
  std::uint64_t exported = 0;
  std::array<std::uint64_t, span_drops> dropped{};  // by span_drop
};

std::string_view to_string(span_drop why) noexcept;

class batch_tracer final : public tracer {
 public:
  // The pause after a batch that was not sent: the first, doubled up to the longest. Meanwhile spans are queued.
  static constexpr std::chrono::milliseconds pause_first{1000};
  static constexpr std::chrono::milliseconds pause_longest{30'000};

  batch_tracer(const sampler_settings& sampler, const span_queue_settings& queue, std::unique_ptr<span_exporter> to,
               tracer_events events = {});
  // As stop() without patience, but waits for the exporter.
  ~batch_tracer() override;
  batch_tracer(const batch_tracer&) = delete;
  batch_tracer& operator=(const batch_tracer&) = delete;

  // Sends what is queued, at most for that time, and drops the rest. Spans that are recorded later are dropped. Returns
  // false if the exporter still waits for a collector then: it cannot be interrupted, so that the destructor would have
  // to wait for its time limit.
  bool stop(std::chrono::milliseconds patience);

  tracer_stats stats() const noexcept;

  // tracer. Thread-safe.
  shared_trace begin(const std::optional<remote_parent>& parent, std::string_view trace_state) noexcept override;
  span_id make_span_id() noexcept override { return random_span_id(); }
  trace_id make_trace_id() noexcept override { return random_trace_id(); }
  void record(span_record&& what) noexcept override;
  void count_dropped(span_drop why, std::uint64_t spans) noexcept override;

 private:
  void run();
  void wait_for_batch(std::unique_lock<std::mutex>& lock);
  void send(std::vector<finished_span>&& batch);

  const trace_sampler sampler_;
  const span_queue_settings settings_;
  const std::unique_ptr<span_exporter> exporter_;
  const tracer_events events_;
  std::atomic<std::uint64_t> exported_{0};
  std::array<std::atomic<std::uint64_t>, span_drops> dropped_{};

  std::mutex mutex_;
  std::condition_variable changed_;
  std::condition_variable ended_;
  std::deque<finished_span> queue_;
  bool stopping_ = false;
  bool gives_up_ = false;  // what is still queued is dropped
  bool has_ended_ = false;
  std::chrono::milliseconds pause_{0};  // before the next batch; not 0 after a failure. Used on the thread only
  std::thread thread_;
};

}  // namespace ordem::app
