#include "engine/model/order.hpp"

#include <catch2/catch.hpp>

#include "tests/engine/orders.hpp"

namespace ordem {
namespace {

using namespace testing;

TEST_CASE("every status has the name and the number that clients and records know") {
  struct row {
    order_status status;
    std::string_view name;
    int number;
  };
  constexpr row rows[] = {
      {order_status::fresh, "new", 1},           {order_status::confirmed, "confirmed", 2},
      {order_status::shipped, "shipped", 3},     {order_status::delivered, "delivered", 4},
      {order_status::cancelled, "cancelled", 5},
  };
  for (const auto& [status, name, number] : rows) {
    CAPTURE(name);
    CHECK(to_string(status) == name);
    CHECK(parse_order_status(name) == status);
    CHECK(static_cast<int>(status) == number);
  }
}

TEST_CASE("what is no status is not read as one") {
  for (const std::string_view text : {"", "fresh", "New", "CONFIRMED", "new ", " new", "canceled", "1"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_order_status(text));
  }
}

TEST_CASE("a status moves forward by one step, or to cancelled before it is shipped") {
  std::vector<std::pair<order_status, order_status>> moves;
  for (const order_status from : every_status) {
    for (const order_status to : every_status) {
      if (may_become(from, to)) moves.emplace_back(from, to);
    }
  }
  CHECK(moves == std::vector<std::pair<order_status, order_status>>{{order_status::fresh, order_status::confirmed},
                                                                    {order_status::fresh, order_status::cancelled},
                                                                    {order_status::confirmed, order_status::shipped},
                                                                    {order_status::confirmed, order_status::cancelled},
                                                                    {order_status::shipped, order_status::delivered}});
}

TEST_CASE("an order is open while it is new or confirmed") {
  CHECK(is_open(order_status::fresh));
  CHECK(is_open(order_status::confirmed));
  CHECK_FALSE(is_open(order_status::shipped));
  CHECK_FALSE(is_open(order_status::delivered));
  CHECK_FALSE(is_open(order_status::cancelled));
}

TEST_CASE("a total is the sum of quantity times unit price") {
  CHECK(total_of({}) == cents(0));
  CHECK(total_of({{"A", 2, cents(1999)}}) == cents(3998));
  CHECK(total_of({{"A", 2, cents(1999)}, {"B", 1'000'000, cents(0)}, {"C", 3, cents(1)}}) == cents(4001));
}

TEST_CASE("a total that does not fit is none") {
  constexpr std::int64_t max = limits::total_minor_units_max;
  CHECK(total_of({{"A", 1, cents(max)}}) == cents(max));
  CHECK(total_of({{"A", 1, cents(max)}, {"B", 1, cents(0)}}) == cents(max));
  CHECK_FALSE(total_of({{"A", 1, cents(max)}, {"B", 1, cents(1)}}));
  CHECK_FALSE(total_of({{"A", 2, cents(max)}}));
  CHECK_FALSE(total_of(std::vector<order_item>(500, {"A", 1'000'000, cents(1'000'000'000'000)})));
}

}  // namespace
}  // namespace ordem
