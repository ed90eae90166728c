#include "app/tracing/batch_tracer.hpp"

#include <pthread.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "engine/base/check.hpp"

namespace ordem::app {

std::string_view to_string(span_drop why) noexcept {
  switch (why) {
    case span_drop::queue_full: return "queue_full";
    case span_drop::export_failed: return "export_failed";
    case span_drop::position_forgotten: return "position_forgotten";
  }
  ORDEM_CHECK(false && "a span_drop outside its enumeration");
  return {};
}

batch_tracer::batch_tracer(const sampler_settings& sampler, const span_queue_settings& queue,
                           std::unique_ptr<span_exporter> to, tracer_events events)
    : sampler_(sampler), settings_(queue), exporter_(std::move(to)), events_(std::move(events)) {
  thread_ = std::thread([this] { run(); });
  pthread_setname_np(thread_.native_handle(), "ordem-trace");
}

batch_tracer::~batch_tracer() {
  stop(std::chrono::milliseconds(0));
  thread_.join();
}

bool batch_tracer::stop(std::chrono::milliseconds patience) {
  std::unique_lock lock(mutex_);
  stopping_ = true;
  changed_.notify_all();
  ended_.wait_for(lock, patience, [this] { return has_ended_; });
  gives_up_ = true;
  return has_ended_;
}

tracer_stats batch_tracer::stats() const noexcept {
  tracer_stats now;
  now.exported = exported_.load(std::memory_order_relaxed);
  for (std::size_t i = 0; i < dropped_.size(); ++i) now.dropped[i] = dropped_[i].load(std::memory_order_relaxed);
  return now;
}

shared_trace batch_tracer::begin(const std::optional<remote_parent>& parent, std::string_view trace_state) noexcept {
  return sampler_.begin(parent, trace_state);
}

void batch_tracer::record(span_record&& what) noexcept {
  const auto age = span_record::clock::now() - what.start;
  const auto start =
      std::chrono::system_clock::now() - std::chrono::duration_cast<std::chrono::system_clock::duration>(age);
  bool wakes = false;
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || queue_.size() >= settings_.spans_max) return count_dropped(span_drop::queue_full, 1);
    queue_.push_back({std::move(what), start});
    wakes = queue_.size() == 1 || queue_.size() == settings_.batch_max;
  }
  if (wakes) changed_.notify_one();
}

void batch_tracer::count_dropped(span_drop why, std::uint64_t spans) noexcept {
  dropped_[static_cast<std::size_t>(why)].fetch_add(spans, std::memory_order_relaxed);
}

// Returns with a batch that is full or has waited long enough, or when the tracer stops.
void batch_tracer::wait_for_batch(std::unique_lock<std::mutex>& lock) {
  if (pause_.count() > 0) changed_.wait_for(lock, pause_, [this] { return stopping_; });
  changed_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
  changed_.wait_for(lock, settings_.delay, [this] { return stopping_ || queue_.size() >= settings_.batch_max; });
}

void batch_tracer::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_ || (!queue_.empty() && !gives_up_)) {
    wait_for_batch(lock);
    const auto count = static_cast<std::ptrdiff_t>(std::min(queue_.size(), settings_.batch_max));
    std::vector<finished_span> batch(std::make_move_iterator(queue_.begin()),
                                     std::make_move_iterator(queue_.begin() + count));
    queue_.erase(queue_.begin(), queue_.begin() + count);
    lock.unlock();
    if (!batch.empty()) send(std::move(batch));
    lock.lock();
  }
  count_dropped(span_drop::export_failed, queue_.size());
  queue_.clear();
  has_ended_ = true;
  ended_.notify_all();
}

void batch_tracer::send(std::vector<finished_span>&& batch) {
  const bool failed_before = pause_.count() > 0;
  if (const auto sent = exporter_->send(batch); !sent) {
    count_dropped(span_drop::export_failed, batch.size());
    pause_ = failed_before ? std::min(2 * pause_, pause_longest) : pause_first;
    if (!failed_before) events_.on_failure(sent.error());
    return;
  }
  exported_.fetch_add(batch.size(), std::memory_order_relaxed);
  pause_ = std::chrono::milliseconds(0);
  if (failed_before) events_.on_recovery();
}

}  // namespace ordem::app
