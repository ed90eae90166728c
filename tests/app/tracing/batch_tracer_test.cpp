#include "app/tracing/batch_tracer.hpp"

#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace ordem::app {
namespace {

constexpr auto patience = std::chrono::seconds(60);

// What an exporter in the tracer does and has got, shared with the test.
struct collector {
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::size_t> batches;
  std::vector<finished_span> spans;
  bool holds = false;
  bool fails = false;
  std::size_t waiting = 0;

  template <class Condition>
  bool wait_until(Condition holds_now) {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, patience, holds_now);
  }
  void set(bool collector::* what, bool value) {
    const std::lock_guard lock(mutex);
    this->*what = value;
    changed.notify_all();
  }
};

class test_exporter final : public span_exporter {
 public:
  explicit test_exporter(collector& to) : to_(to) {}
  tl::expected<void, std::string> send(const std::vector<finished_span>& spans) noexcept override {
    std::unique_lock lock(to_.mutex);
    ++to_.waiting;
    to_.changed.notify_all();
    to_.changed.wait(lock, [this] { return !to_.holds; });
    --to_.waiting;
    if (to_.fails) return tl::make_unexpected("no collector");
    to_.batches.push_back(spans.size());
    to_.spans.insert(to_.spans.end(), spans.begin(), spans.end());
    to_.changed.notify_all();
    return {};
  }

 private:
  collector& to_;
};

span_record span_named(std::string name) {
  span_record made;
  made.name = std::move(name);
  made.start = made.end = span_record::clock::now();
  return made;
}

struct batch_tracer_test {
  collector to;
  std::atomic<int> failures{0};
  std::unique_ptr<batch_tracer> tracer;

  void start(const span_queue_settings& settings) {
    tracer = std::make_unique<batch_tracer>(sampler_settings{}, settings, std::make_unique<test_exporter>(to),
                                            tracer_events{.on_failure = [this](std::string_view) { ++failures; }});
  }
  std::uint64_t dropped(span_drop why) const { return tracer->stats().dropped[static_cast<std::size_t>(why)]; }
};

TEST_CASE_METHOD(batch_tracer_test, "spans are sent in batches, in their order") {
  start({.spans_max = 10, .batch_max = 3, .delay = std::chrono::hours(1)});
  for (const char* name : {"a", "b", "c", "d", "e", "f"}) tracer->record(span_named(name));
  REQUIRE(to.wait_until([&] { return to.spans.size() == 6; }));
  std::string names;
  for (const finished_span& each : to.spans) names += each.span.name;
  CHECK(names == "abcdef");
  CHECK(to.batches == std::vector<std::size_t>{3, 3});
  tracer->stop(patience);
  CHECK(tracer->stats().exported == 6);
}

TEST_CASE_METHOD(batch_tracer_test, "a batch that does not fill is sent after the delay") {
  start({.spans_max = 10, .batch_max = 10, .delay = std::chrono::milliseconds(1)});
  tracer->record(span_named("a"));
  CHECK(to.wait_until([&] { return to.spans.size() == 1; }));
}

TEST_CASE_METHOD(batch_tracer_test, "a stop sends what is queued") {
  start({.spans_max = 10, .batch_max = 4, .delay = std::chrono::hours(1)});
  for (int i = 0; i < 3; ++i) tracer->record(span_named("a"));
  tracer->stop(patience);
  CHECK(to.batches == std::vector<std::size_t>{3});
  tracer->record(span_named("late"));
  CHECK(dropped(span_drop::queue_full) == 1);
}

TEST_CASE_METHOD(batch_tracer_test, "what does not fit into the queue is dropped and counted, and nothing waits") {
  to.holds = true;
  start({.spans_max = 4, .batch_max = 2, .delay = std::chrono::hours(1)});
  for (int i = 0; i < 2; ++i) tracer->record(span_named("sent"));
  REQUIRE(to.wait_until([&] { return to.waiting == 1; }));
  for (int i = 0; i < 7; ++i) tracer->record(span_named("queued or dropped"));
  CHECK(dropped(span_drop::queue_full) == 3);
  to.set(&collector::holds, false);
  CHECK(to.wait_until([&] { return to.spans.size() == 6; }));
}

TEST_CASE_METHOD(batch_tracer_test, "a stop does not wait for a collector that holds the connection") {
  to.holds = true;
  start({.spans_max = 10, .batch_max = 1, .delay = std::chrono::hours(1)});
  tracer->record(span_named("sent"));
  REQUIRE(to.wait_until([&] { return to.waiting == 1; }));
  tracer->record(span_named("queued"));
  CHECK_FALSE(tracer->stop(std::chrono::milliseconds(0)));
  to.set(&collector::holds, false);
  CHECK(tracer->stop(patience));
  CHECK(dropped(span_drop::export_failed) == 1);
  CHECK(tracer->stats().exported == 1);
}

TEST_CASE_METHOD(batch_tracer_test, "a failure is reported once, and its spans are counted") {
  to.fails = true;
  start({.spans_max = 10, .batch_max = 1, .delay = std::chrono::milliseconds(0)});
  tracer->record(span_named("a"));
  tracer->record(span_named("b"));
  tracer->stop(patience);
  CHECK(failures == 1);
  CHECK(dropped(span_drop::export_failed) == 2);
}

TEST_CASE_METHOD(batch_tracer_test, "the start of a span becomes a time of day") {
  start({.spans_max = 10, .batch_max = 1, .delay = std::chrono::milliseconds(0)});
  auto span = span_named("an hour ago");
  span.start -= std::chrono::hours(1);
  const auto before = std::chrono::system_clock::now() - std::chrono::hours(1);
  tracer->record(std::move(span));
  tracer->stop(patience);
  REQUIRE(to.spans.size() == 1);
  CHECK(to.spans.front().start >= before - std::chrono::minutes(1));
  CHECK(to.spans.front().start <= before + std::chrono::minutes(10));
}

}  // namespace
}  // namespace ordem::app
