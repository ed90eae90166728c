// Which groups are durable when a write fails.
#include "actors/commit/log_syncer.hpp"

#include <atomic>
#include <catch2/catch.hpp>
#include <cstdint>
#include <latch>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "tests/actors/gateway_fixture.hpp"
#include "tests/support_cpp/memory_log.hpp"
#include "tests/support_cpp/memory_view.hpp"

namespace ordem::actors {
namespace {

using namespace testing;

// A log that blocks before and after each sync while the latches are closed.
class gated_log final : public storage::log {
 public:
  memory_log inner;
  latch before_syncs;
  latch after_syncs;

  tl::expected<position, storage::log_error> append(std::span<const storage::entry> entries) override {
    return inner.append(entries);
  }
  tl::expected<position, storage::log_error> sync() override {
    before_syncs.pass();
    auto synced = inner.sync();
    after_syncs.pass();
    return synced;
  }
  storage::result<void> recover() override { return inner.recover(); }
  tl::expected<std::vector<storage::logged_entry>, storage::log_read_error> read(position from,
                                                                                 std::size_t limit) const override {
    return inner.read(from, limit);
  }
  position first() const override { return inner.first(); }
  position last() const noexcept override { return inner.last(); }
  position appended() const noexcept override { return inner.appended(); }
  tl::expected<std::uint64_t, storage::log_read_error> bytes_after(position at) const override {
    return inner.bytes_after(at);
  }
  void release(storage::log_consumer who, position through) override { inner.release(who, through); }
};

struct log_syncer_test {
  manual_clock clock;
  gated_log log;
  memory_view view{log};
  collecting_queue queue;
  std::latch recovered{1};
  std::atomic<int> failures{0};
  std::unique_ptr<gateway> engine;
  std::uint32_t queue_number = 0;
  std::uint32_t next_token = 0;

  log_syncer_test() {
    gateway_settings settings;
    settings.shards = 1;
    settings.write_retry_first = milliseconds(0);
    gateway_events events;
    events.on_write_failure = [this] { ++failures; };
    events.on_write_recovery = [this] { recovered.count_down(); };
    engine = std::make_unique<gateway>(
        settings, gateway_ports{.log = log, .view = view, .orders = view, .captures = view, .clock = clock},
        std::move(events));
    queue_number = engine->add_queue(queue);
  }
  ~log_syncer_test() {
    log.before_syncs.open();
    log.after_syncs.open();
  }

  std::uint32_t submit(message what) {
    std::vector<submission> one;
    one.push_back({{queue_number, next_token}, std::move(what)});
    engine->submit(std::move(one));
    return next_token++;
  }
};

TEST_CASE_METHOD(log_syncer_test, "a group that an earlier sync covered is not failed by a write that fails after it") {
  log.before_syncs.close();
  const auto first = submit(creation(guid_of("k-1")));
  log.before_syncs.wait_until_blocked();
  const auto second = submit(creation(guid_of("k-2")));
  REQUIRE(gateway_test::wait_until([&] { return log.appended() == position{2}; }));
  log.after_syncs.close();
  log.before_syncs.open();
  log.after_syncs.wait_until_blocked();
  REQUIRE(log.last() == position{2});  // both are durable, and the syncer has only been told of the first
  log.inner.fail_next_append();
  const auto third = submit(creation(guid_of("k-3")));
  REQUIRE(gateway_test::wait_until([&] { return failures == 1; }));
  log.after_syncs.open();

  CHECK(has_verdict(queue.wait_for(first), verdict::order_created));
  CHECK(has_verdict(queue.wait_for(second), verdict::order_created));
  CHECK(is_refused(queue.wait_for(third), unavailability::read_only));
  recovered.wait();
  const auto again = queue.wait_for(submit(creation(guid_of("k-2"))));
  REQUIRE(has_verdict(again, verdict::order_created));
  CHECK(executed_in(again).replayed);
  CHECK(has_verdict(queue.wait_for(submit(creation(guid_of("k-3")))), verdict::order_created));
  CHECK(log.last() == position{3});
  CHECK(view.faults() == std::vector<std::string>{});
}

}  // namespace
}  // namespace ordem::actors
