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

TEST_CASE("the fields that clash are listed, items with their sku, as far as there is room") {
  order first = contract_order();
  order second = next_version(first);
  second.content.items[0].quantity = 7;
  second.content.customer_id = "c-2";
  command asked = merge_content{};
  auto& patch = std::get<merge_content>(asked);
  patch.items = first.content.items;
  patch.items->front().quantity = 3;
  patch.customer_id = "c-3";
  CHECK(conflict_members(stale({1}, {2}), {shared(first), shared(second), &asked})
            .ends_with(R"(,"conflicts":[{"pointer":"/customer_id"},{"pointer":"/items","sku":"A-1"}])"));

  json_object before;
  json_object now;
  for (char c = 'a'; c <= 'z'; ++c) {
    before.emplace_back(std::string(900, c), number("1"));
    now.emplace_back(std::string(900, c), number("2"));
  }
  first.content.attributes = before;
  second.content.attributes = now;
  patch = merge_content{};
  patch.attributes = json_object{};
  for (const auto& [name, value] : before) std::get<json_object>(patch.attributes).emplace_back(name, number("3"));
  const std::string members = conflict_members(stale({1}, {2}), {shared(first), shared(second), &asked});
  const auto at = members.find(",\"conflicts\":");
  REQUIRE(at != std::string::npos);
  CHECK(members.size() - at > limits::changes_bytes_max / 2);
  CHECK(members.size() - at <= limits::changes_bytes_max + std::string(",\"conflicts\":]").size());
}

TEST_CASE("external ids and merges are in the changes") {
  order first = contract_order();
  order second = next_version(first);
  second.content.external_id = "shop-1";
  second.merged_from = version{1};
  CHECK(changes_between(first, second) == R"({"version":2,"external_id":"shop-1","merged_from":1})");
  CHECK(changes_between(second, first) == R"({"version":1,"external_id":null,"merged_from":null})");
}

}  // namespace
}  // namespace ordem::codec
