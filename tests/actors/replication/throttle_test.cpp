#include "actors/replication/throttle.hpp"

#include <catch2/catch.hpp>

namespace ordem::actors {
namespace {

using namespace std::chrono_literals;
using period = throttle::period;

constexpr bool no_room = true;
constexpr bool room = false;

TEST_CASE("a persister whose work costs answers rests six times as long as it works") {
  throttle of_replicator;
  CHECK(of_replicator.delay_after({100ms, 4000}, {100ms, 2900}, room) == 600ms);
  CHECK(of_replicator.delay_after({400ms, 16000}, {200ms, 6000}, room) == 1200ms);
}

TEST_CASE("a persister does not rest for long because one batch took long") {
  throttle of_replicator;
  CHECK(of_replicator.delay_after({1s, 4000}, {300ms, 100}, room) == 1800ms);
  CHECK(of_replicator.delay_after({1800ms, 8000}, {1400ms, 100}, room) == 2s);
}

TEST_CASE("a persister whose work costs no answers does not rest") {
  throttle of_replicator;
  CHECK(of_replicator.delay_after({100ms, 4000}, {100ms, 4000}, room) == 0ms);
  CHECK(of_replicator.delay_after({100ms, 4000}, {100ms, 3000}, room) == 0ms);
}

TEST_CASE("a persister that rests goes on to rest until the difference is small") {
  throttle of_replicator;
  REQUIRE(of_replicator.delay_after({100ms, 4000}, {100ms, 2900}, room) == 600ms);
  CHECK(of_replicator.delay_after({400ms, 16000}, {100ms, 3300}, room) == 600ms);
  CHECK(of_replicator.delay_after({400ms, 16000}, {100ms, 3400}, room) == 0ms);
}

TEST_CASE("a persister without pauses makes a short one now and then, to see what it costs") {
  throttle of_replicator;
  for (int i = 0; i < 3; ++i) REQUIRE(of_replicator.delay_after({0ms, 0}, {100ms, 3000}, room) == 0ms);
  REQUIRE(of_replicator.delay_after({0ms, 0}, {100ms, 3000}, room) == 50ms);
  CHECK(of_replicator.delay_after({50ms, 2000}, {100ms, 2900}, room) == 600ms);
}

TEST_CASE("a persister does not rest while hardly anything arrives") {
  throttle of_replicator;
  for (int i = 0; i < 20; ++i) {
    REQUIRE(of_replicator.delay_after({0ms, 0}, {100ms, 50}, room) == 0ms);
    REQUIRE(of_replicator.delay_after({100ms, 90}, {100ms, 0}, room) == 0ms);
  }
}

TEST_CASE("times that are too short tell nothing") {
  throttle of_replicator;
  CHECK(of_replicator.delay_after({19ms, 1900}, {100ms, 3000}, room) == 0ms);
  CHECK(of_replicator.delay_after({100ms, 4000}, {19ms, 190}, room) == 0ms);
  CHECK(of_replicator.delay_after({20ms, 1900}, {100ms, 3000}, room) == 600ms);
}

TEST_CASE("a persister does not rest while the backlog has no room") {
  throttle of_replicator;
  CHECK(of_replicator.delay_after({100ms, 4000}, {100ms, 2900}, no_room) == 0ms);
  CHECK(of_replicator.delay_after({100ms, 4000}, {100ms, 2900}, room) == 600ms);
}

}  // namespace
}  // namespace ordem::actors
