// Replication of the log to a sink: in order, without gaps, through every kind of failure, and its effect on replies
// that wait for it.

#include <catch2/catch.hpp>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>

#include "storage/log/sink.hpp"
#include "tests/actors/gateway_fixture.hpp"

namespace ordem::actors {
namespace {

using namespace testing;
using namespace std::chrono_literals;

// A sink in memory with failures on demand. Records violations of what storage::sink requires of its callers.
class fake_sink final : public storage::sink {
 public:
  latch writes;

  using failures = std::deque<std::optional<storage::error>>;  // nullopt: the call succeeds

  void fail_claims(failures what) {
    const std::lock_guard lock(mutex_);
    claim_failures_ = std::move(what);
  }
  // If `taken`, the failing writes take effect all the same, as after a commit whose response is lost.
  void fail_writes(failures what, bool taken = false) {
    const std::lock_guard lock(mutex_);
    write_failures_ = std::move(what);
    taken_all_the_same_ = taken;
  }
  // Makes the last entry one of another log.
  void hold_another_log() {
    const std::lock_guard lock(mutex_);
    holds_another_log_ = true;
  }
  // Restores the sink to an earlier state. The next write fails because of it; the one after that waits for
  // writes.open() if `then_close`.
  void put_back(std::uint64_t count, bool then_close = false) {
    const std::lock_guard lock(mutex_);
    held_ = count;
    closes_after_failure_ = then_close;
    write_failures_ = {storage::error{storage::error_code::unavailable, "it was put back"}};
  }
  // Makes the sink hold the first `count` entries of the log.
  void hold(std::uint64_t count) {
    const std::lock_guard lock(mutex_);
    held_ = count;
  }

  storage::result<position> claim(const storage::claim_check& object) override {
    const std::lock_guard lock(mutex_);
    ++claims_;
    changed_.notify_all();
    if (auto failure = next_of(claim_failures_)) return tl::make_unexpected(*failure);
    const auto has = [this](const storage::logged_entry& what) {
      if (what.position.number != held_) faults_.push_back("asked for an entry that is not the last");
      return !holds_another_log_;
    };
    if (auto validation_error = object(position{held_}, has)) return tl::make_unexpected(*validation_error);
    claimed_ = true;
    return position{held_};
  }

  storage::result<void> write(std::span<const storage::logged_entry> entries) override {
    writes.pass();
    const std::lock_guard lock(mutex_);
    if (!claimed_) faults_.push_back("a write without a claim");
    if (entries.empty()) faults_.push_back("a write of nothing");
    auto failure = next_of(write_failures_);
    if (!failure || taken_all_the_same_) take(entries);
    changed_.notify_all();
    if (!failure) return {};
    claimed_ = false;
    if (std::exchange(closes_after_failure_, false)) writes.close();
    return tl::make_unexpected(*failure);
  }

  void interrupt() noexcept override { writes.open(); }

  bool wait_for_held(std::uint64_t count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, patience, [&] { return held_ >= count; });
  }
  bool wait_for_claims(int count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, patience, [&] { return claims_ >= count; });
  }
  std::vector<std::string> faults() const {
    const std::lock_guard lock(mutex_);
    return faults_;
  }

 private:
  static std::optional<storage::error> next_of(failures& from) {
    if (from.empty()) return std::nullopt;
    auto next = std::move(from.front());
    from.pop_front();
    return next;
  }
  void take(std::span<const storage::logged_entry> entries) {
    for (const storage::logged_entry& each : entries) {
      if (each.position.number != ++held_) faults_.push_back("a gap before " + std::to_string(each.position.number));
    }
  }

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool holds_another_log_ = false;
  failures claim_failures_;
  failures write_failures_;
  bool taken_all_the_same_ = false;
  bool closes_after_failure_ = false;
  bool claimed_ = false;
  int claims_ = 0;
  std::uint64_t held_ = 0;
  std::vector<std::string> faults_;
};

// An event on another thread. Thread-safe.
class occasion {
 public:
  void happen() {
    const std::lock_guard lock(mutex_);
    ++times_;
    happened_.notify_all();
  }
  bool wait() {
    std::unique_lock lock(mutex_);
    return happened_.wait_for(lock, patience, [this] { return times_ > 0; });
  }
  int times() const {
    const std::lock_guard lock(mutex_);
    return times_;
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable happened_;
  int times_ = 0;
};

struct replicator_test : gateway_test {
  fake_sink sink;
  occasion caught_up;
  std::vector<std::pair<position, position>> put_backs;  // read once a later event has happened
  occasion recovered;
  occasion ended;
  std::mutex failure_messages_mutex;
  std::vector<std::string> failure_messages;

