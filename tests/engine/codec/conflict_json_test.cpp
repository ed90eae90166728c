#include "engine/codec/conflict_json.hpp"

#include <simdjson.h>

#include <catch2/catch.hpp>
#include <string>

#include "engine/base/limits.hpp"
#include "engine/codec/order_json.hpp"
#include "tests/engine/orders.hpp"

namespace ordem::codec {
namespace {

using namespace testing;

order next_version(order what) {
  what.version = what.version.next();
  return what;
}

outcome stale(version expected, version current) {
  return {verdict::stale_version, contract_id(), current,
          order_status::fresh,    std::nullopt,  ordem::expected_version{expected, false}};
}

TEST_CASE("the changes between two versions are a merge patch of what differs") {
  const order first = contract_order();
  CHECK(changes_between(first, first) == "{}");
  CHECK(changes_between(first, next_version(first)) == R"({"version":2})");

  order second = next_version(first);
  second.status = order_status::confirmed;
  second.content.customer_id = "c-\"2\"";
  second.content.currency = {'U', 'S', 'D'};
  second.content.items = {{"B-2", 1, cents(500)}};
  second.total = cents(500);
  second.content.attributes = json_object{{"gift", {true}}};
  second.updated_at = first.updated_at + std::chrono::seconds(1);
  second.origin.actor = "till-7";
  CHECK(changes_between(first, second) ==
        R"({"version":2,"status":"confirmed","customer_id":"c-\"2\"","currency":"USD",)"
        R"("items":[{"sku":"B-2","quantity":1,"unit_price":500}],"total":500,)"
        R"("attributes":{"channel":null,"gift":true},"updated_at":"2026-11-22T10:15:31.123Z","actor":"till-7"})");
}

TEST_CASE("attributes that are removed or added as a whole are in the changes") {
  const order with = contract_order();
  order without = next_version(with);
  without.content.attributes.reset();
  CHECK(changes_between(with, without) == R"({"version":2,"attributes":null})");
  order again = next_version(without);
  again.content.attributes = json_object{};
  CHECK(changes_between(without, again) == R"({"version":3,"attributes":{}})");
}

TEST_CASE("an actor that the order no longer shows is removed") {
  order first = contract_order();
  first.origin.actor = "till-7";
  order second = next_version(first);
  second.origin.actor.clear();
  CHECK(changes_between(first, second) == R"({"version":2,"actor":null})");
}

TEST_CASE("a change that no merge patch can say gets the list of versions") {
  const order first = contract_order();
  order second = next_version(first);
  second.content.attributes = json_object{{"channel", null()}};
  CHECK(changes_between(first, second) == std::nullopt);
  CHECK(conflict_members(stale({1}, {2}), {shared(first), shared(second)}) ==
        R"(,"versions":"/api/v1/orders/0190b3f2-9f6c-7cc0-8000-5f3a1c2d4e6f/versions")");
}

TEST_CASE("changes are given up to their bound, and then the list of versions") {
  const order first = contract_order();
  order second = next_version(first);
  const auto with_note_of = [&](std::size_t bytes) {
    second.content.attributes = json_object{{"channel", text("web")}, {"note", text(std::string(bytes, 'n'))}};
    return conflict_members(stale({1}, {2}), {shared(first), shared(second)});
  };
  const std::size_t around = std::string(R"({"version":2,"attributes":{"note":""}})").size();
  const std::string longest = with_note_of(limits::changes_bytes_max - around);
  CHECK(longest.starts_with(R"(,"changes":{"version":2,)"));
  CHECK(longest.size() == limits::changes_bytes_max + std::string(R"(,"changes":)").size());
  CHECK(with_note_of(limits::changes_bytes_max - around + 1).starts_with(R"(,"versions":")"));
}

TEST_CASE("without the versions there is only the list of versions") {
  CHECK(conflict_members(stale({5}, {2}), {}).starts_with(R"(,"versions":")"));
}

}  // namespace
}  // namespace ordem::codec
