// One node, event by event: what it appends, when it owns the log, and when it stops.

#include "cluster/protocol/node_core.hpp"

#include <catch2/catch.hpp>
#include <string>

#include "tests/cluster/protocol/support.hpp"

namespace ordem::cluster {
namespace {

using testing::all_of;
using testing::at_ms;
using testing::only;
using testing::record_writer;
using testing::sample_cluster_id;

node_settings settings_of(const std::string& name, std::uint64_t nonce = 1) {
  node_settings settings;
  settings.node = name;
  settings.nonce = nonce;
  settings.http_address = name + ":8080";
  return settings;
}

std::string group_of(const std::string& payload) {
  return std::string(storage::log_record_header_bytes, '\0') + payload;
}

publish_reply stored(const publish_effect& what) {
  return {what.sequence, what.attempt, publish_outcome::stored, what.sequence};
}
publish_reply wrong_last(const publish_effect& what, std::uint64_t last) {
  return {what.sequence, what.attempt, publish_outcome::wrong_last, last};
}

// A node with a log that has its first record, and then as many as the test adds.
struct single_node {
  record_writer log;
  std::uint64_t stream_last = 0;
  node_core core;
  explicit single_node(const std::string& name = "a", protocol_rules rules = {})
      : core(settings_of(name), {}, at_ms(0), rules) {
    core.on_connection(true, at_ms(0));
    deliver(log.genesis(), 0);
    core.on_stream_state(1, stream_last, at_ms(0));
    core.take_effects();
  }

  // A record of another node lands and is read.
  void deliver(const shared_record& record, std::int64_t time_ms) {
    core.on_record(++stream_last, record, at_ms(time_ms));
  }

  // Calls the timer until that time, as often as the node wants. Returns the effects.
  std::vector<effect> wait_until(std::int64_t from_ms, std::int64_t until_ms) {
    std::vector<effect> all;
    for (std::int64_t now = from_ms; now <= until_ms; now += 50) {
      core.on_timer(at_ms(now));
      for (effect& each : core.take_effects()) all.push_back(std::move(each));
    }
    return all;
  }

  // Becomes the owner of a log without one. Returns the time.
  std::int64_t own() {
    const auto claim = only<publish_effect>(wait_until(0, 1500));
    core.on_publish_reply(stored(claim), at_ms(1510));
    stream_last = claim.sequence;
    REQUIRE(core.role() == node_role::owner);
    core.take_effects();
    return 1510;
  }

