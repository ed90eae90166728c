// Nodes with real engines over one log in NATS: who owns it, what moves it, and what a client sees of that.

#include "cluster/node/cluster_node.hpp"

#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <condition_variable>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "actors/gateway.hpp"
#include "cluster/nats/stream_calls.hpp"
#include "cluster/node/stream_position.hpp"
#include "engine/model/engine_clock.hpp"
#include "tests/actors/support.hpp"
#include "tests/cluster/servers/servers.hpp"
#include "tests/storage/open_store_support.hpp"
#include "tests/support_cpp/temp_folder.hpp"

namespace ordem::cluster {
namespace {

using namespace testing;

const std::string cluster_id = "2d1c7a54-9a3e-4c1f-8a53-0f6d0a8f6f11";
constexpr milliseconds never{3'600'000};

milliseconds since_epoch(auto now) {
  return std::chrono::duration_cast<milliseconds>(now.time_since_epoch());
}

// The engine's clock. While its latch is closed, all threads of the node stop, as in a process that is paused.
class pausable_clock final : public time_source {
 public:
  mutable latch pause;

  timestamp now() const noexcept override {
    pause.pass();
    return clock_.now();
  }
  clock_reading read() const noexcept override {
    pause.pass();
    return clock_.read();
  }
  void resume(std::optional<timestamp> newest, const std::optional<clock_state>& kept) override {
    clock_.resume(newest, kept);
  }
  void follow(timestamp newest, const std::optional<clock_state>& logged) override { clock_.follow(newest, logged); }
  void stop_following() override { clock_.stop_following(); }
  std::uint64_t changes() const noexcept override { return clock_.changes(); }
  clock_state state() const override { return clock_.state(); }

 private:
  engine_clock clock_{{[] { return timestamp(since_epoch(std::chrono::system_clock::now())); },
                       [] { return since_epoch(std::chrono::steady_clock::now()); }, ""}};
};

class test_engine final : public owner_engine {
 public:
  test_engine(storage::log& log, storage::view& view, const time_source& clock, actors::counters& counters,
              std::function<void()> on_visible)
      : gateway_(actors::gateway_settings{.write_retry_first = milliseconds(0), .id_seed = std::random_device()()},
                 actors::gateway_ports{.log = log,
                                       .view = view,
                                       .orders = view,
                                       .captures = view,
                                       .clock = clock,
                                       .newest_order = view.newest_order(),
                                       .counters = &counters},
                 {.on_visible = std::move(on_visible)}) {}

  message_port& port() override { return gateway_; }
  std::uint32_t add_queue(completion_queue& queue) override { return gateway_.add_queue(queue); }
  bool drain(milliseconds timeout) override { return gateway_.drain(timeout); }
  void seal() override { gateway_.seal(); }

 private:
  actors::gateway gateway_;
};

struct test_node {
  temp_folder folder;
  pausable_clock clock;
  std::unique_ptr<replicated_store> store;
  actors::counters counters;
  collecting_queue queue;
  std::mutex mutex;
  std::vector<std::string> errors;
  std::vector<ownership_end> ends;
  cluster_node_settings settings;
  std::unique_ptr<cluster_node> node;
  std::uint32_t queue_number = 0;
  std::atomic<std::uint32_t> last_token{0};

  test_node(const stream_settings& stream, const std::string& name, milliseconds takeover_after = milliseconds(1500)) {
    auto opened = open_replicated_store(settings_for(folder.path()), cluster_id, clock);
    if (!opened) FAIL(opened.error().message);
    store = std::move(*opened);
    settings.nats = servers();
    settings.names = stream.names;
    settings.node = name;
    settings.http_address = name + ":8080";
    settings.program_version = "1.2.3";
    settings.takeover_after = takeover_after;
    start();
  }
  // Again, after node.reset(): as another process with the same data folder.
  void start() {
    cluster_node_events events;
    events.on_error = [this](std::string_view what) {
      const std::lock_guard lock(mutex);
      errors.emplace_back(what);
    };
    events.on_ownership_ended = [this](std::uint64_t, ownership_end reason) {
      const std::lock_guard lock(mutex);
      ends.push_back(reason);
    };
    node = std::make_unique<cluster_node>(settings,
                                          cluster_node_ports{*store, clock,
                                                             [this](std::uint64_t, storage::log& log) {
                                                               return std::make_unique<test_engine>(
                                                                   log, store->store().view(), clock, counters,
                                                                   [this] { node->on_visible(); });
                                                             }},
                                          std::move(events));
    queue_number = node->port().add_queue(queue);
    node->start();
  }

