// Which records of a stream are live, dead or damaged.

#include "cluster/protocol/record_chain.hpp"

#include <catch2/catch.hpp>
#include <string>

#include "tests/cluster/protocol/support.hpp"

namespace ordem::cluster {
namespace {

using testing::record_writer;

struct reader {
  record_chain chain;
  storage::log_record_header header;
  record_link take(const shared_record& record) { return chain.take(chain.next_sequence(), *record, header); }
};

TEST_CASE("records that follow each other are live, and the chain knows the owner and the last position") {
  record_writer log;
  reader read;
  REQUIRE(read.take(log.genesis()) == record_link::live);
  CHECK(read.chain.state().epoch == 0);
  REQUIRE(read.take(log.epoch("a", 7)) == record_link::live);
  REQUIRE(read.take(log.group("entries", 3)) == record_link::live);
  CHECK(read.header.last() == position{3});
  REQUIRE(read.take(log.barrier()) == record_link::live);
  REQUIRE(read.take(log.group("entries", 2)) == record_link::live);
  const chain_state owned = read.chain.state();
  CHECK(owned.owner == "a");
  CHECK(owned.nonce == 7);
  CHECK(owned.http_address == "a:8080");
  CHECK(owned.epoch == 1);
  CHECK(owned.last == position{5});
  CHECK(owned.sequence == 5);
  CHECK(owned.hash == log.last().hash);
  CHECK(owned.time == log.last().time);

  REQUIRE(read.take(log.release("b")) == record_link::live);
  CHECK(read.chain.state().is_released);
  CHECK(read.chain.state().owner.empty());
  CHECK(read.chain.state().successor == "b");
  REQUIRE(read.take(log.epoch("b", 8)) == record_link::live);
  CHECK_FALSE(read.chain.state().is_released);
  CHECK(read.chain.state().successor.empty());
  CHECK(read.chain.state().owner == "b");
}

TEST_CASE("records of a deposed owner behind the claim of the next are dead, and what follows the claim is live") {
  record_writer log;
  reader read;
  for (const auto& each : {log.genesis(), log.epoch("a", 1), log.group("1")})
    REQUIRE(read.take(each) == record_link::live);
  record_writer deposed = log;
  REQUIRE(read.take(log.epoch("b", 2)) == record_link::live);
  const chain_state claimed = read.chain.state();
  CHECK(read.take(deposed.group("2")) == record_link::dead);
  CHECK(read.take(deposed.group("3")) == record_link::dead);
  chain_state skipped = claimed;
  skipped.read_to += 2;
  CHECK(read.chain.state() == skipped);
  CHECK(read.take(log.group("4")) == record_link::live);
  CHECK(read.header.first == position{2});
}

TEST_CASE("only the next sequence is taken") {
  record_writer log;
  reader read;
  const auto genesis = log.genesis();
  CHECK(read.chain.take(0, *genesis, read.header) == record_link::gap);
  CHECK(read.chain.take(2, *genesis, read.header) == record_link::gap);
  CHECK(read.chain.take(1, *genesis, read.header) == record_link::live);
  CHECK(read.chain.take(1, *genesis, read.header) == record_link::gap);
}

TEST_CASE("a record that cannot be read is damaged, and changes nothing") {
  record_writer log;
  reader read;
  REQUIRE(read.take(log.genesis()) == record_link::live);
  const chain_state before = read.chain.state();
  const auto record = log.epoch("a", 1);
  for (std::size_t i = 0; i < record->size(); ++i) {
    std::string damaged = *record;
    damaged[i] = static_cast<char>(damaged[i] ^ 1);
    CHECK(read.take(std::make_shared<const std::string>(damaged)) == record_link::damaged);
  }
  CHECK(read.take(std::make_shared<const std::string>("")) == record_link::damaged);
  CHECK(read.chain.state() == before);
  CHECK(read.take(record) == record_link::live);
}

TEST_CASE("a record that follows the last live one and contradicts it is damaged") {
  record_writer log;
  reader read;
  for (const auto& each : {log.genesis(), log.epoch("a", 1), log.group("1")})
    REQUIRE(read.take(each) == record_link::live);

  const auto framed = [&](storage::log_record_header header, const std::string& payload) {
    std::string record(storage::log_record_header_bytes, '\0');
    record += payload;
    header.hash_before = log.last().hash;
    storage::frame_log_record(record, header);
    return std::make_shared<const std::string>(record);
  };
  storage::log_record_header good = log.last();
  good.first = {2};
  good.entries = 1;
  auto gap = good;
  gap.first = {3};
  CHECK(read.take(framed(gap, "group")) == record_link::damaged);
  auto back = good;
  back.time -= milliseconds(1);
  CHECK(read.take(framed(back, "group")) == record_link::damaged);
  auto other_epoch = good;
  other_epoch.epoch = 2;
  CHECK(read.take(framed(other_epoch, "group")) == record_link::damaged);
  auto empty = good;
  empty.entries = 0;
  CHECK(read.take(framed(empty, "group")) == record_link::damaged);
  auto claim = good;
  claim.kind = storage::log_record_kind::epoch;
  claim.entries = 0;
  std::string payload;
  encode_control_record(payload, epoch_record{"b", 2, ""});
  CHECK(read.take(framed(claim, payload)) == record_link::damaged);  // of the same epoch
  claim.epoch = 2;
  CHECK(read.take(framed(claim, "no payload of a claim")) == record_link::damaged);
  auto barrier = good;
  barrier.kind = storage::log_record_kind::barrier;
  barrier.entries = 0;
  CHECK(read.take(framed(barrier, "payload")) == record_link::damaged);
  CHECK(read.take(framed(good, "group")) == record_link::live);
}

TEST_CASE("nothing of its epoch may follow a release") {
  record_writer log;
  reader read;
  for (const auto& each : {log.genesis(), log.epoch("a", 1), log.release("")})
    REQUIRE(read.take(each) == record_link::live);
  record_writer after = log;
  CHECK(read.take(after.group("1")) == record_link::damaged);
  CHECK(read.take(log.epoch("b", 1)) == record_link::live);
}

TEST_CASE("a stream begins with the first record of a log, and has no second one") {
  record_writer log;
  record_writer other;
  other.genesis();
  reader read;
  CHECK(read.take(other.barrier()) == record_link::damaged);
  REQUIRE(read.take(log.genesis()) == record_link::live);
  record_writer again;
  CHECK(read.take(again.genesis()) == record_link::damaged);
}

}  // namespace
}  // namespace ordem::cluster