  publish_effect append(const std::string& payload, std::int64_t time_ms) {
    core.append(group_of(payload), 1, at_ms(time_ms));
    return only<publish_effect>(core.take_effects());
  }
};

TEST_CASE("a standby claims a log without an owner after 1.5 s, and owns it once the claim is written") {
  single_node node;
  CHECK(node.core.role() == node_role::standby);
  CHECK(all_of<publish_effect>(node.wait_until(0, 1450)).empty());
  const auto claim = only<publish_effect>(node.wait_until(1500, 1500));
  CHECK(claim.sequence == 2);
  CHECK(node.core.role() == node_role::claiming);
  const auto header = decode_whole_record(*claim.record);
  REQUIRE(header);
  CHECK(header->kind == storage::log_record_kind::epoch);
  CHECK(header->epoch == 1);
  CHECK(decode_epoch(storage::payload_of(*header, *claim.record)) == epoch_record{"a", 1, "a:8080"});

  node.core.on_publish_reply(stored(claim), at_ms(1510));
  const auto effects = node.core.take_effects();
  REQUIRE(effects.size() == 2);
  CHECK(std::get<record_effect>(effects[0]).sequence == 2);
  CHECK(std::get<record_effect>(effects[0]).is_own);
  CHECK(std::get<ownership_begun_effect>(effects[1]).epoch == 1);
  CHECK(node.core.next_position() == position{1});
}

TEST_CASE("a new owner waits until the lease of the old one is over, unless that has released the log") {
  single_node node("b");
  const bool is_released = GENERATE(false, true);
  node.deliver(node.log.epoch("a", 9), 100);
  node.deliver(node.log.group("1"), 200);
  std::int64_t claimed = 1700;
  if (is_released) {
    node.deliver(node.log.release("b"), 1000);
    claimed = 1000;
  }
  auto effects = node.core.take_effects();
  if (!is_released) {
    for (effect& each : node.wait_until(200, claimed)) effects.push_back(std::move(each));
  }
  const auto claim = only<publish_effect>(effects);
  // As if the claim had been made at once: the wait counts from the last record of the old epoch.
  node.core.on_publish_reply(stored(claim), at_ms(claimed + 1));
  CHECK(node.core.role() == node_role::owner);
}

TEST_CASE("a claim soon after a record of the old owner is written long before the ownership begins") {
  node_settings settings = settings_of("b");
  settings.takeover_after = milliseconds(100);
  record_writer log;
  node_core core(settings, {}, at_ms(0));
  core.on_connection(true, at_ms(0));
  core.on_record(1, log.genesis(), at_ms(0));
  core.on_record(2, log.epoch("a", 9), at_ms(0));
  core.on_stream_state(1, 2, at_ms(0));
  core.on_record(3, log.group("1"), at_ms(50));
  core.take_effects();
  core.on_timer(at_ms(150));
  core.on_publish_reply(stored(only<publish_effect>([&] {
                          auto effects = core.take_effects();
                          return effects;
                        }())),
                        at_ms(160));
  CHECK(core.role() == node_role::claiming);
  CHECK(core.next_deadline() <= boot_time{milliseconds(1150)});
  core.on_timer(at_ms(600));
  core.on_timer(at_ms(1149));
  CHECK(core.role() == node_role::claiming);
  CHECK_FALSE(core.has_room(1));
  core.on_timer(at_ms(1150));
  CHECK(core.role() == node_role::owner);
  CHECK(core.next_position() == position{2});
}

TEST_CASE("a standby gets a group when the owner shows it, and control records behind it") {
  single_node node("b");
  node.deliver(node.log.epoch("a", 9), 0);
  node.core.take_effects();
  node.deliver(node.log.group("1", 2), 0);
  node.deliver(node.log.barrier(), 0);
  CHECK(node.core.take_effects().empty());
  CHECK(node.core.chain().last == position{2});
  SECTION("by a heartbeat") {
    heartbeat beat;
    beat.node = "a";
    beat.role = node_role::owner;
    beat.epoch = 1;
    beat.applied = {1};
    node.core.on_heartbeat(beat, at_ms(10));
    CHECK(node.core.take_effects().empty());
    beat.applied = {2};
    node.core.on_heartbeat(beat, at_ms(20));
  }
  SECTION("by an answer") {
    node.core.on_visible({1});
    CHECK(node.core.take_effects().empty());
    node.core.on_visible({2});
  }
  SECTION("by a later record") {
    node.log.set_durable({2});
    node.deliver(node.log.barrier(), 10);
    auto effects = node.core.take_effects();
    REQUIRE(all_of<record_effect>(effects).size() == 3);
    CHECK(std::get<record_effect>(effects[2]).sequence == 5);
    return;
  }
  SECTION("by owning the log itself") {
    const auto claim = only<publish_effect>(node.wait_until(0, 1500));
    CHECK(node.core.take_effects().empty());
    node.core.on_publish_reply(stored(claim), at_ms(1510));
    const auto effects = node.core.take_effects();
    REQUIRE(all_of<record_effect>(effects).size() == 3);
    CHECK(std::holds_alternative<ownership_begun_effect>(effects.back()));
    return;
  }
  const auto effects = node.core.take_effects();
  REQUIRE(all_of<record_effect>(effects).size() == 2);
  CHECK(std::get<record_effect>(effects[0]).sequence == 3);
  CHECK_FALSE(std::get<record_effect>(effects[0]).is_own);
  CHECK(std::get<record_effect>(effects[1]).sequence == 4);
}

TEST_CASE("a heartbeat of the owner puts off the claim, one of an owner of an earlier epoch does not") {
  single_node node("b");
  node.deliver(node.log.epoch("a", 9), 0);
  node.deliver(node.log.epoch("c", 9), 0);
  node.core.take_effects();
  heartbeat beat;
  beat.node = "c";
  beat.role = node_role::owner;
  beat.epoch = 2;
  node.wait_until(0, 1400);
  node.core.on_heartbeat(beat, at_ms(1400));
  CHECK(all_of<publish_effect>(node.wait_until(1450, 2850)).empty());
  beat.node = "a";
  beat.epoch = 1;
  node.core.on_heartbeat(beat, at_ms(2850));
  CHECK(all_of<publish_effect>(node.wait_until(2900, 2900)).size() == 1);
}

TEST_CASE("standbys take turns in the order of their names") {
  single_node node("c");
  heartbeat beat;
  beat.role = node_role::standby;
  beat.sequence = 1;
  for (std::int64_t now = 0; now < 2400; now += 300) {
    for (const char* name : {"a", "b", "d"}) {
      beat.node = name;
      node.core.on_heartbeat(beat, at_ms(now));
    }
    CHECK(all_of<publish_effect>(node.wait_until(now, now + 250)).empty());
  }
  for (const char* name : {"a", "b"}) {
    beat.node = name;
    node.core.on_heartbeat(beat, at_ms(2400));
  }
  CHECK(all_of<publish_effect>(node.wait_until(2400, 2450)).empty());
  CHECK(all_of<publish_effect>(node.wait_until(2500, 2500)).size() == 1);
}

TEST_CASE("a node that was paused, or whose connection did not work, listens before it claims") {
  single_node node;
  const bool was_paused = GENERATE(false, true);
  if (was_paused) {
    node.wait_until(0, 100);
  } else {
    node.core.on_connection(false, at_ms(0));
    CHECK(all_of<publish_effect>(node.wait_until(0, 4900)).empty());
    node.core.on_connection(true, at_ms(5000));
  }
  CHECK(all_of<publish_effect>(node.wait_until(5000, 6450)).empty());
  CHECK(all_of<publish_effect>(node.wait_until(6500, 6500)).size() == 1);
}

TEST_CASE("the window takes 8 records or 4 MiB, and one record of any size") {
  single_node node;
  const std::int64_t now = node.own();
  CHECK(node.core.has_room(std::size_t{5} << 20));
  std::vector<publish_effect> sent;
  for (std::uint64_t i = 0; i < 8; ++i) {
    REQUIRE(node.core.has_room(100));
    sent.push_back(node.append("group", now));
    CHECK(sent.back().sequence == 3 + i);
  }
  CHECK_FALSE(node.core.has_room(100));
  node.core.on_publish_reply(stored(sent[0]), at_ms(now));
  CHECK(node.core.has_room(100));
  CHECK_FALSE(node.core.has_room(std::size_t{4} << 20));
}

TEST_CASE("acknowledgements count in order, and records are handed out before what waits for them") {
  single_node node;
  const std::int64_t now = node.own();
  const auto first = node.append("1", now);
  const auto second = node.append("2", now);
  node.core.on_publish_reply(stored(second), at_ms(now));
  CHECK(node.core.take_effects().empty());
  node.core.on_publish_reply(stored(first), at_ms(now));
  const auto effects = node.core.take_effects();
  REQUIRE(effects.size() == 3);
  CHECK(std::get<record_effect>(effects[0]).record == first.record);
  CHECK(std::get<record_effect>(effects[1]).record == second.record);
  CHECK(std::get<acknowledged_effect>(effects[2]).last == position{2});
  // Again, and late: nothing.
  node.core.on_publish_reply(stored(first), at_ms(now));
  CHECK(node.core.take_effects().empty());
}

TEST_CASE("a record without an answer is published again over another server, the same as before, until it is found") {
  single_node node;
  const std::int64_t now = node.own();
  const auto first = node.append("1", now);
  const auto second = node.append("2", now);
  CHECK(all_of<publish_effect>(node.wait_until(now, now + 950)).empty());
  CHECK(node.core.has_room(1));
  const auto again = only<publish_effect>(node.wait_until(now + 1000, now + 1000));
  CHECK_FALSE(node.core.has_room(1));
  CHECK(again.record == first.record);
  CHECK(again.sequence == first.sequence);
  CHECK(again.attempt > second.attempt);
  CHECK(again.server != first.server);
  CHECK(all_of<publish_effect>(node.wait_until(now + 1050, now + 1200)).empty());
  const auto third = only<publish_effect>(node.wait_until(now + 1250, now + 1250));
  CHECK(third.server != again.server);

  // It had landed: the log says so by what stands there.
  node.core.on_publish_reply(wrong_last(third, first.sequence + 1), at_ms(now + 1260));
  CHECK(only<look_up_effect>(node.core.take_effects()).sequence == first.sequence);
  node.core.on_record(first.sequence, std::make_shared<const std::string>(*first.record), at_ms(now + 1270));
  const auto effects = node.core.take_effects();
  CHECK(only<record_effect>(effects).sequence == first.sequence);
  CHECK(only<acknowledged_effect>(effects).last == position{1});
  // Now the next one is the oldest.
  CHECK(only<publish_effect>(effects).record == second.record);
  CHECK_FALSE(node.core.has_room(1));
  node.core.on_publish_reply(stored(only<publish_effect>(effects)), at_ms(now + 1280));
  CHECK(node.core.has_room(1));
}

TEST_CASE("another node's record that follows the same record ends the ownership before it is handed out") {
  single_node node;
  const std::int64_t now = node.own();
  record_writer log;
  log.genesis();
  // The claim as the node has made it.
  const auto first = node.append("1", now);
  const auto mine = decode_whole_record(*first.record);
  REQUIRE(mine);
  std::string payload;
  encode_control_record(payload, epoch_record{"b", 2, ""});
  std::string claim(storage::log_record_header_bytes, '\0');
  claim += payload;
  storage::log_record_header header = *mine;
  header.kind = storage::log_record_kind::epoch;
  header.entries = 0;
  header.epoch = 2;
  storage::frame_log_record(claim, header);
  node.core.on_publish_reply(wrong_last(first, first.sequence), at_ms(now));
  CHECK(only<look_up_effect>(node.core.take_effects()).sequence == first.sequence);
  node.core.request_read(5, at_ms(now + 2000));
  node.core.take_effects();
  node.core.on_record(first.sequence, std::make_shared<const std::string>(claim), at_ms(now + 2000));
  const auto effects = node.core.take_effects();
  REQUIRE(effects.size() == 3);
  CHECK(std::get<read_refused_effect>(effects[0]).ticket == 5);
  CHECK(std::get<ownership_ended_effect>(effects[1]).reason == ownership_end::fenced);
  CHECK(std::get<record_effect>(effects[2]).sequence == first.sequence);
  CHECK(node.core.role() == node_role::standby);
  CHECK(node.core.chain().owner == "b");
  CHECK_FALSE(node.core.has_room(1));
}

TEST_CASE("a dead record at the place of the oldest moves the window up, and answers about the old place are ignored") {
  single_node node("b");
  node.deliver(node.log.epoch("a", 9), 0);
  record_writer deposed = node.log;
  node.core.take_effects();
  const auto claim = only<publish_effect>(node.wait_until(0, 1500));
  CHECK(claim.sequence == 3);
  deposed.group("lost");
  node.core.on_publish_reply(wrong_last(claim, 4), at_ms(1510));
  node.core.take_effects();
  node.core.on_record(3, deposed.group("1"), at_ms(1520));  // follows a record that is not there
  const auto moved = only<publish_effect>(node.core.take_effects());
  CHECK(moved.sequence == 4);
  CHECK(moved.record == claim.record);
  node.core.on_publish_reply({4, claim.attempt, publish_outcome::stored, 4}, at_ms(1530));
  CHECK(node.core.role() == node_role::claiming);
  node.core.on_publish_reply(wrong_last(moved, 4), at_ms(1530));
  node.core.take_effects();
  node.core.on_record(4, deposed.group("2"), at_ms(1540));
  const auto again = only<publish_effect>(node.core.take_effects());
  CHECK(again.sequence == 5);
  node.core.on_publish_reply(stored(again), at_ms(1550));
  CHECK(node.core.role() == node_role::owner);
  CHECK(node.core.chain().sequence == 5);
}

TEST_CASE("a late answer to an append of an earlier ownership is not taken for one of the present") {
  single_node node;
  const std::int64_t now = node.own();
  const auto first = node.append("1", now);
  const auto second = node.append("2", now);
  // Another node has claimed the log at the place of the first.
  storage::log_record_header header = *decode_whole_record(*first.record);
  header.kind = storage::log_record_kind::epoch;
  header.entries = 0;
  header.epoch = 2;
  std::string claim(storage::log_record_header_bytes, '\0');
  encode_control_record(claim, epoch_record{"b", 2, ""});
  storage::frame_log_record(claim, header);
  node.core.on_record(first.sequence, std::make_shared<const std::string>(claim), at_ms(now));
  REQUIRE(node.core.role() == node_role::standby);
  node.core.take_effects();
  // It is silent, and this node claims the log again, at the sequence of the second.
  const auto again = only<publish_effect>(node.wait_until(now, now + 1500));
  REQUIRE(again.sequence == second.sequence);
  node.core.on_publish_reply(stored(second), at_ms(now + 1510));
  CHECK(node.core.take_effects().empty());
  CHECK(node.core.role() == node_role::claiming);
  node.core.on_publish_reply(stored(again), at_ms(now + 1520));
  CHECK(node.core.role() == node_role::owner);
}

TEST_CASE("reads start under the lease, which begins with the first sending, and else wait for one barrier") {
  single_node node;
  const std::int64_t now = node.own();  // the claim was sent at 1500
  CHECK(node.core.lease_end() == boot_time{milliseconds(2500)});
  node.core.request_read(1, at_ms(2499));
  CHECK(only<read_ready_effect>(node.core.take_effects()).ticket == 1);
  CHECK(now < 2500);

  node.core.request_read(2, at_ms(2500));
  node.core.request_read(3, at_ms(2500));
  const auto barrier = only<publish_effect>(node.core.take_effects());
  const auto header = decode_whole_record(*barrier.record);
  REQUIRE(header);
  CHECK(header->kind == storage::log_record_kind::barrier);
  node.core.on_publish_reply(stored(barrier), at_ms(2600));
  const auto effects = node.core.take_effects();
  CHECK(std::holds_alternative<record_effect>(effects.at(0)));
  CHECK(all_of<read_ready_effect>(effects).size() == 2);
  CHECK(all_of<acknowledged_effect>(effects).empty());
  CHECK(node.core.lease_end() == boot_time{milliseconds(3500)});
}

TEST_CASE("a read is not answered by a barrier that was appended before it and took longer than a lease") {
  single_node node;
  node.own();
  node.core.request_read(1, at_ms(3000));
  const auto barrier = only<publish_effect>(node.core.take_effects());
  node.core.request_read(2, at_ms(3500));
  CHECK(node.core.take_effects().empty());
  node.core.on_publish_reply(stored(barrier), at_ms(3990));
  CHECK(all_of<read_ready_effect>(node.core.take_effects()).size() == 2);  // still under its lease

  node.core.request_read(3, at_ms(4500));
  const auto slow = only<publish_effect>(node.core.take_effects());
  node.core.request_read(4, at_ms(4600));
  CHECK(node.core.take_effects().empty());
  node.core.on_publish_reply(stored(slow), at_ms(5600));
  const auto effects = node.core.take_effects();
  CHECK(only<read_ready_effect>(effects).ticket == 3);
  node.core.on_publish_reply(stored(only<publish_effect>(effects)), at_ms(5610));
  CHECK(only<read_ready_effect>(node.core.take_effects()).ticket == 4);
}

TEST_CASE("a release comes behind the groups in flight, and ends reads and appends at once") {
  single_node node;
  const std::int64_t now = node.own();
  const auto group = node.append("1", now);
  REQUIRE(node.core.release("b", at_ms(now)));
  CHECK_FALSE(node.core.release("c", at_ms(now)));
  const auto release = only<publish_effect>(node.core.take_effects());
  CHECK(release.sequence == group.sequence + 1);
  CHECK_FALSE(node.core.has_room(1));
  CHECK(node.core.lease_end() == boot_time::min());
  node.core.request_read(1, at_ms(now));
  CHECK(only<read_refused_effect>(node.core.take_effects()).ticket == 1);
  node.core.on_publish_reply(stored(group), at_ms(now + 1));
  node.core.request_read(2, at_ms(now + 1));
  auto effects = node.core.take_effects();
  CHECK(only<acknowledged_effect>(effects).last == position{1});
  CHECK(only<read_refused_effect>(effects).ticket == 2);
  node.core.on_publish_reply(stored(release), at_ms(now + 2));
  effects = node.core.take_effects();
  CHECK(std::holds_alternative<record_effect>(effects.at(0)));
  CHECK(only<ownership_ended_effect>(effects).reason == ownership_end::released);
  CHECK(node.core.role() == node_role::standby);
  CHECK_FALSE(node.core.release("b", at_ms(now + 2)));
}

TEST_CASE("a server that says the log ends too early is believed when it stays and the records are missing") {
  single_node node;
  const std::int64_t begin = node.own();
  const auto group = node.append("1", begin);
  node.core.on_publish_reply(stored(group), at_ms(begin));
  node.core.take_effects();
  const bool has_record = GENERATE(false, true);
  INFO("another server has the record: " << has_record);
  node.append("2", begin);
  std::size_t looked = 0;
  std::vector<effect> all;
  for (std::int64_t now = begin; now < begin + 30'000; now += 50) {
    node.core.on_timer(at_ms(now));
    auto effects = node.core.take_effects();
    for (const effect& each : effects) {
      if (const auto* sent = std::get_if<publish_effect>(&each)) {
        node.core.on_publish_reply(wrong_last(*sent, 2), at_ms(now));
      } else if (const auto* look_up = std::get_if<look_up_effect>(&each)) {
        ++looked;
        REQUIRE(look_up->sequence == group.sequence);
        CHECK(now >= begin + 10'000);
        if (has_record) {
          node.core.on_record(group.sequence, group.record, at_ms(now));
        } else {
          node.core.on_missing(group.sequence, at_ms(now));
        }
      }
    }
    for (effect& each : node.core.take_effects()) all.push_back(std::move(each));
  }
  CHECK(looked >= 2);
  if (has_record) {
    CHECK(all_of<stopped_effect>(all).empty());
    CHECK(node.core.role() == node_role::owner);
    return;
  }
  CHECK(only<ownership_ended_effect>(all).reason == ownership_end::stopped);
  CHECK(only<stopped_effect>(all).reason == stop_reason::lost_records);
  CHECK(node.core.role() == node_role::stopped);
  const auto after = node.wait_until(begin + 30'000, begin + 30'300);
  CHECK(all_of<heartbeat_effect>(after).size() >= 1);
  CHECK(all_of<heartbeat_effect>(after).front().what.role == node_role::stopped);
  CHECK(all_of<heartbeat_effect>(after).size() == after.size());
}

TEST_CASE("a standby stops if the stream stays shorter than what it has read, is trimmed, or is damaged") {
  single_node node;
  node.core.on_connection(false, at_ms(0));  // so that it does not claim
  node.deliver(node.log.epoch("b", 9), 0);
  node.deliver(node.log.group("1"), 0);
  node.core.take_effects();
  SECTION("shorter") {
    for (std::int64_t now = 0; now <= 9'500; now += 500) node.core.on_stream_state(1, 2, at_ms(now));
    node.core.on_stream_state(1, 3, at_ms(9'600));
    for (std::int64_t now = 9'700; now < 19'700; now += 500) node.core.on_stream_state(1, 2, at_ms(now));
    CHECK(node.core.take_effects().empty());
    node.core.on_stream_state(1, 2, at_ms(19'700));
    CHECK(only<stopped_effect>(node.core.take_effects()).reason == stop_reason::lost_records);
  }
  SECTION("trimmed") {
    node.core.on_stream_state(4, 9, at_ms(0));
    CHECK(node.core.take_effects().empty());
    node.core.on_stream_state(5, 9, at_ms(0));
    CHECK(only<stopped_effect>(node.core.take_effects()).reason == stop_reason::trimmed);
  }
  SECTION("damaged") {
    std::string damaged = *node.log.group("2");
    damaged.back() = '\0';
    node.core.on_record(4, std::make_shared<const std::string>(damaged), at_ms(0));
    const auto stopped = only<stopped_effect>(node.core.take_effects());
    CHECK(stopped.reason == stop_reason::damaged_record);
    CHECK(stopped.sequence == 4);
  }
  SECTION("another record than that of the owner") {
    heartbeat beat;
    beat.node = "b";
    beat.role = node_role::owner;
    beat.epoch = 1;
    beat.sequence = 3;
    beat.hash = node.core.chain().hash;
    node.core.on_heartbeat(beat, at_ms(0));
    CHECK(node.core.take_effects().empty());
    ++beat.hash;
    node.core.on_heartbeat(beat, at_ms(0));
    CHECK(only<stopped_effect>(node.core.take_effects()).reason == stop_reason::lost_records);
  }
  CHECK(node.core.role() == node_role::stopped);
}

TEST_CASE("a standby does not claim a log that ends before what another node has read, and stops if that stays") {
  single_node node;
  node.deliver(node.log.epoch("b", 9), 0);
  node.core.take_effects();
  heartbeat beat;
  beat.node = "c";
  beat.role = node_role::standby;
  beat.epoch = 1;
  beat.sequence = 3;
  node.core.on_heartbeat(beat, at_ms(0));
  for (std::int64_t now = 0; now < 10'000; now += 500) {
    node.core.on_stream_state(1, 2, at_ms(now));
    const auto effects = node.wait_until(now, now + 450);
    CHECK(all_of<heartbeat_effect>(effects).size() == effects.size());
  }
  SECTION("it stays") {
    node.core.on_stream_state(1, 2, at_ms(10'000));
    CHECK(only<stopped_effect>(node.core.take_effects()).reason == stop_reason::lost_records);
  }
  SECTION("it was a stale answer") {
    node.deliver(node.log.barrier(), 10'000);
    node.core.on_stream_state(1, 3, at_ms(10'000));
    CHECK(only<record_effect>(node.core.take_effects()).sequence == 3);
    CHECK(all_of<publish_effect>(node.wait_until(10'000, 11'500)).size() == 1);
  }
}

TEST_CASE("an acknowledgement that cannot be stops the owner") {
  single_node node;
  const std::int64_t now = node.own();
  const auto group = node.append("1", now);
  node.core.on_publish_reply({group.sequence, group.attempt, publish_outcome::stored, group.sequence + 1}, at_ms(now));
  const auto effects = node.core.take_effects();
  CHECK(only<ownership_ended_effect>(effects).reason == ownership_end::stopped);
  CHECK(only<stopped_effect>(effects).reason == stop_reason::contradiction);
}

TEST_CASE("log time does not go back when the wall clock does") {
  single_node node;
  const std::int64_t now = node.own();
  const auto first = decode_whole_record(*node.append("1", now).record);
  instant earlier = at_ms(now + 1);
  earlier.wall -= std::chrono::hours(24 * 365);
  node.core.append(group_of("2"), 1, earlier);
  const auto second = decode_whole_record(*only<publish_effect>(node.core.take_effects()).record);
  REQUIRE((first && second));
  CHECK(second->time == first->time);
}

TEST_CASE("a node that starts again goes on from what its copy has, and claims a log that it owned") {
  chain_state copied;
  {
    single_node node;
    const std::int64_t now = node.own();
    const auto group = node.append("1", now);
    node.core.on_publish_reply(stored(group), at_ms(now));
    copied = node.core.chain();
  }
  node_core again(settings_of("a", 2), copied, at_ms(5000));
  again.on_connection(true, at_ms(5000));
  CHECK(again.role() == node_role::joining);
  CHECK(again.next_sequence() == 4);
  again.on_stream_state(1, 3, at_ms(5000));
  CHECK(again.role() == node_role::standby);
  again.on_timer(at_ms(5001));
  const auto claim = only<publish_effect>(again.take_effects());
  CHECK(claim.sequence == 4);
  again.on_publish_reply(stored(claim), at_ms(5010));
  CHECK(again.role() == node_role::claiming);
  again.on_timer(at_ms(6000 - 1));
  again.on_timer(at_ms(6100));
  CHECK(again.role() == node_role::owner);
  CHECK(again.next_position() == position{2});
}

TEST_CASE("a node that may not claim the log does not, and one that cannot go on stops") {
  single_node node;
  node.core.set_may_claim(false);
  CHECK(all_of<publish_effect>(node.wait_until(0, 5000)).empty());
  CHECK(node.core.role() == node_role::standby);
  CHECK(node.core.own_heartbeat().role == node_role::joining);
  SECTION("until it may again") {
    node.core.set_may_claim(true);
    CHECK(node.core.own_heartbeat().role == node_role::standby);
    CHECK(all_of<publish_effect>(node.wait_until(5050, 5050)).size() == 1);
  }
  SECTION("as a standby") {
    node.core.fail(stop_reason::own_disk, at_ms(5050));
    CHECK(only<stopped_effect>(node.core.take_effects()).reason == stop_reason::own_disk);
    CHECK(node.core.role() == node_role::stopped);
    node.core.fail(stop_reason::own_disk, at_ms(5060));
    CHECK(node.core.take_effects().empty());
  }
}

TEST_CASE("an owner that cannot go on ends its ownership") {
  single_node node;
  const std::int64_t now = node.own();
  (void)node.append("one", now);
  CHECK(node.core.in_flight() == 1);
  node.core.fail(stop_reason::own_disk, at_ms(now));
  const auto effects = node.core.take_effects();
  CHECK(only<ownership_ended_effect>(effects).reason == ownership_end::stopped);
  CHECK(only<stopped_effect>(effects).reason == stop_reason::own_disk);
  CHECK(node.core.in_flight() == 0);
}

}  // namespace
}  // namespace ordem::cluster