  std::uint32_t submit(message what) {
    const std::uint32_t token = ++last_token;
    std::vector<submission> batch;
    batch.push_back({{queue_number, token}, std::move(what)});
    node->port().submit(std::move(batch));
    return token;
  }
  answer ask(message what) { return queue.wait_for(submit(std::move(what))); }
  // Repeats it while there is no owner, as a client does.
  executed execute(const message& what) {
    for (;;) {
      const answer got = ask(what);
      if (is_executed(got)) return executed_in(got);
      REQUIRE(is_refused<unavailability>(got));
    }
  }
  bool opens() {
    std::promise<bool> opened;
    if (node->reads().is_open()) return true;
    node->reads().wait([&](bool open) { opened.set_value(open); });
    return opened.get_future().get();
  }
  storage::view& view() { return store->store().view(); }
  std::vector<ownership_end> ended() {
    const std::lock_guard lock(mutex);
    return ends;
  }
  std::vector<std::pair<order_id, version>> orders() {
    std::vector<std::pair<order_id, version>> found;
    REQUIRE(view().scan_orders([&](const shared_order& each) {
      found.emplace_back(each->id, each->version);
      return true;
    }));
    return found;
  }
};

// What a thread of another component changes, so that a test can only look.
template <class Condition>
void eventually(const std::string& what, Condition holds) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!holds()) {
    if (std::chrono::steady_clock::now() > deadline) FAIL("not in time: " << what);
    std::this_thread::sleep_for(milliseconds(5));
  }
}

void owns(test_node& which) {
  eventually("a node owns the log", [&] { return which.node->is_owner(); });
}
void joins(test_node& which) {
  eventually("a node joins", [&] { return which.node->routes_requests(); });
}
void agree(test_node& one, test_node& other, std::size_t orders) {
  eventually("both views have the log", [&] { return one.view().visible() == other.view().visible(); });
  CHECK(one.orders().size() == orders);
  CHECK(one.orders() == other.orders());
}

struct log_in_nats {
  std::unique_ptr<nats_connection> connection = connect();
  stream_settings stream = make_stream(*connection);

  log_in_nats() { add(0, genesis_log_record({.cluster_id = cluster_id}, timestamp(milliseconds(1)))); }
  void add(std::uint64_t expected_last, const std::string& record) {
    const auto stored =
        append_record(*connection, stream.names.log_subject, expected_last, record, std::chrono::seconds(20));
    if (!stored) FAIL(stored.error());
    REQUIRE(std::holds_alternative<record_stored>(*stored));
  }
  stream_range range() {
    const auto info = read_stream_info(*connection, stream.names.stream);
    REQUIRE(info);
    REQUIRE(*info);
    return {(*info)->first_sequence, (*info)->last_sequence};
  }
  log_ownership ownership() {
    const auto found = find_ownership(records_of(*connection, stream.names.stream), range());
    if (!found) FAIL(found.error());
    REQUIRE(*found);
    return **found;
  }
};

