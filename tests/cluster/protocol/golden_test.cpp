// Golden files for the bytes in the log's stream and between nodes: an unintended change of a format fails here. If the
// change is intended, give the format a new number and run this test binary once with ORDEM_UPDATE_GOLDEN=1.

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "cluster/forwarding/read_index_gate.hpp"
#include "cluster/protocol/control_record.hpp"
#include "cluster/protocol/heartbeat.hpp"
#include "cluster/protocol/record_chain.hpp"
#include "tests/cluster/forwarding/bodies.hpp"
#include "tests/support_cpp/golden.hpp"

namespace ordem::cluster {
namespace {

const genesis_record golden_genesis{"6f1c2b1e-1f5b-4a44-9d3c-0a7d3a4e5b6c", 16, 3, 5};
const epoch_record golden_epoch{"ordem-1", 0x0123456789ABCDEF, "10.0.0.7:8080"};
const release_record golden_release{"ordem-2"};
const format_record golden_format{300};
const heartbeat golden_heartbeat{"ordem-1", 0x0123456789ABCDEF, node_role::owner, 7,      66000, 0xFEDCBA9876543210,
                                 {70'000},  "ordem-1",          "10.0.0.7:8080",  "0.3.0"};
const timestamp golden_time{milliseconds(1'795'342'530'123)};

template <class Record>
std::string payload_of(const Record& what) {
  std::string payload;
  encode_control_record(payload, what);
  return payload;
}

const std::string golden_folder = "tests/cluster/golden/";

std::vector<ordem::testing::golden> all_golden() {
  return {
      {"genesis", "the payload of GENESIS for partition 3 of 16", payload_of(golden_genesis)},
      {"genesis_record", "the whole first record of a log", genesis_log_record(golden_genesis, golden_time)},
      {"epoch", "the payload of EPOCH of the node ordem-1", payload_of(golden_epoch)},
      {"release", "the payload of RELEASE with the successor ordem-2", payload_of(golden_release)},
      {"format", "the payload of FORMAT 300", payload_of(golden_format)},
      {"heartbeat", "a heartbeat of the owner ordem-1", encode_heartbeat(golden_heartbeat)},
      {"forward_request", "a forwarded request with every kind of submission", ordem::testing::request_body()},
      {"forward_answer", "an answer to a forwarded request with every kind of answer", ordem::testing::answer_body()},
      {"read_index_answer", "the read index 70000 of epoch 7", encode_read_index_answer({position{70'000}, 7})},
  };
}

TEST_CASE("control records and messages between nodes have the bytes that their golden files hold") {
  ordem::testing::check_golden(golden_folder, all_golden());
}

TEST_CASE("control records and heartbeats come back as they were, and not with a byte more or less") {
  CHECK(decode_genesis(payload_of(golden_genesis)) == golden_genesis);
  CHECK(decode_epoch(payload_of(golden_epoch)) == golden_epoch);
  CHECK(decode_release(payload_of(golden_release)) == golden_release);
  CHECK(decode_release(payload_of(release_record{})) == release_record{});
  CHECK(decode_format(payload_of(golden_format)) == golden_format);
  CHECK(decode_heartbeat(encode_heartbeat(golden_heartbeat)) == golden_heartbeat);

  const auto check_ends = [](const std::string& payload, auto decode) {
    for (std::size_t size = 0; size < payload.size(); ++size) CHECK_FALSE(decode(payload.substr(0, size)));
    CHECK_FALSE(decode(payload + "x"));
  };
  check_ends(payload_of(golden_genesis), decode_genesis);
  check_ends(payload_of(golden_epoch), decode_epoch);
  check_ends(payload_of(golden_release), decode_release);
  check_ends(payload_of(golden_format), decode_format);
}

TEST_CASE("a heartbeat of a later version is read, one that is cut off or has an unknown role is not") {
  const std::string bytes = encode_heartbeat(golden_heartbeat);
  CHECK(decode_heartbeat(bytes + "more") == golden_heartbeat);
  for (std::size_t size = 0; size < bytes.size(); ++size) CHECK_FALSE(decode_heartbeat(bytes.substr(0, size)));
  heartbeat strange = golden_heartbeat;
  for (const std::uint8_t role : {std::uint8_t{0}, std::uint8_t{6}, std::uint8_t{255}}) {
    strange.role = node_role{role};
    CHECK_FALSE(decode_heartbeat(encode_heartbeat(strange)));
  }
}

TEST_CASE("what is out of range in a control record is refused") {
  CHECK_FALSE(decode_genesis(payload_of(genesis_record{golden_genesis.cluster_id, 16, 16, 5})));
  CHECK_FALSE(decode_epoch(payload_of(epoch_record{"", 1, "host:1"})));
  CHECK(decode_epoch(payload_of(epoch_record{std::string(255, 'n'), 1, std::string(255, 'a')})));
  // 256 characters, with their length before them.
  CHECK_FALSE(decode_release(std::string("\x01\x80\x02", 3) + std::string(256, 'n')));
}

TEST_CASE("the first record of a log is whole") {
  const std::string record = genesis_log_record(golden_genesis, golden_time);
  const auto header = decode_whole_record(record);
  REQUIRE(header);
  CHECK(header->kind == storage::log_record_kind::genesis);
  CHECK(header->epoch == 0);
  CHECK(header->hash_before == 0);
  CHECK(header->first == position{1});
  CHECK(header->time == golden_time);
  CHECK(decode_genesis(storage::payload_of(*header, record)) == golden_genesis);
}

}  // namespace
}  // namespace ordem::cluster
