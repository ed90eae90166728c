#include "engine/codec/order_json.hpp"

#include <catch2/catch.hpp>

#include "engine/base/limits.hpp"
#include "tests/engine/codec/order_texts.hpp"

namespace ordem::codec {
namespace {

using namespace testing;

std::string rendered(const order& what) {
  std::string out;
  append_order(out, what);
  return out;
}

TEST_CASE("items are written as compact JSON, in their order") {
  struct row {
    std::vector<order_item> items;
    std::string_view expected;
  };
  const row rows[] = {
      {{}, "[]"},
      {{{"A-1", 2, cents(1999)}}, R"([{"sku":"A-1","quantity":2,"unit_price":1999}])"},
      {{{"B", 1, cents(0)}, {"A", 1, cents(0)}},
       R"([{"sku":"B","quantity":1,"unit_price":0},{"sku":"A","quantity":1,"unit_price":0}])"},
      {{{"\"5\" \\ \n \xC3\xA4", 1, cents(1)}},
       "[{\"sku\":\"\\\"5\\\" \\\\ \\n \xC3\xA4\",\"quantity\":1,\"unit_price\":1}]"},
      {{{"A", 4'294'967'295, cents(limits::total_minor_units_max)}},
       R"([{"sku":"A","quantity":4294967295,"unit_price":9007199254740991}])"},
  };
  for (const auto& [items, expected] : rows) {
    CAPTURE(expected);
    std::string out = "x";
    append_items(out, items);
    CHECK(out == "x" + std::string(expected));
  }
}

TEST_CASE("an order is written as in the contract") {
  CHECK(rendered(contract_order()) == contract_order_json);
}

TEST_CASE("a version shows the name of the identity that wrote it, and never the tenant") {
  order what = contract_order();
  what.origin = {"tenant-1", "till \"7\""};
  std::string expected(contract_order_json);
  expected.insert(expected.size() - 1, R"(,"actor":"till \"7\"")");
  CHECK(rendered(what) == expected);
  what.origin.actor.clear();
  CHECK(rendered(what) == contract_order_json);
}

TEST_CASE("an order without attributes has no such member, one with empty attributes does") {
  order what = contract_order();
  what.content.attributes.reset();
  CHECK(rendered(what).find("attributes") == std::string::npos);
  what.content.attributes = json_object{};
  CHECK(rendered(what).find(R"("total":3998,"attributes":{},"created_at")") != std::string::npos);
}

TEST_CASE("an order shows its external id and the version that it was merged from, if it has them") {
  order what = contract_order(order_status::fresh, {3});
  what.content.external_id = "PO \"7\"";
  what.merged_from = version{1};
  const std::string text = rendered(what);
  CHECK(text.find(R"("customer_id":"c-1001","external_id":"PO \"7\"","currency":"EUR")") != std::string::npos);
  CHECK(text.find(R"("updated_at":"2026-11-22T10:15:30.123Z","merged_from":1})") != std::string::npos);
}

TEST_CASE("an order is written with its greatest numbers and with its text escaped") {
  order what = contract_order(order_status::cancelled, {9'007'199'254'740'991});
  what.content.customer_id = "a\"b\\c\n\xE2\x82\xAC";
  what.content.items = {{"\t", 1'000'000, cents(0)}, {"B", 1, cents(1'000'000'000'000)}};
  what.total = cents(9'007'199'254'740'991);
  CHECK(
      rendered(what) ==
      R"({"order_id":"0190b3f2-9f6c-7cc0-8000-5f3a1c2d4e6f","version":9007199254740991,"status":"cancelled",)"
      "\"customer_id\":\"a\\\"b\\\\c\\n\xE2\x82\xAC\","
      R"("currency":"EUR","items":[{"sku":"\t","quantity":1000000,"unit_price":0},)"
      R"({"sku":"B","quantity":1,"unit_price":1000000000000}],"total":9007199254740991,"attributes":{"channel":"web"},)"
      R"("created_at":"2026-11-22T10:15:30.123Z","updated_at":"2026-11-22T10:15:30.123Z"})");
}

TEST_CASE("a page contains the name of its list and the next cursor") {
  CHECK(order_list_json("orders").finish(std::nullopt) ==
        R"({"code":200,"message":"ok","orders":[],"next_cursor":null})");
  order_list_json page("versions");
  page.add(shipped_order());
  page.add(contract_order());
  CHECK(page.orders() == 2);
  CHECK(page.finish("a\"b") == R"({"code":200,"message":"ok","versions":[)" + shipped_order_json() + "," +
                                   std::string(contract_order_json) + R"(],"next_cursor":"a\"b"})");
}

TEST_CASE("a dropped order leaves nothing in its page") {
  order_list_json page("orders");
  page.add(contract_order());
  const std::size_t bytes = page.bytes();
  page.add(shipped_order());
  page.drop_last();
  CHECK(page.orders() == 1);
  CHECK(page.bytes() == bytes);
  CHECK(page.finish(std::nullopt) ==
        R"({"code":200,"message":"ok","orders":[)" + std::string(contract_order_json) + R"(],"next_cursor":null})");
}

}  // namespace
}  // namespace ordem::codec
