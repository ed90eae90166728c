#include "actors/replication/throttle.hpp"

#include <catch2/catch.hpp>

namespace ordem::actors {
namespace {

using namespace std::chrono_literals;
using period = throttle::period;

constexpr bool no_room = true;
constexpr bool room = false;

TEST_CASE("a replicator that slows clients down pauses six times as long as it works") {
  throttle under_test;
  CHECK(under_test.delay_after({100ms, 4000}, {100ms, 2900}, room) == 600ms);
  CHECK(under_test.delay_after({400ms, 16000}, {200ms, 6000}, room) == 1200ms);
}

TEST_CASE("one slow batch does not cause a long pause") {
  throttle under_test;
  CHECK(under_test.delay_after({1s, 4000}, {300ms, 100}, room) == 1800ms);
  CHECK(under_test.delay_after({1800ms, 8000}, {1400ms, 100}, room) == 2s);
}

TEST_CASE("a replicator that does not slow clients down does not pause") {
  throttle under_test;
  CHECK(under_test.delay_after({100ms, 4000}, {100ms, 4000}, room) == 0ms);
  CHECK(under_test.delay_after({100ms, 4000}, {100ms, 3000}, room) == 0ms);
}

TEST_CASE("pauses continue until the difference of the rates is small") {
  throttle under_test;
  REQUIRE(under_test.delay_after({100ms, 4000}, {100ms, 2900}, room) == 600ms);
  CHECK(under_test.delay_after({400ms, 16000}, {100ms, 3300}, room) == 600ms);
  CHECK(under_test.delay_after({400ms, 16000}, {100ms, 3400}, room) == 0ms);
}

TEST_CASE("without pauses a short one is made now and then, to measure the rates") {
  throttle under_test;
  for (int i = 0; i < 3; ++i) REQUIRE(under_test.delay_after({0ms, 0}, {100ms, 3000}, room) == 0ms);
  REQUIRE(under_test.delay_after({0ms, 0}, {100ms, 3000}, room) == 50ms);
  CHECK(under_test.delay_after({50ms, 2000}, {100ms, 2900}, room) == 600ms);
}

TEST_CASE("there is no pause while few entries arrive") {
  throttle under_test;
  for (int i = 0; i < 20; ++i) {
    REQUIRE(under_test.delay_after({0ms, 0}, {100ms, 50}, room) == 0ms);
    REQUIRE(under_test.delay_after({100ms, 90}, {100ms, 0}, room) == 0ms);
  }
}

TEST_CASE("times that are too short are not measured") {
  throttle under_test;
  CHECK(under_test.delay_after({19ms, 1900}, {100ms, 3000}, room) == 0ms);
  CHECK(under_test.delay_after({100ms, 4000}, {19ms, 190}, room) == 0ms);
  CHECK(under_test.delay_after({20ms, 1900}, {100ms, 3000}, room) == 600ms);
}

TEST_CASE("there is no pause while the backlog has no room") {
  throttle under_test;
  CHECK(under_test.delay_after({100ms, 4000}, {100ms, 2900}, no_room) == 0ms);
  CHECK(under_test.delay_after({100ms, 4000}, {100ms, 2900}, room) == 600ms);
}

}  // namespace
}  // namespace ordem::actors
