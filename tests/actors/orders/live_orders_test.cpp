#include <catch2/catch.hpp>

#include "actors/orders/live_orders.hpp"

#include <map>
#include <memory>
#include <random>

#include "tests/support_cpp/samples.hpp"
#include "tests/support_cpp/seed.hpp"

namespace ordem::actors {
namespace {

using testing::order_id_of;

// Orders are numbers here; counts the live handles of each.
struct live_orders_test {
  std::map<std::uint64_t, int> live;
  int made = 0;

  struct handle {
    std::map<std::uint64_t, int>* live;
    std::uint64_t number;
    handle(std::map<std::uint64_t, int>* counts, std::uint64_t which) : live(counts), number(which) {
      ++(*live)[number];
    }
    ~handle() { --(*live)[number]; }
    handle(const handle&) = delete;
    handle& operator=(const handle&) = delete;
  };
  using orders = live_orders<std::unique_ptr<handle>>;

  void pin(orders& on, std::uint64_t number) {
    const auto& held = on.pin(order_id_of(number), [&] {
      ++made;
      return std::make_unique<handle>(&live, number);
    });
    REQUIRE(held->number == number);
  }
  void use(orders& on, std::uint64_t number) {
    pin(on, number);
    on.unpin(order_id_of(number));
  }
};

TEST_CASE_METHOD(live_orders_test, "an order is made once and found again") {
  orders on(10);
  use(on, 1);
  use(on, 1);
  pin(on, 1);
  pin(on, 1);
  REQUIRE(made == 1);
  REQUIRE(on.size() == 1);
}

TEST_CASE_METHOD(live_orders_test, "the least recently used order is evicted first") {
  orders on(2);
  use(on, 1);
  use(on, 2);
  use(on, 1);
  use(on, 3);
  REQUIRE(on.size() == 2);
  REQUIRE(live[1] == 1);
  REQUIRE(live[2] == 0);
  REQUIRE(live[3] == 1);
}

TEST_CASE_METHOD(live_orders_test, "an evicted order is made again") {
  orders on(1);
  use(on, 1);
  use(on, 2);
  use(on, 1);
  REQUIRE(made == 3);
}

TEST_CASE_METHOD(live_orders_test, "pinned orders are not evicted, however many there are") {
  orders on(1);
  for (std::uint64_t number = 1; number <= 5; ++number) pin(on, number);
  REQUIRE(on.size() == 5);
  for (std::uint64_t number = 1; number <= 5; ++number) REQUIRE(live[number] == 1);
}

TEST_CASE_METHOD(live_orders_test, "over the bound an order is evicted when its last pin is removed") {
  orders on(1);
  pin(on, 1);
  pin(on, 1);
  pin(on, 2);
  on.unpin(order_id_of(1));
  REQUIRE(live[1] == 1);
  on.unpin(order_id_of(1));
  REQUIRE(live[1] == 0);
  on.unpin(order_id_of(2));
  REQUIRE(live[2] == 1);
  REQUIRE(on.size() == 1);
}

TEST_CASE_METHOD(live_orders_test, "a new order evicts an idle one, not a pinned one") {
  orders on(2);
  pin(on, 1);
  use(on, 2);
  pin(on, 3);
  REQUIRE(live[1] == 1);
  REQUIRE(live[2] == 0);
  REQUIRE(live[3] == 1);
}

TEST_CASE_METHOD(live_orders_test, "all orders are evicted with their table") {
  {
    orders on(3);
    use(on, 1);
    pin(on, 2);
  }
  REQUIRE(live[1] == 0);
  REQUIRE(live[2] == 0);
}

TEST_CASE_METHOD(live_orders_test, "each order is live at most once, pinned ones always, and the bound holds") {
  const auto seed = testing::seed_of_run();
  INFO("ORDEM_SEED=" << seed);
  std::mt19937_64 random(seed);
  const std::size_t live_max = 1 + random() % 8;
  orders on(live_max);
  std::map<std::uint64_t, int> work;
  for (int step = 0; step < 5000; ++step) {
    const std::uint64_t number = random() % 20;
    if (work[number] > 0 && random() % 2 == 0) {
      on.unpin(order_id_of(number));
      --work[number];
    } else {
      pin(on, number);
      ++work[number];
    }
    std::size_t busy = 0;
    for (const auto& [each, pieces] : work) {
      if (pieces > 0) {
        ++busy;
        REQUIRE(live[each] == 1);
      }
    }
    for (const auto& [each, count] : live) REQUIRE(count <= 1);
    REQUIRE(on.size() <= std::max(busy, live_max));
  }
}

}  // namespace
}  // namespace ordem::actors
