#include "cluster/node/replaceable.hpp"

#include <catch2/catch.hpp>
#include <chrono>
#include <future>
#include <memory>

#include "cluster/node/job_thread.hpp"
#include "tests/support_cpp/patience.hpp"

namespace ordem::cluster {
namespace {

using ordem::testing::patience;

TEST_CASE("a value is destroyed once no call uses it, and later calls use the next one") {
  struct value {
    explicit value(int what, bool* destroyed = nullptr) : number(what), is_destroyed(destroyed) {}
    ~value() {
      if (is_destroyed != nullptr) *is_destroyed = true;
    }
    int number;
    bool* is_destroyed;
  };
  replaceable<value> tested;
  const auto number = [&] {
    int found = 0;
    tested.use([&](value& present) { found = present.number; });
    return found;
  };
  CHECK_FALSE(tested.use([](value&) { FAIL("there is none"); }));
  bool is_destroyed = false;
  tested.replace(std::make_unique<value>(1, &is_destroyed));
  std::future<void> replaced;
  tested.use([&](value& first) {
    replaced = std::async(std::launch::async, [&] { tested.replace(std::make_unique<value>(2)); });
    while (number() == 1) std::this_thread::yield();  // nested, and the next one is there
    CHECK(first.number == 1);
    CHECK_FALSE(is_destroyed);
    CHECK(replaced.wait_for(std::chrono::milliseconds(20)) == std::future_status::timeout);
  });
  REQUIRE(replaced.wait_for(patience) == std::future_status::ready);
  CHECK(is_destroyed);
  CHECK(number() == 2);
  tested.replace(nullptr);
  CHECK_FALSE(tested.use([](value&) {}));
}

TEST_CASE("jobs run in order, those that are due later after the others") {
  std::vector<int> done;
  std::promise<void> ended;
  job_thread jobs;
  jobs.run_after(std::chrono::milliseconds(30), [&] {
    done.push_back(3);
    ended.set_value();
  });
  jobs.run_after({}, [&] { done.push_back(1); });
  jobs.run_after({}, [&] { done.push_back(2); });
  REQUIRE(ended.get_future().wait_for(patience) == std::future_status::ready);
  CHECK(done == std::vector{1, 2, 3});
}

TEST_CASE("jobs that are not due are dropped at the end") {
  bool has_run = false;
  {
    job_thread jobs;
    jobs.run_after(patience, [&] { has_run = true; });
    jobs.stop();
    jobs.run_after({}, [&] { has_run = true; });
  }
  CHECK_FALSE(has_run);
}

}  // namespace
}  // namespace ordem::cluster
