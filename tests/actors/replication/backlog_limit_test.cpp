// The bound on the part of the log that the sink does not have.

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

// Every entry takes one byte in fake_store.
struct backlog_limit_test {
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

TEST_CASE_METHOD(backlog_limit_test, "the limit is open before the first measurement") {
  write(10);
  const backlog_limit limit(log, 1);
  CHECK_FALSE(limit.closed());
  CHECK(limit.bytes() == 0);
}

TEST_CASE_METHOD(backlog_limit_test, "the limit is open up to its bound, and closed beyond it") {
  backlog_limit limit(log, 10);
  limit.measure();
  CHECK_FALSE(limit.closed());
  write(10);
  limit.measure();
  CHECK(limit.bytes() == 10);
  CHECK_FALSE(limit.closed());
  write(1);
  CHECK_FALSE(limit.closed());  // not measured yet
  limit.measure();
  CHECK(limit.bytes() == 11);
  CHECK(limit.closed());
}

TEST_CASE_METHOD(backlog_limit_test, "the limit opens once the sink has caught up") {
  backlog_limit limit(log, 10);
  write(15);
  limit.measure();
  REQUIRE(limit.closed());
  limit.consumed_through({4});
  CHECK(limit.bytes() == 11);
  CHECK(limit.closed());
  limit.consumed_through({5});
  CHECK(limit.bytes() == 10);
  CHECK_FALSE(limit.closed());
  limit.consumed_through({15});
  CHECK(limit.bytes() == 0);
  CHECK_FALSE(limit.closed());
}

TEST_CASE_METHOD(backlog_limit_test, "the backlog is measured from the position set last") {
  backlog_limit limit(log, 10);
  write(15);
  limit.consumed_through({12});
  write(5);
  limit.measure();
  CHECK(limit.bytes() == 8);
  CHECK_FALSE(limit.closed());
  write(3);
  limit.measure();
  CHECK(limit.bytes() == 11);
  CHECK(limit.closed());
}

TEST_CASE_METHOD(backlog_limit_test,
                 "a bound of zero closes the limit with the first entry, the greatest bound never") {
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

TEST_CASE_METHOD(backlog_limit_test, "a log that can't be read does not change the limit") {
  backlog_limit limit(log, 10);
  const std::uint64_t bytes = GENERATE(10U, 11U);
  write(bytes);
  limit.measure();
  log.break_reads(true);
  write(5);
  limit.measure();
  limit.consumed_through({bytes});
  CHECK(limit.bytes() == bytes);
  CHECK(limit.closed() == (bytes > 10));
}

TEST_CASE_METHOD(backlog_limit_test, "concurrent measurements leave the limit as the log is") {
  constexpr std::uint64_t entries = 2000;
  backlog_limit limit(log, 10);
  std::thread consuming([&] {
    for (std::uint64_t at = 0; at <= entries / 2;) {
      if (log.last().number < at) {
        std::this_thread::yield();
      } else {
        limit.consumed_through({at++});
      }
    }
  });
  for (std::uint64_t i = 0; i < entries; ++i) {
    write(1);
    limit.measure();
  }
  consuming.join();
  CHECK(limit.bytes() == entries / 2);
  CHECK(limit.closed());
}

}  // namespace
}  // namespace ordem::actors