TEST_CASE("a node alone claims the log, executes and reads, and goes on where it was after a restart", "[node]") {
  log_in_nats log;
  test_node first(log.stream, "node-a");
  CHECK_FALSE(first.node->routes_requests());
  owns(first);
  joins(first);
  const auto created = first.execute(creation(guid_of(1)));
  CHECK(first.opens());
  CHECK(first.view().find_version(created.outcome.order, {1}).value() != nullptr);
  // So that the lease ends, and a read needs a record of its own.
  eventually("the lease ends", [&] { return !first.node->reads().is_open(); });
  CHECK(first.opens());
  const auto stats = first.node->stats();
  CHECK(stats.role == node_role::owner);
  CHECK(stats.owner == "node-a");
  CHECK(stats.owner_address == "node-a:8080");
  CHECK(stats.epoch == 1);
  CHECK(stats.ownerships_begun == 1);
  CHECK(stats.applied == position{1});
  CHECK(stats.is_connected);
  CHECK(stats.links.size() == 3);
  first.node.reset();
  CHECK(first.view().visible() == position{1});
  CHECK_FALSE(log.ownership().is_released);
}

TEST_CASE("another node takes over from one that ends without a release, with all that was acknowledged", "[node]") {
  log_in_nats log;
  test_node first(log.stream, "node-a");
  owns(first);
  test_node second(log.stream, "node-b");
  joins(second);
  const auto created = second.execute(creation(guid_of(1)));  // by the owner
  CHECK(second.node->port().stats().forwarded == 1);
  CHECK(second.view().visible() == position{1});  // a client reads its own write here
  CHECK(second.opens());
  for (std::uint64_t i = 2; i <= 50; ++i) (void)first.execute(creation(guid_of(i)));
  first.node.reset();
  const auto again = second.execute(creation(guid_of(1)));
  CHECK(again.outcome == created.outcome);
  CHECK(again.replayed);
  CHECK(second.node->is_owner());
  CHECK(has_verdict(second.ask(replacement(guid_of(51), created.outcome.order, {1})), verdict::content_changed));
  CHECK(second.orders().size() == 50);
  CHECK(second.opens());
  CHECK(log.ownership().owner.node == "node-b");
}

