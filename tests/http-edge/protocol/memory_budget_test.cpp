#include "http-edge/protocol/memory_budget.hpp"

#include <catch2/catch.hpp>
#include <thread>
#include <utility>

namespace ordem::http_edge {
namespace {

TEST_CASE("a budget is available up to its bound, and again once it is returned") {
  memory_budget budget(100'000);
  memory_budget::permit first(budget);
  memory_budget::permit second(budget);
  CHECK(first.resize(60'000));
  CHECK(budget.used() == 60'000);
  CHECK_FALSE(second.resize(40'001));
  CHECK(budget.used() == 60'000);
  CHECK(budget.refusals() == 1);
  CHECK(second.resize(40'000));
  CHECK_FALSE(first.resize(60'001));
  CHECK(first.resize(60'000));
  CHECK(first.resize(50'000));
  CHECK(second.resize(50'000));
  CHECK(budget.used() == 100'000);
  CHECK(budget.refusals() == 2);
}

TEST_CASE("small buffers are not counted, and are available when the budget is used up") {
  memory_budget budget(10'000);
  memory_budget::permit all(budget);
  CHECK(all.resize(10'000));
  memory_budget::permit small(budget);
  CHECK(small.resize(memory_budget::uncounted_bytes));
  CHECK_FALSE(small.resize(memory_budget::uncounted_bytes + 1));
  CHECK(budget.used() == 10'000);
  CHECK(all.resize(memory_budget::uncounted_bytes));
  CHECK(budget.used() == 0);
}

TEST_CASE("a permit returns its share once, when it is destroyed, also after moves") {
  memory_budget budget(100'000);
  {
    memory_budget::permit first(budget);
    CHECK(first.resize(50'000));
    memory_budget::permit second(std::move(first));
    CHECK(budget.used() == 50'000);
    memory_budget::permit third(budget);
    CHECK(third.resize(20'000));
    third = std::move(second);
    CHECK(budget.used() == 50'000);
  }
  CHECK(budget.used() == 0);
}

TEST_CASE("a permit without a budget can always be resized") {
  memory_budget::permit unbound;
  CHECK(unbound.resize(~std::size_t{0}));
  CHECK(unbound.resize(0));
}

TEST_CASE("many threads together never exceed the budget, and return all of it") {
  constexpr std::size_t bound = 1'000'000;
  memory_budget budget(bound);
  const auto work = [&](std::size_t step) {
    for (int round = 0; round < 2000; ++round) {
      memory_budget::permit mine(budget);
      for (std::size_t bytes = step; mine.resize(bytes) && bytes < bound; bytes += step) {
      }
      if (budget.used() > bound) std::terminate();
    }
  };
  std::thread first(work, 50'000);
  std::thread second(work, 70'000);
  first.join();
  second.join();
  CHECK(budget.used() == 0);
}

}  // namespace
}  // namespace ordem::http_edge
