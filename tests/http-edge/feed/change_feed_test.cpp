#include "http-edge/feed/change_feed.hpp"

#include <catch2/catch.hpp>
#include <condition_variable>
#include <future>
#include <mutex>
#include <numeric>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "tests/http-edge/feed/fake_changes.hpp"

namespace ordem::http_edge {
namespace {

using namespace testing;

struct feed_test {
  fake_changes changes;
  feed_counters counters;
  change_feed feed{3, counters};

  feed_test() {
    feed.add_listener([this] {
      const std::lock_guard lock(mutex_);
      ++published_;
      changed_.notify_all();
    });
  }
  void start() { feed.attach(changes); }
  void write(int count, const std::string& customer = "a") {
    for (int i = 0; i < count; ++i) changes.append(customer);
    changes.show();
    feed.on_visible();
  }
  // Waits until the feed has a next step for a reader at that position.
  change_feed::next_block wait_next(position after) {
    std::unique_lock lock(mutex_);
    while (true) {
      const auto before = published_;
      lock.unlock();
      auto found = feed.next(after);
      if (!std::holds_alternative<change_feed::at_end>(found)) return found;
      lock.lock();
      changed_.wait(lock, [&] { return published_ != before; });
    }
  }
  // Waits until the feed's thread runs, from the end of the log on.
  void wait_running() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return published_ > 0; });
  }
  change_feed::read_result read(position after, const feed_filter& by = {}) {
    std::promise<change_feed::read_result> done;
    auto result = done.get_future();
    feed.read(after, by, [&](change_feed::read_result&& block) { done.set_value(std::move(block)); });
    return result.get();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int published_ = 0;
};

TEST_CASE_METHOD(feed_test, "readers over the bound are refused until one leaves") {
  start();
  std::vector<change_feed::permit> permits;
  for (int i = 0; i < 3; ++i) permits.push_back(feed.admit().value());
  CHECK_FALSE(feed.admit());
  CHECK(counters.refused == 1);
  CHECK(counters.readers == 3);
  permits.pop_back();
  CHECK(feed.admit());
  permits.clear();
  CHECK(counters.readers == 0);
}

TEST_CASE_METHOD(feed_test, "without a reader nothing is read from the log") {
  start();
  write(100);
  CHECK(changes.reads() == 0);
  CHECK(feed.lag() == 0);
}

TEST_CASE_METHOD(feed_test, "the newest blocks follow one another without a gap, and have each event once") {
  write(5);
  start();
  const auto reader = feed.admit();
  wait_running();
  position at{5};
  std::set<std::uint64_t> seen;
  for (int round = 0; round < 20; ++round) {
    write(1 + round * 20);
    const position end = changes.visible();
    while (at < end) {
      const auto found = wait_next(at);
      REQUIRE(std::holds_alternative<shared_feed_block>(found));
      const auto& block = *std::get<shared_feed_block>(found);
      CHECK(block.after() <= at);
      CHECK(block.bytes() < 2 * feed_block_bytes);
      block.select({}, at, [&](const feed_block::event& each) {
        CHECK(seen.insert(each.position.number).second);
        return true;
      });
      at = block.last();
    }
  }
  CHECK(at == changes.visible());
  CHECK(seen.size() == changes.visible().number - 5);
  CHECK(std::holds_alternative<change_feed::at_end>(feed.next(at)));
  CHECK(std::holds_alternative<change_feed::at_end>(feed.next({at.number + 10})));
  CHECK(feed.lag() == 0);
}

TEST_CASE_METHOD(feed_test, "a reader before the newest blocks is behind") {
  write(5);
  start();
  CHECK(std::holds_alternative<change_feed::behind>(feed.next({4})));
  CHECK(std::holds_alternative<change_feed::at_end>(feed.next({5})));
  const auto reader = feed.admit();
  wait_running();
  CHECK(std::holds_alternative<change_feed::behind>(feed.next({})));
  write(1);
  CHECK(std::holds_alternative<shared_feed_block>(wait_next({5})));
  CHECK(std::holds_alternative<change_feed::behind>(feed.next({4})));
}

