// The gateway while the machine's clock is set.

#include <catch2/catch.hpp>

#include "tests/actors/gateway_fixture.hpp"

namespace ordem::actors {
namespace {

using namespace testing;
using std::chrono::hours;

struct gateway_clock_test : gateway_test {
  manual_machine machine;
  engine_clock stepping{machine.sources()};

  gateway_clock_test() {
    stepping.resume(std::nullopt, std::nullopt);
    start({.shards = 2}, stepping);
  }
  ~gateway_clock_test() { engine.reset(); }  // before the clock that it uses
};

TEST_CASE_METHOD(gateway_clock_test, "a repeat is a replay after the clock stepped past the expiry of its GUID") {
  const milliseconds step = GENERATE(as<milliseconds>{}, hours(25), hours(24 * 365 * 56));
  const order_id first = create(guid_of("k"));
  machine.pass(milliseconds(300));
  machine.set_by(step);
  const answer repeated = ask(creation(guid_of("k")));
  CHECK(executed_in(repeated).replayed);
  CHECK(executed_in(repeated).outcome.order == first);
  machine.pass(hours(24));
  CHECK_FALSE(executed_in(ask(creation(guid_of("k")))).replayed);
}

TEST_CASE_METHOD(gateway_clock_test, "leases and records keep their length when the clock is set") {
  CHECK(has(capture_verdict::allocated)(ask(allocation(some_key))));
  machine.set_by(hours(25));
  CHECK(has(capture_verdict::in_flight)(ask(allocation(some_key))));
  CHECK(has(capture_verdict::recorded)(ask(record(some_key, response_of("r")))));
  machine.set_by(hours(25));
  CHECK(has(capture_verdict::completed)(ask(allocation(some_key))));
}

TEST_CASE_METHOD(gateway_clock_test, "a lease that begins after a step keeps its length") {
  machine.set_by(hours(25));
  CHECK(has(capture_verdict::allocated)(ask(allocation(some_key))));
  machine.pass(std::chrono::minutes(1) - milliseconds(1));
  CHECK(has(capture_verdict::in_flight)(ask(allocation(some_key))));
  machine.pass(milliseconds(1));
  CHECK(has(capture_verdict::allocated)(ask(allocation(some_key))));
}

TEST_CASE_METHOD(gateway_clock_test, "times of records never go back") {
  const auto created_at = [this](std::uint64_t number) {
    return executed_in(ask(creation(guid_of(number)))).order->created_at;
  };
  machine.pass(hours(1));
  const timestamp first = created_at(1);
  machine.set_by(-hours(48));
  CHECK(created_at(2) == first);
  machine.pass(hours(2));
  CHECK(created_at(3) == first + hours(1));
}

}  // namespace
}  // namespace ordem::actors