  ~replicator_test() {
    sink.writes.open();
    engine.reset();
    CHECK(sink.faults() == std::vector<std::string>{});
  }

  void consume(gateway_settings settings = {}) {
    settings.consumer.linger = 1ms;
    settings.consumer.retry_first = 1ms;
    settings.consumer.retry_longest = 4ms;
    gateway_events events;
    events.on_sink_failure = [this](std::string_view why) {
      const std::lock_guard lock(failure_messages_mutex);
      failure_messages.emplace_back(why);
    };
    events.on_sink_recovery = [this] { recovered.happen(); };
    events.on_sink_put_back = [this](position held, position before) { put_backs.emplace_back(held, before); };
    events.on_caught_up = [this] { caught_up.happen(); };
    events.on_sink_end = [this] { ended.happen(); };
    start(settings, std::move(events), &sink);
    engine->start_consuming();
  }
  void consume_with_durability_postgres() {
    gateway_settings settings;
    settings.consumer.wait_for_persisted = true;
    consume(settings);
    REQUIRE(caught_up.wait());
  }
  std::vector<std::string> failures_reported() {
    const std::lock_guard lock(failure_messages_mutex);
    return failure_messages;
  }
};

storage::error away() {
  return {storage::error_code::unavailable, "it is away"};
}
storage::error superseded() {
  return {storage::error_code::permanent, "another engine has taken over"};
}

// --- behind the replies ---

TEST_CASE_METHOD(replicator_test, "everything that the log holds reaches the sink, in order") {
  consume();
  answers_to(submit_all(creations(0, 500)));
  CHECK(sink.wait_for_held(500));
  CHECK(engine->finish_consuming(patience));
  CHECK(engine->positions().persisted == position{500});
}

TEST_CASE_METHOD(replicator_test, "a sink that is behind the log at the start catches up") {
  answers_to(submit_all(creations(0, 10)));
  sink.hold(4);
  consume();
  REQUIRE(caught_up.wait());
  CHECK(sink.wait_for_held(10));
  CHECK(caught_up.times() == 1);
}

TEST_CASE_METHOD(replicator_test, "replies do not wait for the sink") {
  consume();
  sink.writes.close();
  CHECK(has_verdict(ask(creation(guid_of("k-1"))), verdict::order_created));
  sink.writes.wait_until_blocked();
  CHECK(has_verdict(ask(creation(guid_of("k-2"))), verdict::order_created));
  CHECK(engine->positions().durable == position{2});
  CHECK(engine->positions().persisted == position{0});
}

TEST_CASE_METHOD(replicator_test, "a sink that can't be reached is tried again until it can") {
  sink.fail_claims({away(), away(), away()});
  consume();
  answers_to(submit_all(creations(0, 5)));
  CHECK(sink.wait_for_held(5));
  CHECK(recovered.wait());
  CHECK(failures_reported() == std::vector<std::string>(3, "it is away"));
}

TEST_CASE_METHOD(replicator_test, "before the sink has been connected its position is unknown") {
  sink.fail_claims(fake_sink::failures(1000, away()));
  consume();
  REQUIRE(sink.wait_for_claims(2));
  CHECK_FALSE(engine->positions().persisted.has_value());
  CHECK_FALSE(engine->finish_consuming(patience));
}

TEST_CASE_METHOD(replicator_test, "a batch that fails is written again, once") {
  sink.fail_writes({away(), std::nullopt, away()});
  consume();
  for (std::uint64_t i = 0; i < 5; ++i) answers_to(submit_all(creations(i * 20, 20)));
  CHECK(sink.wait_for_held(100));
}

TEST_CASE_METHOD(replicator_test, "a batch whose commit got no response is not written twice") {
  sink.fail_writes({away(), away()}, true);
  consume();
  answers_to(submit_all(creations(0, 20)));
  CHECK(sink.wait_for_held(20));
  CHECK(recovered.wait());
  CHECK(engine->finish_consuming(patience));
  CHECK(engine->positions().persisted == position{20});
}

// --- final failures ---

TEST_CASE_METHOD(replicator_test, "a superseded engine takes no more writes, and reads continue") {
  consume();
  const order_id id = create(guid_of("k-1"));
  REQUIRE(sink.wait_for_held(1));
  sink.fail_writes({superseded()});
  ask(creation(guid_of("k-2")));
  REQUIRE(ended.wait());
  CHECK(is_refused(ask(creation(guid_of("k-3"))), unavailability::read_only));
  CHECK(store.find_order(id).value() != nullptr);
  CHECK(failures_reported() == std::vector<std::string>{superseded().message});
  CHECK(ended.times() == 1);
}

TEST_CASE_METHOD(replicator_test, "calls that depend on a record that a superseded engine did not write fail with it") {
  const capture_key key = key_of("some-key");
  gateway_settings settings;
  settings.shards = 1;
  consume(settings);
  sink.writes.close();
  ask(allocation(key));
  sink.writes.wait_until_blocked();
  store.appends.close();
  submit(creation(guid_of("k-1")));
  store.appends.wait_until_blocked();
  // Enough for a second group, which has no entries.
  std::vector<capture_request> late = {record(key, response_of("r"))};
  late.insert(late.end(), storage::group_entries_max + 10, allocation(key));
  const auto tokens = submit_all(std::move(late));
  sink.fail_writes({superseded()});
  sink.writes.open();
  REQUIRE(ended.wait());
  store.appends.open();
  const auto answers = answers_to(tokens);
  CHECK(count_if(answers, is(unavailability::read_only)) == storage::group_entries_max + 11);
  CHECK(store.find_capture({}, key, clock.now()).value()->response == nullptr);
}

TEST_CASE_METHOD(replicator_test,
                 "a sink that holds more than the log is not written to, and no more writes are taken") {
  answers_to(submit_all(creations(0, 3)));
  sink.hold(5);
  consume();
  REQUIRE(ended.wait());
  CHECK(failures_reported().front().find("5 entries") != std::string::npos);
  CHECK(is_refused(ask(creation(guid_of("k-9"))), unavailability::read_only));
  CHECK(caught_up.times() == 0);
}

TEST_CASE_METHOD(replicator_test, "a sink with another last entry is not written to, and no more writes are taken") {
  answers_to(submit_all(creations(0, 3)));
  sink.hold(2);
  sink.hold_another_log();
  consume();
  REQUIRE(ended.wait());
  CHECK(failures_reported().front().find("at position 2") != std::string::npos);
  CHECK(is_refused(ask(creation(guid_of("k-9"))), unavailability::read_only));
  CHECK(caught_up.times() == 0);
}

TEST_CASE_METHOD(replicator_test,
                 "a log that was trimmed before the sink had it is a final failure, and no more writes are taken") {
  answers_to(submit_all(creations(0, 3)));
  store.trim({1});
  consume();
  REQUIRE(ended.wait());
  CHECK(failures_reported().front().find("up to position 0") != std::string::npos);
  CHECK(failures_reported().front().find("begins at position 2") != std::string::npos);
  CHECK(is_refused(ask(creation(guid_of("k-9"))), unavailability::read_only));
}

// --- restored to an earlier state ---

TEST_CASE_METHOD(replicator_test, "a sink that was restored to an earlier state gets the missing entries again") {
  const std::uint64_t left = GENERATE(0U, 1U, 4U, 9U);
  consume();
  answers_to(submit_all(creations(0, 10)));
  REQUIRE(sink.wait_for_held(10));
  sink.put_back(left);
  ask(creation(guid_of("k-1")));
  CHECK(sink.wait_for_held(11));
  CHECK(recovered.wait());
  CHECK(engine->finish_consuming(patience));
  CHECK(put_backs == std::vector<std::pair<position, position>>{{{left}, {10}}});
  CHECK(ended.times() == 0);
}

TEST_CASE_METHOD(replicator_test,
                 "while a sink that was put back is filled again, its position is the one that it holds") {
  consume();
  answers_to(submit_all(creations(0, 10)));
  REQUIRE(sink.wait_for_held(10));
  REQUIRE(engine->finish_consuming(patience));
  sink.put_back(4, true);
  ask(creation(guid_of("k-1")));
  REQUIRE(sink.wait_for_claims(2));
  sink.writes.wait_until_blocked();
  const auto persisted = engine->positions().persisted;
  sink.writes.open();
  CHECK(persisted == position{4});
  CHECK(sink.wait_for_held(11));
}

TEST_CASE_METHOD(replicator_test,
                 "a sink that was restored to before the log begins is a final failure, and no more writes are taken") {
  consume();
  answers_to(submit_all(creations(0, 10)));
  REQUIRE(sink.wait_for_held(10));
  store.trim({5});
  sink.put_back(4);
  ask(creation(guid_of("k-1")));
  REQUIRE(ended.wait());
  CHECK(failures_reported().back().find("up to position 4") != std::string::npos);
  CHECK(failures_reported().back().find("begins at position 6") != std::string::npos);
  CHECK(failures_reported().back().find("holds position 5") != std::string::npos);
  CHECK(is_refused(ask(creation(guid_of("k-2"))), unavailability::read_only));
  CHECK(put_backs.empty());
}

TEST_CASE_METHOD(replicator_test, "a sink that was restored to where the log begins gets the missing entries again") {
  consume();
  answers_to(submit_all(creations(0, 10)));
  REQUIRE(sink.wait_for_held(10));
  store.trim({5});
  sink.put_back(5);
  ask(creation(guid_of("k-1")));
  CHECK(sink.wait_for_held(11));
}

// --- the backlog ---

TEST_CASE_METHOD(replicator_test, "past the backlog's bound writes are refused, until the sink has caught up") {
  answers_to(submit_all(creations(0, 11)));  // a byte each in fake_store
  sink.writes.close();
  gateway_settings settings;
  settings.consumer.backlog_bytes_max = 10;
  consume(settings);
  sink.writes.wait_until_blocked();
  const auto refused = ask(creation(guid_of("k-1")));
  CHECK(is_refused(refused, unavailability::backlog_full));
  CHECK(engine->backlog_bytes() == 11);

  sink.writes.open();
  REQUIRE(sink.wait_for_held(11));
  REQUIRE(engine->finish_consuming(patience));
  CHECK(has_verdict(ask(creation(guid_of("k-1"))), verdict::order_created));
}

// --- durability postgres ---

TEST_CASE_METHOD(replicator_test,
                 "a reply that waits for the sink is sent once the sink has its entry, and not before") {
  consume_with_durability_postgres();
  sink.writes.close();
  const auto token = submit(creation(guid_of("k-1")));
  sink.writes.wait_until_blocked();
  CHECK(store.last() == position{1});
  CHECK(store.visible() == position{0});
  CHECK(queue.answered() == 0);
  sink.writes.open();
  CHECK(has_verdict(queue.wait_for(token), verdict::order_created));
  CHECK(store.visible() == position{1});
}

TEST_CASE_METHOD(replicator_test, "a repeat joins a message that waits for the sink") {
  consume_with_durability_postgres();
  sink.writes.close();
  const auto first = submit(creation(guid_of("k-1")));
  sink.writes.wait_until_blocked();
  const auto second = submit(creation(guid_of("k-1")));
  sink.writes.open();
  CHECK(executed_in(queue.wait_for(first)).outcome == executed_in(queue.wait_for(second)).outcome);
  CHECK(store.last() == position{1});
}

TEST_CASE_METHOD(replicator_test, "replies that wait survive failures of the sink") {
  consume_with_durability_postgres();
  sink.fail_writes({away(), away(), away()});
  const auto answers = answers_to(submit_all(creations(0, 50)));
  CHECK(count_if(answers, has(verdict::order_created)) == 50);
}

TEST_CASE_METHOD(replicator_test, "a reply waits until a restored sink has all entries before it, too") {
  consume_with_durability_postgres();
  answers_to(submit_all(creations(0, 10)));
  sink.put_back(4, true);
  const auto token = submit(creation(guid_of("k-1")));
  REQUIRE(sink.wait_for_claims(2));
  sink.writes.wait_until_blocked();
  CHECK(store.visible() == position{10});  // what was visible stays visible
  CHECK(store.last() == position{11});
  CHECK(queue.answered() == 10);
  sink.writes.open();
  CHECK(has_verdict(queue.wait_for(token), verdict::order_created));
  CHECK(sink.wait_for_held(11));
}

TEST_CASE_METHOD(replicator_test,
                 "replies that wait for a sink that has ended are read_only, and no repeat is executed") {
  consume_with_durability_postgres();
  sink.writes.close();
  const auto token = submit(creation(guid_of("k-1")));
  sink.writes.wait_until_blocked();
  sink.fail_writes({superseded()});
  sink.writes.open();
  CHECK(is_refused(queue.wait_for(token), unavailability::read_only));
  CHECK(is_refused(ask(creation(guid_of("k-1"))), unavailability::read_only));
  CHECK(store.appended() == position{1});
}

TEST_CASE_METHOD(replicator_test, "a sealed engine answers what waits for the sink, and can be drained and destroyed") {
  consume_with_durability_postgres();
  ask(creation(guid_of("k-0")));
  sink.writes.close();
  const auto token = submit(creation(guid_of("k-1")));
  sink.writes.wait_until_blocked();
  engine->seal();
  CHECK(is_refused(queue.wait_for(token), unavailability::read_only));
  CHECK(is_refused(ask(creation(guid_of("k-2"))), unavailability::read_only));
  CHECK(is_refused(ask(creation(guid_of("k-0"))), unavailability::read_only));
  CHECK(engine->drain(patience));
  CHECK(store.visible() == position{1});
  engine.reset();
}

TEST_CASE_METHOD(replicator_test, "a stop does not wait for a sink that hangs") {
  consume();
  sink.writes.close();
  ask(creation(guid_of("k-1")));
  sink.writes.wait_until_blocked();
  CHECK(engine->drain(patience));
  CHECK_FALSE(engine->finish_consuming(1ms));
  engine.reset();
  SUCCEED();
}

}  // namespace
}  // namespace ordem::actors
