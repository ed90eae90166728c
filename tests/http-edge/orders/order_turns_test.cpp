// Lines about one order are submitted one after the other, and lines about other orders do not wait for them.
#include "http-edge/orders/order_turns.hpp"

#include <catch2/catch.hpp>
#include <random>
#include <vector>

#include "tests/support_cpp/samples.hpp"
#include "tests/support_cpp/seed.hpp"

namespace ordem::http_edge {
namespace {

using namespace testing;
using turn = order_turns::turn;

turn update(std::uint32_t line, std::uint64_t order) {
  return {line, status_move(guid_of(line), order_id_of(order), {1}, order_status::confirmed)};
}

std::optional<std::uint32_t> line_of(const std::optional<turn>& which) {
  return which ? std::optional(which->line) : std::nullopt;
}

TEST_CASE("a create has its turn at once, and nothing waits for it") {
  order_turns turns;
  for (const std::uint32_t line : {1U, 2U}) CHECK(line_of(turns.begin({line, creation(guid_of(line))})) == line);
  CHECK_FALSE(turns.end(1));
  CHECK_FALSE(turns.end(2));
}

TEST_CASE("lines about one order wait for one another, those about another do not") {
  order_turns turns;
  CHECK(line_of(turns.begin(update(1, 7))) == 1);
  CHECK_FALSE(turns.begin(update(2, 7)));
  CHECK(line_of(turns.begin(update(3, 8))) == 3);
  CHECK_FALSE(turns.begin(update(4, 7)));
  CHECK_FALSE(turns.end(3));
  const auto second = turns.end(1);
  REQUIRE(line_of(second) == 2);
  CHECK(second->what.guid == guid_of(2));
  CHECK_FALSE(turns.begin(update(5, 7)));
  CHECK(line_of(turns.end(2)) == 4);
  CHECK(line_of(turns.end(4)) == 5);
  CHECK_FALSE(turns.end(5));
  CHECK(line_of(turns.begin(update(6, 7))) == 6);
}

TEST_CASE("every line has one turn, after the earlier ones about its order, for any order of answers") {
  const std::uint64_t seed = seed_of_run();
  INFO("ORDEM_SEED=" << seed);
  std::mt19937_64 random(seed);
  order_turns turns;
  std::vector<std::uint64_t> order_of;             // of each line
  std::vector<std::vector<std::uint32_t>> due(5);  // the lines of each order that had no turn
  std::vector<std::uint32_t> in_flight;
  const auto submit = [&](const std::optional<turn>& next) {
    if (!next) return;
    auto& lines = due[order_of[next->line]];
    REQUIRE(lines.front() == next->line);
    lines.erase(lines.begin());
    in_flight.push_back(next->line);
  };
  const auto answer_one = [&] {
    std::swap(in_flight[random() % in_flight.size()], in_flight.back());
    const auto line = in_flight.back();
    in_flight.pop_back();
    const auto next = turns.end(line);
    REQUIRE(next.has_value() == !due[order_of[line]].empty());
    submit(next);
  };
  for (std::uint32_t line = 0; line < 5'000; ++line) {
    order_of.push_back(random() % due.size());
    due[order_of[line]].push_back(line);
    submit(turns.begin(update(line, order_of[line])));
    while (!in_flight.empty() && random() % 2 == 0) answer_one();
  }
  while (!in_flight.empty()) answer_one();
  for (const auto& lines : due) CHECK(lines.empty());
}

}  // namespace
}  // namespace ordem::http_edge
