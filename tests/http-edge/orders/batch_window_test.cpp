// Verdicts arrive in any order and are written in the order of the lines.
#include "http-edge/orders/batch_window.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <random>
#include <string>
#include <vector>

#include "tests/http-edge/exchange.hpp"
#include "tests/support_cpp/samples.hpp"
#include "tests/support_cpp/seed.hpp"

namespace ordem::http_edge {
namespace {

using namespace testing;

const fake_orders no_orders;

answer created(std::uint64_t number) {
  executed done;
  done.order = shared(sample_order(number));
  done.expires_at = sample_time;
  return done;
}

refused_line bad_line() {
  return {std::nullopt, problem_response(problem::malformed_json, "no")};
}

std::string due(batch_window& window) {
  std::string out;
  window.write_due(out);
  return out;
}

// Returns the keys of the verdicts, in order.
std::vector<std::string> keys_of(std::string_view verdicts) {
  constexpr std::string_view begin = "{\"idempotency_key\":";
  std::vector<std::string> keys;
  while (!verdicts.empty()) {
    REQUIRE(verdicts.starts_with(begin));
    verdicts.remove_prefix(begin.size());
    keys.emplace_back(verdicts.substr(0, verdicts.find(',')));
    verdicts.remove_prefix(verdicts.find('\n') + 1);
  }
  return keys;
}

std::string quoted(std::uint64_t number) {
  return '"' + std::string(guid_of(number).view()) + '"';
}

TEST_CASE("a verdict waits for those of earlier lines") {
  batch_window window(no_orders);
  const auto first = window.add(guid_of(1), 100);
  const auto second = window.add(guid_of(2), 50);
  window.add(bad_line());
  CHECK(window.in_flight() == 2);
  CHECK(due(window).empty());
  window.complete(second, created(2));
  CHECK(due(window).empty());
  window.complete(first, created(1));
  CHECK(window.in_flight() == 0);
  CHECK(keys_of(due(window)) == std::vector<std::string>{quoted(1), quoted(2), "null"});
  CHECK(window.empty());
  CHECK(due(window).empty());
}

TEST_CASE("the verdict on a line that the engine refuses has the key of the line") {
  batch_window window(no_orders);
  window.complete(window.add(guid_of(7), 10), refusal{guid_reused{}});
  const std::string verdict = due(window);
  CHECK(keys_of(verdict) == std::vector<std::string>{quoted(7)});
  CHECK(verdict.find(R"("status":422,"replayed":false,"problem":{"type":"/problems/guid-reused")") !=
        std::string::npos);
}

TEST_CASE("a window is full at its bound and has room again once verdicts are written") {
  batch_window window(no_orders);
  std::vector<std::uint32_t> numbers;
  while (!window.full()) numbers.push_back(window.add(guid_of(numbers.size()), 1));
  CHECK(numbers.size() == batch_limits::lines_in_flight_max);
  window.complete(numbers[1], created(1));
  CHECK(window.full());
  window.complete(numbers[0], created(0));
  CHECK(keys_of(due(window)).size() == 2);
  CHECK_FALSE(window.full());
}

TEST_CASE("the bytes of lines in flight and of waiting verdicts are counted") {
  batch_window window(no_orders);
  const auto first = window.add(guid_of(1), 100);
  const auto second = window.add(guid_of(2), 50);
  CHECK(window.bytes() == 150);
  window.complete(second, refusal{guid_reused{}});
  const std::size_t waiting = window.bytes() - 100;
  window.complete(first, created(1));
  const std::string verdicts = due(window);
  CHECK(verdicts.size() - verdicts.find('\n') - 1 == waiting);
  CHECK(window.bytes() == 0);
}

TEST_CASE("each verdict is counted once, by the class of its status") {
  batch_window window(no_orders);
  window.complete(window.add(guid_of(1), 1), created(1));
  window.complete(window.add(guid_of(2), 1), refusal{unavailability::overloaded});
  executed rejected;
  rejected.outcome.verdict = verdict::order_closed;
  window.complete(window.add(guid_of(3), 1), rejected);
  window.add(bad_line());
  window.add(bad_line());
  const auto counts = window.take_counts();
  CHECK(counts.by_status == batch_window::status_counts{0, 0, 1, 0, 3, 1});
  CHECK(counts.problems == std::vector<codec::problem>{codec::problem::overloaded, codec::problem::order_closed,
                                                       *bad_line().why.problem, *bad_line().why.problem});
  CHECK(window.take_counts().by_status == batch_window::status_counts{});
  CHECK(window.take_counts().problems.empty());
}

TEST_CASE("verdicts are written in the order of lines, for any order of answers") {
  const std::uint64_t seed = seed_of_run();
  INFO("ORDEM_SEED=" << seed);
  std::mt19937_64 random(seed);
  batch_window window(no_orders);
  std::vector<std::pair<std::uint32_t, std::uint64_t>> in_flight;
  std::vector<std::string> expected;
  std::vector<std::string> written;
  for (std::uint64_t step = 0; step < 20'000; ++step) {
    const auto drawn = random() % 10;
    if (drawn < 5 && !window.full()) {
      in_flight.emplace_back(window.add(guid_of(step), 10), step);
      expected.push_back(quoted(step));
    } else if (drawn == 5 && !window.full()) {
      window.add(bad_line());
      expected.emplace_back("null");
    } else if (drawn < 9 && !in_flight.empty()) {
      std::swap(in_flight[random() % in_flight.size()], in_flight.back());
      window.complete(in_flight.back().first, created(in_flight.back().second));
      in_flight.pop_back();
    } else {
      const auto keys = keys_of(due(window));
      written.insert(written.end(), keys.begin(), keys.end());
    }
    REQUIRE(window.in_flight() == in_flight.size());
  }
  for (const auto& [number, step] : in_flight) window.complete(number, created(step));
  const auto keys = keys_of(due(window));
  written.insert(written.end(), keys.begin(), keys.end());
  CHECK(written == expected);
  CHECK(window.bytes() == 0);
}

// Versions 1 and 2 of an order, of which the second has a long attribute.
fake_orders two_versions(std::size_t attribute_bytes) {
  order first = contract_order();
  order second = first;
  second.version = {2};
  second.content.attributes = json_object{{"note", {std::string(attribute_bytes, 'n')}}};
  fake_orders orders;
  orders.add(std::move(first));
  orders.add(std::move(second));
  return orders;
}

executed stale_write() {
  executed stale;
  stale.outcome = {verdict::stale_version, contract_id(), {2},
                   order_status::fresh,    std::nullopt,  ordem::expected_version{{1}, false}};
  stale.expires_at = sample_time;
  return stale;
}

TEST_CASE("the changes in the verdict on a stale line count as bytes of the window") {
  const fake_orders orders = two_versions(10'000);
  batch_window window(orders);
  const auto number = window.add(guid_of(1), 100);
  window.complete(number, stale_write());
  CHECK(window.bytes() > 10'000);
  const std::string verdict = due(window);
  CHECK(verdict.find(R"("changes":{"version":2,"attributes":{)") != std::string::npos);
  CHECK(verdict.size() > 10'000);
  CHECK(window.bytes() == 0);
  const auto counts = window.take_counts();
  CHECK(counts.by_status[4] == 1);
  CHECK(counts.problems == std::vector{problem::stale_version});
}

TEST_CASE("a stale line whose versions can't be read gets 503, and is counted as that") {
  fake_orders orders = two_versions(10);
  orders.fail();
  batch_window window(orders);
  window.complete(window.add(guid_of(1), 100), stale_write());
  CHECK(due(window).find("/problems/storage-failed") != std::string::npos);
  const auto counts = window.take_counts();
  CHECK(counts.by_status[5] == 1);
  CHECK(counts.problems == std::vector{problem::storage_failed});
}

}  // namespace
}  // namespace ordem::http_edge
