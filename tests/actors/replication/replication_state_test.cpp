#include "actors/replication/replication_state.hpp"

#include <catch2/catch.hpp>
#include <future>
#include <span>

#include "tests/actors/support.hpp"
#include "tests/storage/support.hpp"

namespace ordem::actors {
namespace {

using namespace testing;
using namespace std::chrono_literals;

struct replication_state_test {
  fake_store log;
  replication_state state;

  replication_state_test() {
    const storage::entry first = entry_of(creation(guid_of("k-1")), nullptr, order_id_of(1));
    REQUIRE(log.append(std::span(&first, 1)));
    REQUIRE(log.sync());
  }
};

TEST_CASE_METHOD(replication_state_test, "the position of the sink is unknown until it is set, even to 0") {
  CHECK(state.persisted() == std::nullopt);
  state.set_connected();
  CHECK(state.persisted() == std::nullopt);
  state.set_persisted({0});
  CHECK(state.persisted() == position{0});
}

TEST_CASE_METHOD(replication_state_test, "a lost connection leaves the position known") {
  state.set_connected();
  state.set_persisted({1});
  state.set_disconnected();
  CHECK_FALSE(state.is_connected());
  CHECK(state.persisted() == position{1});
}

TEST_CASE_METHOD(replication_state_test, "one notification is pending at a time") {
  CHECK(state.begin_notification());
  CHECK_FALSE(state.begin_notification());
  state.end_notification();
  CHECK(state.begin_notification());
}

TEST_CASE_METHOD(replication_state_test, "a wait ends when the sink has the whole log") {
  state.set_connected();
  CHECK_FALSE(state.wait_until_persisted(log, 0ms));
  auto waiting = std::async(std::launch::async, [this] { return state.wait_until_persisted(log, patience); });
  state.set_persisted({0});
  state.set_persisted({1});
  CHECK(waiting.get());
}

TEST_CASE_METHOD(replication_state_test, "a wait ends when the sink is disconnected") {
  state.set_connected();
  auto waiting = std::async(std::launch::async, [this] { return state.wait_until_persisted(log, patience); });
  state.set_disconnected();
  CHECK_FALSE(waiting.get());
}

}  // namespace
}  // namespace ordem::actors