TEST_CASE_METHOD(feed_test, "the memory of the newest blocks is bounded") {
  start();
  const auto reader = feed.admit();
  wait_running();
  constexpr int large = 200;
  constexpr std::size_t bytes = std::size_t{64} << 10;  // 12.5 MiB in all
  for (int i = 0; i < large; ++i) {
    changes.append("a", {}, verdict::order_created, bytes);
    changes.show();
    feed.on_visible();
    while (std::holds_alternative<change_feed::at_end>(wait_next({static_cast<std::uint64_t>(i)}))) continue;
  }
  std::size_t kept = 0;
  std::uint64_t first_kept = 0;
  for (std::uint64_t at = 0; at < large; ++at) {
    const auto found = feed.next({at});
    if (std::holds_alternative<change_feed::behind>(found)) {
      CHECK(kept == 0);  // only the oldest ones are dropped
      continue;
    }
    if (kept == 0) first_kept = at;
    kept += std::get<shared_feed_block>(found)->bytes();
  }
  CHECK(first_kept > 0);
  CHECK(kept > 0);
  CHECK(kept <= feed_limits::recent_bytes_max);
}

TEST_CASE_METHOD(feed_test,
                 "a block that is read from the log has what the filter takes, and tells how far it looked") {
  for (int i = 0; i < 1000; ++i) changes.append(i % 100 == 0 ? "mine" : "other");
  changes.show();
  start();
  const auto all = read({});
  REQUIRE(all);
  CHECK((*all)->events() > 10);
  CHECK((*all)->text().size() < 2 * feed_block_bytes);
  CHECK((*all)->last() < changes.visible());

  const auto mine = read({}, {"", "mine"});
  REQUIRE(mine);
  CHECK((*mine)->events() == 10);
  CHECK((*mine)->last() == changes.visible());
  const auto at_end = read(changes.visible());
  REQUIRE(at_end);
  CHECK((*at_end)->events() == 0);
  CHECK((*at_end)->last() == changes.visible());
}

TEST_CASE_METHOD(feed_test, "blocks that are read from the log one after the other have each event once") {
  constexpr std::uint64_t count = 1000;
  write(count);
  start();
  std::vector<std::uint64_t> found;
  std::vector<std::uint64_t> expected(count);
  std::iota(expected.begin(), expected.end(), std::uint64_t{1});
  position at;
  while (at < changes.visible()) {
    const auto block = read(at);
    REQUIRE(block);
    REQUIRE((*block)->last() > at);
    (*block)->select({}, at, [&](const feed_block::event& each) {
      found.push_back(each.position.number);
      return true;
    });
    at = (*block)->last();
  }
  CHECK(found == expected);
}

TEST_CASE_METHOD(feed_test, "one read looks at a bounded part of the log") {
  for (int i = 0; i < 30'000; ++i) changes.append("");
  changes.append("mine");
  changes.show();
  start();
  position at;
  int reads = 0;
  std::size_t events = 0;
  while (at < changes.visible()) {
    const auto block = read(at, {"", "mine"});
    REQUIRE(block);
    CHECK((*block)->last().number - at.number < 2 * feed_limits::looked_at_max);
    at = (*block)->last();
    events += (*block)->events();
    ++reads;
  }
  CHECK(reads >= 3);
  CHECK(events == 1);
}

TEST_CASE_METHOD(feed_test, "a read tells why it failed") {
  write(10);
  changes.trim({5});
  start();
  const auto trimmed = read({3});
  REQUIRE_FALSE(trimmed);
  CHECK(trimmed.error() == change_error::trimmed);
  CHECK(read({4}));
  changes.fail();
  const auto failed = read({4});
  REQUIRE_FALSE(failed);
  CHECK(failed.error() == change_error::storage_failed);
}

TEST_CASE_METHOD(feed_test, "a log that can't be read for a while has readers go on by themselves") {
  start();
  const auto reader = feed.admit();
  wait_running();
  changes.fail();
  write(3);
  // The feed begins again at the end, so this reader is behind it.
  CHECK(std::holds_alternative<change_feed::behind>(wait_next({})));
  changes.fail(false);
  CHECK(read({}));
}

TEST_CASE_METHOD(feed_test, "a stop drops the reads that wait") {
  start();
  const auto reader = feed.admit();
  for (int i = 0; i < 100; ++i) feed.read({}, {}, [](change_feed::read_result&&) {});
  feed.stop();
  SUCCEED();
}

}  // namespace
}  // namespace ordem::http_edge
