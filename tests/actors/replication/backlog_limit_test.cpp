// The gate before the log: open while what follows the log is near enough.

#include "actors/replication/backlog_limit.hpp"

#include <catch2/catch.hpp>
#include <limits>
#include <span>
#include <thread>

#include "tests/actors/support.hpp"
#include "tests/storage/support.hpp"

namespace ordem::actors {
namespace {

using namespace testing;

// A byte an entry, in the store in memory.
struct gate_test {
  fake_store log;

  void write(std::uint64_t count) {
    for (; count > 0; --count) {
      const std::uint64_t number = log.appended().number + 1;
      const storage::entry next = entry_of(creation(guid_of(number)), nullptr, order_id_of(number));
      REQUIRE(log.append(std::span(&next, 1)));
    }
    REQUIRE(log.sync());
  }
};

TEST_CASE_METHOD(gate_test, "a gate is open before anything has been measured") {
  write(10);
  const backlog_limit gate(log, 1);
  CHECK_FALSE(gate.closed());
  CHECK(gate.bytes() == 0);
}

TEST_CASE_METHOD(gate_test, "a gate is open up to its bound, and closed beyond it") {
  backlog_limit gate(log, 10);
  gate.measure();
  CHECK_FALSE(gate.closed());
  write(10);
  gate.measure();
  CHECK(gate.bytes() == 10);
  CHECK_FALSE(gate.closed());
  write(1);
  CHECK_FALSE(gate.closed());  // not before it is measured
  gate.measure();
  CHECK(gate.bytes() == 11);
  CHECK(gate.closed());
}

TEST_CASE_METHOD(gate_test, "a gate opens once what follows the log is near enough again") {
  backlog_limit gate(log, 10);
  write(15);
  gate.measure();
  REQUIRE(gate.closed());
  gate.consumed_through({4});
  CHECK(gate.bytes() == 11);
  CHECK(gate.closed());
  gate.consumed_through({5});
  CHECK(gate.bytes() == 10);
  CHECK_FALSE(gate.closed());
  gate.consumed_through({15});
  CHECK(gate.bytes() == 0);
  CHECK_FALSE(gate.closed());
}

TEST_CASE_METHOD(gate_test, "a gate measures from where the log was followed to last") {
  backlog_limit gate(log, 10);
  write(15);
  gate.consumed_through({12});
  write(5);
  gate.measure();
  CHECK(gate.bytes() == 8);
  CHECK_FALSE(gate.closed());
  write(3);
  gate.measure();
  CHECK(gate.bytes() == 11);
  CHECK(gate.closed());
}

TEST_CASE_METHOD(gate_test, "a bound of nothing closes the gate with the first entry, a boundless one never") {
  backlog_limit narrow(log, 0);
  backlog_limit wide(log, std::numeric_limits<std::uint64_t>::max());
  narrow.measure();
  CHECK_FALSE(narrow.closed());
  write(1);
  narrow.measure();
  wide.measure();
  CHECK(narrow.closed());
  CHECK_FALSE(wide.closed());
}

TEST_CASE_METHOD(gate_test, "a log that can't be read leaves the gate as it is") {
  backlog_limit gate(log, 10);
  const std::uint64_t bytes = GENERATE(10U, 11U);
  write(bytes);
  gate.measure();
  log.break_reads(true);
  write(5);
  gate.measure();
  gate.consumed_through({bytes});
  CHECK(gate.bytes() == bytes);
  CHECK(gate.closed() == (bytes > 10));
}

TEST_CASE_METHOD(gate_test, "whoever measures last, the gate stands as the log does") {
  constexpr std::uint64_t entries = 2000;
  backlog_limit gate(log, 10);
  std::thread consuming([&] {
    for (std::uint64_t at = 0; at <= entries / 2;) {
      if (log.last().number < at) {
        std::this_thread::yield();
      } else {
        gate.consumed_through({at++});
      }
    }
  });
  for (std::uint64_t i = 0; i < entries; ++i) {
    write(1);
    gate.measure();
  }
  consuming.join();
  CHECK(gate.bytes() == entries / 2);
  CHECK(gate.closed());
}

}  // namespace
}  // namespace ordem::actors
