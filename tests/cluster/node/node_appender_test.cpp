#include "cluster/node/node_appender.hpp"

#include <catch2/catch.hpp>
#include <chrono>
#include <future>
#include <semaphore>

#include "storage/records/log_record.hpp"
#include "tests/support_cpp/patience.hpp"

namespace ordem::cluster {
namespace {

using ordem::testing::patience;
using storage::log_error;

unframed_group group_at(std::uint64_t first, std::uint32_t entries = 2) {
  return {{first}, entries, {}, std::string(storage::log_record_header_bytes + 10, 'x')};
}

struct appender_test {
  std::counting_semaphore<16> woken{0};
  node_appender appender{{4}, [this] { woken.release(); }};
};

TEST_CASE("a group goes to the node's thread, and is waited for until it is acknowledged") {
  appender_test tested;
  CHECK_FALSE(tested.appender.waiting_bytes());
  CHECK(tested.appender.wait_acknowledged() == position{4});
  REQUIRE(tested.appender.append(group_at(5)));
  REQUIRE(tested.woken.try_acquire());
  CHECK(tested.appender.waiting_bytes() == storage::log_record_header_bytes + 10);
  CHECK(tested.appender.take().first == position{5});
  CHECK_FALSE(tested.appender.waiting_bytes());
  REQUIRE(tested.appender.append(group_at(7)));
  auto synced = std::async(std::launch::async, [&] { return tested.appender.wait_acknowledged(); });
  tested.appender.acknowledge({6});
  CHECK(synced.wait_for(std::chrono::milliseconds(20)) == std::future_status::timeout);
  tested.appender.acknowledge({8});
  REQUIRE(synced.wait_for(patience) == std::future_status::ready);
  CHECK(synced.get() == position{8});
}

TEST_CASE("a second group waits until the first one is taken") {
  appender_test tested;
  REQUIRE(tested.appender.append(group_at(5)));
  auto second = std::async(std::launch::async, [&] { return tested.appender.append(group_at(7, 1)); });
  CHECK(second.wait_for(std::chrono::milliseconds(20)) == std::future_status::timeout);
  CHECK(tested.appender.take().first == position{5});
  REQUIRE(second.wait_for(patience) == std::future_status::ready);
  CHECK(second.get());
  CHECK(tested.appender.take().first == position{7});
}

TEST_CASE("the end of the ownership fails what waits, and all that comes") {
  appender_test tested;
  REQUIRE(tested.appender.append(group_at(5)));
  auto second = std::async(std::launch::async, [&] { return tested.appender.append(group_at(7)); });
  auto synced = std::async(std::launch::async, [&] { return tested.appender.wait_acknowledged(); });
  tested.appender.fail();
  REQUIRE(second.wait_for(patience) == std::future_status::ready);
  CHECK(second.get() == tl::make_unexpected(log_error::write_failed));
  REQUIRE(synced.wait_for(patience) == std::future_status::ready);
  CHECK(synced.get() == tl::make_unexpected(log_error::write_failed));
  CHECK_FALSE(tested.appender.waiting_bytes());
  CHECK(tested.appender.append(group_at(7)) == tl::make_unexpected(log_error::write_failed));
}

// So that what the stream has is answered as done when the log is released.
TEST_CASE("what was acknowledged before the end of the ownership is acknowledged") {
  appender_test tested;
  REQUIRE(tested.appender.append(group_at(5)));
  (void)tested.appender.take();
  tested.appender.acknowledge({6});
  tested.appender.fail();
  CHECK(tested.appender.wait_acknowledged() == position{6});
}

}  // namespace
}  // namespace ordem::cluster
