// What tests/integration/test_nats.py lets `ordem cluster status` show. Hidden cases: run by their tags alone.
#include <atomic>
#include <iostream>
#include <thread>

#include "cluster/nats/core_messages.hpp"
#include "cluster/protocol/control_record.hpp"
#include "cluster/protocol/heartbeat.hpp"
#include "storage/records/log_record.hpp"
#include "tests/cluster/servers/servers.hpp"

namespace ordem::cluster {
namespace {

using storage::log_record_kind;

const cluster_names shop = names_of("shop");

std::string control_record(log_record_kind kind, std::uint64_t epoch, const std::string& payload = {}) {
  storage::log_record_header header;
  header.kind = kind;
  header.epoch = epoch;
  header.first = {1};
  std::string bytes(storage::log_record_header_bytes, '\0');
  bytes += payload;
  storage::frame_log_record(bytes, header);
  return bytes;
}

std::string epoch_of(std::uint64_t epoch, const std::string& node) {
  std::string payload;
  encode_control_record(payload, epoch_record{.node = node, .nonce = 1, .http_address = node + ":8080"});
  return control_record(log_record_kind::epoch, epoch, payload);
}

void append(links& to, std::uint64_t& last, const std::string& record) {
  REQUIRE(to[0].append({.epoch = 1, .sequence = last + 1}, last, record));
  const auto answer = to.answer();
  REQUIRE(answer);
  REQUIRE(std::holds_alternative<record_stored>(answer->answer));
  ++last;
}

TEST_CASE("a log with two owners, the first of which has left dead records", "[.owners]") {
  links to({.names = shop});
  std::uint64_t last = 1;  // the first record of the log
  append(to, last, epoch_of(1, "node-a"));
  while (last < 40) append(to, last, control_record(log_record_kind::barrier, 1));
  append(to, last, epoch_of(2, "node-b"));
  while (last < 49) append(to, last, control_record(log_record_kind::barrier, 1));
  while (last < 100) append(to, last, control_record(log_record_kind::barrier, 2));
}

TEST_CASE("the owner of such a log gives it up", "[.release]") {
  links to({.names = shop});
  std::uint64_t last = 100;
  std::string payload;
  encode_control_record(payload, release_record{.successor = "node-a"});
  append(to, last, control_record(log_record_kind::release, 2, payload));
}

// Sends heartbeats of two nodes until standard input ends.
TEST_CASE("two nodes send heartbeats", "[.heartbeats]") {
  const auto connection = connect();
  core_messages messages(*connection);
  const std::string standby = encode_heartbeat({.node = "node-a",
                                                .nonce = 1,
                                                .role = node_role::standby,
                                                .epoch = 2,
                                                .sequence = 100,
                                                .hash = 1,
                                                .applied = {7},
                                                .owner = "node-b",
                                                .http_address = "node-a:8080",
                                                .program_version = "1.2.3"});
  const std::string owner = encode_heartbeat({.node = "node-b",
                                              .nonce = 2,
                                              .role = node_role::owner,
                                              .epoch = 2,
                                              .sequence = 100,
                                              .hash = 1,
                                              .applied = {9},
                                              .owner = "node-b",
                                              .http_address = "",
                                              .program_version = "1.2.4"});
  std::atomic<bool> ends{false};
  std::thread sender([&] {
    while (!ends) {
      messages.publish(shop.heartbeat, standby);
      messages.publish(shop.heartbeat, owner);
      messages.publish(shop.heartbeat, "no heartbeat");
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
  });
  std::string ignored;
  std::getline(std::cin, ignored);
  ends = true;
  sender.join();
}

}  // namespace
}  // namespace ordem::cluster