TEST_CASE("a release moves the log at once, and every message is executed once", "[node]") {
  log_in_nats log;
  test_node first(log.stream, "node-a");
  owns(first);
  // Only the release lets it claim.
  test_node second(log.stream, "node-b", never);
  joins(second);
  eventually("the owner knows the other node", [&] {
    const auto stats = first.node->stats();
    return stats.peers.size() == 1 && stats.peers[0].last.role == node_role::standby;
  });
  std::atomic<bool> stops{false};
  std::vector<std::uint32_t> tokens[2];
  std::vector<std::thread> clients;
  for (std::size_t i = 0; i < 2; ++i) {
    clients.emplace_back([&, i] {
      test_node& by = i == 0 ? first : second;
      for (std::uint64_t number = 1; !stops && number < 10'000; ++number) {
        tokens[i].push_back(by.submit(creation(guid_of(i * 100'000 + number))));
        if (number % 8 == 0) (void)by.queue.wait_for(tokens[i].back());
      }
    });
  }
  eventually("writes are under way", [&] { return first.queue.answered() > 100 && second.queue.answered() > 100; });
  CHECK(first.node->release({}, std::chrono::seconds(30)));
  CHECK_FALSE(first.node->is_owner());
  owns(second);
  const auto before = first.queue.answered();
  eventually("writes go on", [&] { return first.queue.answered() > before + 100; });
  stops = true;
  for (auto& each : clients) each.join();
  std::size_t executed = 0;
  for (std::size_t i = 0; i < 2; ++i) {
    test_node& by = i == 0 ? first : second;
    for (const std::uint32_t token : tokens[i]) executed += is_executed(by.queue.wait_for(token)) ? 1 : 0;
    CHECK_FALSE(by.queue.answered_twice());
  }
  CHECK(executed == tokens[0].size() + tokens[1].size());
  agree(first, second, executed);
  CHECK(first.ended() == std::vector{ownership_end::released});
  CHECK(first.node->stats().role == node_role::standby);
  // A node that retires gives it back, and one that has retired does not take it.
  CHECK(second.node->retire(std::chrono::seconds(30)));
  owns(first);
  CHECK(is_executed(second.ask(creation(guid_of(1)))));
  CHECK(first.node->release("node-b", std::chrono::seconds(30)));
  CHECK_FALSE(first.node->release({}, std::chrono::seconds(1)));
  CHECK(first.node->retire(std::chrono::seconds(1)));
  CHECK(log.ownership().is_released);
}

TEST_CASE("an owner that was paused is fenced when it wakes, reads nothing stale, and stands by with an equal view",
          "[node]") {
  log_in_nats log;
  test_node first(log.stream, "node-a");
  owns(first);
  test_node second(log.stream, "node-b");
  joins(second);
  const order_id id = first.execute(creation(guid_of(1))).outcome.order;
  first.clock.pause.close();
  first.clock.pause.wait_until_blocked();
  owns(second);
  CHECK(second.execute(replacement(guid_of(2), id, {1})).outcome.version == version{2});
  CHECK_FALSE(first.node->reads().is_open());
  first.clock.pause.open();
  eventually("the first node stands by", [&] { return first.ended() == std::vector{ownership_end::fenced}; });
  CHECK(first.opens());
  CHECK(first.view().find_version(id, {2}).value() != nullptr);
  CHECK(first.execute(replacement(guid_of(3), id, {2})).outcome.version == version{3});
  CHECK(first.node->port().stats().forwarded > 0);
  agree(first, second, 1);
  // It can own it again.
  CHECK(second.node->release("node-a", std::chrono::seconds(30)));
  owns(first);
  CHECK(second.execute(replacement(guid_of(4), id, {3})).outcome.version == version{4});
  agree(first, second, 1);
  CHECK(first.node->stats().ended_fenced == 1);
}

TEST_CASE("an empty node reads the log from its start, and one that starts again goes on from where it was", "[node]") {
  log_in_nats log;
  test_node first(log.stream, "node-a");
  owns(first);
  for (std::uint64_t i = 1; i <= 300; ++i) first.submit(creation(guid_of(i)));
  (void)first.queue.wait_for_all(300);
  test_node second(log.stream, "node-b", never);
  joins(second);
  agree(first, second, 300);
  second.node.reset();
  (void)first.execute(creation(guid_of(301)));
  second.start();
  joins(second);
  agree(first, second, 301);
  // The owner's next process need not wait until the other nodes have heard nothing for a while.
  first.node.reset();
  first.settings.takeover_after = never;
  first.start();
  owns(first);
  CHECK(first.node->stats().epoch == 2);
  CHECK(first.execute(creation(guid_of(301))).replayed);
}

TEST_CASE("a node that cannot apply a record gives the log up and says why", "[node]") {
  log_in_nats log;
  const auto genesis = records_of(*log.connection, log.stream.names.stream)(1);
  REQUIRE(genesis);
  storage::log_record_header header = (*genesis)->header;
  const auto add = [&](storage::log_record_kind kind, const std::string& payload, std::uint32_t entries) {
    std::string record(storage::log_record_header_bytes, '\0');
    record += payload;
    header.hash_before = header.hash;
    header.kind = kind;
    header.entries = entries;
    storage::frame_log_record(record, header);
    log.add(log.range().last, record);
  };
  std::string epoch;
  encode_control_record(epoch, epoch_record{"gone", 7, ""});
  header.epoch = 1;
  add(storage::log_record_kind::epoch, epoch, 0);
  add(storage::log_record_kind::group, "no group", 1);
  test_node only(log.stream, "node-a");
  eventually("the node stops", [&] { return only.node->stats().stopped.has_value(); });
  const auto stats = only.node->stats();
  CHECK(stats.stopped == stop_reason::damaged_record);
  CHECK_THAT(stats.stopped_why, Catch::Matchers::Contains("position 1"));
  CHECK(stats.role == node_role::stopped);
  CHECK_FALSE(only.node->routes_requests());
  CHECK(is_refused(only.ask(creation(guid_of(1))), unavailability::no_owner));
  const auto ownership = log.ownership();
  CHECK(ownership.owner.node == "node-a");
  CHECK(ownership.is_released);
}

}  // namespace
}  // namespace ordem::cluster
