// Reads of orders, versions and messages, through the handler.
#include <catch2/catch.hpp>

#include "engine/base/limits.hpp"
#include "http-edge/orders/rendering.hpp"
#include "http-edge/protocol/route.hpp"
#include "tests/engine/codec/bodies.hpp"
#include "tests/http-edge/exchange.hpp"

namespace ordem::http_edge {
namespace {

using namespace testing;
using namespace codec;

const std::string versions_path = contract_path + "/versions";

std::string version_path(std::string_view number) {
  return versions_path + '/' + std::string(number);
}

order numbered_order(std::uint64_t number, std::string customer = "c-1001") {
  order made = sample_order(number);
  made.content.customer_id = std::move(customer);
  return made;
}

// Adds an order with this number of versions, one second apart.
void add_contract_order(fake_orders& to, std::uint64_t versions) {
  for (std::uint64_t i = 1; i <= versions; ++i) {
    order made = contract_order(order_status::fresh, {i});
    made.updated_at += std::chrono::seconds{i - 1};
    to.add(std::move(made));
  }
}

std::string rendered(const order& what) {
  std::string out;
  append_order(out, what);
  return out;
}

// Returns the values of all members with this name, in order.
std::vector<std::string> members_of(const std::string& json, std::string_view name) {
  std::vector<std::string> values;
  const std::string begin = '"' + std::string(name) + "\":";
  for (auto at = json.find(begin); at != std::string::npos; at = json.find(begin, at + 1)) {
    const auto from = at + begin.size();
    values.push_back(json.substr(from, json.find_first_of(",}", from) - from));
  }
  return values;
}

// Follows next_cursor from page to page. Returns the values of a member from all pages.
std::vector<std::string> walk(exchange& with_server, const std::string& target, std::string_view name) {
  std::vector<std::string> values;
  std::string next = target;
  for (int pages = 0; pages < 100; ++pages) {
    const response page = with_server.get(next);
    REQUIRE(page.status == 200);
    for (auto& value : members_of(page.body, name)) values.push_back(std::move(value));
    const std::string cursor = member_of(page.body, "next_cursor");
    if (cursor == "null") return values;
    next = target + "&cursor=" + cursor.substr(1, cursor.size() - 2);
  }
  FAIL("there is no last page");
  return values;
}

// --- one order ---

TEST_CASE("an order is returned in its current version, with its tag") {
  exchange with_server;
  add_contract_order(with_server.orders, 3);
  const response got = with_server.get(contract_path);
  CHECK(got.status == 200);
  CHECK(header_of(got, "ETag") == "\"3\"");
  CHECK(member_of(got.body, "version") == "3");
  CHECK_FALSE(header_of(got, "Idempotency-Expires"));
  CHECK_FALSE(header_of(got, "Ordem-Position"));
}

TEST_CASE("an order is found by its id in upper case and in an absolute target") {
  exchange with_server;
  add_contract_order(with_server.orders, 1);
  CHECK(with_server.get("/api/v1/orders/0190B3F2-9F6C-7CC0-8000-5F3A1C2D4E6F").status == 200);
  CHECK(with_server.get("http://example.org" + contract_path).status == 200);
}

TEST_CASE("an order that does not exist, or whose id is invalid, is not found") {
  exchange with_server;
  for (const std::string& path :
       {contract_path, std::string("/api/v1/orders/1"), versions_path, version_path("1"),
        std::string("/api/v1/orders/x/versions"), std::string("/api/v1/orders/x/versions/1")}) {
    CAPTURE(path);
    CHECK(slug_of(with_server.get(path)) == "order-not-found");
  }
}

TEST_CASE("an order that the client already has gets 304 with its tag and no body") {
  exchange with_server;
  add_contract_order(with_server.orders, 3);
  const auto asked = [&](const std::string& path, std::string_view tags) {
    return with_server.answer(request(verb::get, path).header("If-None-Match", tags));
  };
  for (const std::string_view tags : {"\"3\"", "W/\"3\"", "\"2\", \"3\"", "*"}) {
    CAPTURE(tags);
    const response unchanged = asked(contract_path, tags);
    CHECK(unchanged.status == 304);
    CHECK(unchanged.body.empty());
    CHECK(unchanged.headers == "ETag: \"3\"\r\n");
  }
  CHECK(asked(version_path("2"), "\"2\"").status == 304);
  for (const std::string_view tags : {"\"2\"", "", "garbage"}) CHECK(asked(contract_path, tags).status == 200);
  CHECK(asked(version_path("2"), "\"3\"").status == 200);
}

TEST_CASE("If-None-Match may be given in several lines") {
  exchange with_server;
  add_contract_order(with_server.orders, 3);
  CHECK(with_server
            .answer(request(verb::get, contract_path).header("If-None-Match", "\"1\"").header("If-None-Match", "\"3\""))
            .status == 304);
}

TEST_CASE("each version of an order can be read") {
  exchange with_server;
  add_contract_order(with_server.orders, 3);
  for (const std::string_view number : {"1", "2", "3"}) {
    const response got = with_server.get(version_path(number));
    CHECK(got.status == 200);
    CHECK(member_of(got.body, "version") == number);
    CHECK(header_of(got, "ETag") == '"' + std::string(number) + '"');
  }
}

TEST_CASE("a version that an order does not have, or that is invalid, is not found") {
  exchange with_server;
  add_contract_order(with_server.orders, 3);
  for (const std::string_view number : {"4", "0", "-1", "x", "1.0", "18446744073709551617"}) {
    CAPTURE(number);
    const response refused = with_server.get(version_path(number));
    CHECK(slug_of(refused) == "version-not-found");
    CHECK(refused.body.find("the order is at version 3") != std::string::npos);
  }
}

// --- lists ---

TEST_CASE("the versions of an order are listed newest first") {
  exchange with_server;
  add_contract_order(with_server.orders, 3);
  const response got = with_server.get(versions_path);
  CHECK(got.status == 200);
  CHECK(got.body.starts_with(R"({"code":200,"message":"ok","versions":[{"order_id":)"));
  CHECK(members_of(got.body, "version") == std::vector<std::string>{"3", "2", "1"});
  CHECK(member_of(got.body, "next_cursor") == "null");
  CHECK_FALSE(header_of(got, "ETag"));
}

TEST_CASE("a customer's orders are listed newest first, each in its current version") {
  exchange with_server;
  for (const std::uint64_t number : {1u, 2u, 3u}) with_server.orders.add(numbered_order(number));
  with_server.orders.add(numbered_order(4, "somebody else"));
  order changed = numbered_order(2);
  changed.version = {2};
  with_server.orders.add(changed);
  const response got = with_server.get("/api/v1/orders?customer_id=c-1001");
  CHECK(got.status == 200);
  CHECK(got.body == R"({"code":200,"message":"ok","orders":[)" + rendered(numbered_order(3)) + "," + rendered(changed) +
                        "," + rendered(numbered_order(1)) + R"(],"next_cursor":null})");
  CHECK(with_server.get("/api/v1/orders?customer_id=somebody+else").body.find(order_id_of(4).to_string()) !=
        std::string::npos);
  CHECK(with_server.get("/api/v1/orders?customer_id=nobody").body ==
        R"({"code":200,"message":"ok","orders":[],"next_cursor":null})");
}

TEST_CASE("pages of any size show every order once, in order") {
  exchange with_server;
  std::vector<std::string> expected;
  for (std::uint64_t number = 1; number <= 7; ++number) {
    with_server.orders.add(numbered_order(number));
    expected.insert(expected.begin(), '"' + order_id_of(number).to_string() + '"');
  }
  for (const std::string_view limit : {"1", "2", "3", "6", "7", "8", "1000"}) {
    CAPTURE(limit);
    CHECK(walk(with_server, "/api/v1/orders?customer_id=c-1001&limit=" + std::string(limit), "order_id") == expected);
  }
}

TEST_CASE("pages of any size show every version once, in order") {
  exchange with_server;
  add_contract_order(with_server.orders, 7);
  for (const std::string_view limit : {"1", "2", "3", "6", "7", "8", "1000"}) {
    CAPTURE(limit);
    CHECK(walk(with_server, versions_path + "?limit=" + std::string(limit), "version") ==
          std::vector<std::string>{"7", "6", "5", "4", "3", "2", "1"});
  }
}

TEST_CASE("a page has 100 entries unless the request says otherwise, and its cursor is that of the last") {
  exchange with_server;
  add_contract_order(with_server.orders, 1'100);
  const auto page = [&](const std::string& query) { return with_server.get(versions_path + query).body; };
  CHECK(members_of(page(""), "version").size() == 100);
  CHECK(member_of(page(""), "next_cursor") == "\"1001\"");
  CHECK(members_of(page("?limit=1000"), "version").size() == 1'000);
  CHECK(member_of(page("?limit=1000"), "next_cursor") == "\"101\"");
  CHECK(members_of(page("?cursor=101"), "version").size() == 100);
  CHECK(member_of(page("?cursor=101"), "next_cursor") == "null");
  CHECK(page("?cursor=1") == R"({"code":200,"message":"ok","versions":[],"next_cursor":null})");
}

order large_order(std::uint64_t number) {
  order made = numbered_order(number);
  made.content.items.assign(limits::items_max, order_item{std::string(limits::sku_characters_max, 's'), 1, made.total});
  return made;
}

TEST_CASE("a page of large orders ends at a megabyte, and its cursor continues after it") {
  exchange with_server;
  std::vector<std::string> expected;
  for (std::uint64_t number = 1; number <= 60; ++number) {
    with_server.orders.add(large_order(number));
    expected.insert(expected.begin(), '"' + order_id_of(number).to_string() + '"');
  }
  const std::string target = "/api/v1/orders?customer_id=c-1001&limit=1000";
  const response first = with_server.get(target);
  const std::size_t order_bytes = rendered(large_order(1)).size();
  CHECK(first.body.size() < limits::page_bytes_max + 100);
  CHECK(first.body.size() > limits::page_bytes_max - 2 * order_bytes);
  const std::size_t on_page = members_of(first.body, "order_id").size();
  CHECK(with_server.orders.listed() == on_page + 1);
  CHECK(member_of(first.body, "next_cursor") == expected[on_page - 1]);
  CHECK(walk(with_server, target, "order_id") == expected);
}

TEST_CASE("a page of versions has the same bound as one of orders") {
  exchange with_server;
  for (std::uint64_t number = 1; number <= 60; ++number) {
    order made = large_order(1);
    made.id = contract_order().id;
    made.version = {number};
    with_server.orders.add(made);
  }
  const response first = with_server.get(versions_path + "?limit=1000");
  CHECK(first.body.size() < limits::page_bytes_max + 100);
  const auto versions = walk(with_server, versions_path + "?limit=1000", "version");
  CHECK(versions.size() == 60);
  CHECK(versions.back() == "1");
}

TEST_CASE("a page has at least one order, however large") {
  exchange with_server;
  order huge = numbered_order(2);
  huge.content.customer_id = "c-1001";
  huge.content.items.assign(
      20'000, order_item{std::string(limits::sku_characters_max, 's'), 1, huge.total});  // no rule forbids it
  with_server.orders.add(huge);
  with_server.orders.add(numbered_order(1));
  const response first = with_server.get("/api/v1/orders?customer_id=c-1001");
  CHECK(members_of(first.body, "order_id").size() == 1);
  CHECK(first.body.size() > limits::page_bytes_max);
  CHECK(walk(with_server, "/api/v1/orders?customer_id=c-1001&limit=9", "order_id").size() == 2);
}

TEST_CASE("reading a page can be suspended after any order") {
  exchange with_server;
  add_contract_order(with_server.orders, 3);
  auto made = with_server.handle(request(verb::get, versions_path));
  auto& page = std::get<order_page>(made);
  for (std::size_t orders = 1; orders <= 3; ++orders) {
    CHECK_FALSE(page.read_until({}));
    CHECK(with_server.orders.listed() == orders);
  }
  const auto whole = page.read_until({});
  REQUIRE(whole);
  CHECK(whole->body == with_server.get(versions_path).body);
}

TEST_CASE("an invalid query of a list is refused, and the detail names the parameter") {
  exchange with_server;
  add_contract_order(with_server.orders, 3);
  struct row {
    std::string target;
    std::string_view named;
  };
  const std::string orders = "/api/v1/orders?customer_id=c";
  const row rows[] = {
      {"/api/v1/orders?external_id=", "external_id"},
      {"/api/v1/orders?external_id=a%0A", "external_id must not contain control characters"},
      {"/api/v1/orders?external_id=" + std::string(129, 'c'), "external_id"},
      {"/api/v1/orders?status=paid", "status must be new"},
      {"/api/v1/orders?status=", "status"},
      {"/api/v1/orders?created_after=yesterday", "created_after must be a time"},
      {"/api/v1/orders?created_after=2026-11-22T10:15:30+01:00", "created_after must be a time"},
      {"/api/v1/orders?created_before=2026-11-22", "created_before must be a time"},
      {"/api/v1/orders?created_before=", "created_before"},
      {"/api/v1/orders?created=2026-11-22T10:15:30Z", "created"},
      {orders + "&status=new&status=new", "status is given more than once"},
      {"/api/v1/orders?customer_id=", "customer_id"},
      {"/api/v1/orders?customer_id", "customer_id"},
      {"/api/v1/orders?customer_id=" + std::string(129, 'c'), "customer_id"},
      {"/api/v1/orders?customer_id=%00", "customer_id"},
      {"/api/v1/orders?customer_id=c%00d", "customer_id"},
      {"/api/v1/orders?Customer_id=c", "Customer_id"},
      {orders + "&limit=0", "limit"},
      {orders + "&limit=1001", "limit"},
      {orders + "&limit=-1", "limit"},
      {orders + "&limit=", "limit"},
      {orders + "&limit=x", "limit"},
      {orders + "&limit=1e2", "limit"},
      {orders + "&limit=99999999999999999999", "limit"},
      {orders + "&cursor=", "cursor"},
      {orders + "&cursor=5", "cursor"},
      {orders + "&page=2", "page"},
      {orders + "&customer_id=c", "customer_id is given more than once"},
      {orders + "&limit=1&limit=1", "limit is given more than once"},
      {orders + "&cursor=&cursor=", "cursor is given more than once"},
      {"/api/v1/orders?customer_id=caf%E9", "customer_id is not UTF-8"},
      {orders + "&=1", "''"},
      {versions_path + "?limit=1&limit=2", "limit is given more than once"},
      {versions_path + "?limit=0", "limit"},
      {versions_path + "?limit=1001", "limit"},
      {versions_path + "?cursor=0", "cursor"},
      {versions_path + "?cursor=" + std::string(contract_id_text), "cursor"},
      {versions_path + "?customer_id=c", "customer_id"},
      {versions_path + "?offset=1", "offset"},
  };
  for (const auto& [target, named] : rows) {
    CAPTURE(target);
    const response refused = with_server.get(target);
    CHECK(slug_of(refused) == "malformed-query");
    CHECK(member_of(refused.body, "detail").find(named) != std::string::npos);
  }
}

// --- searches ---

// The ids of the orders on a page, without the quotes.
std::vector<std::string> ids_on(const response& page) {
  std::vector<std::string> ids;
  for (const std::string& each : members_of(page.body, "order_id")) ids.push_back(each.substr(1, each.size() - 2));
  return ids;
}

order order_at(timestamp at, std::uint8_t number) {
  order made = numbered_order(number);
  made.id = lowest_id_at(at);
  made.id.bytes[6] = 0x70;
  made.id.bytes[15] = number;
  made.created_at = at;
  return made;
}

TEST_CASE("orders are found by each parameter, and by all of them") {
  exchange with_server;
  std::vector<order> orders;
  for (std::uint8_t number = 1; number <= 5; ++number) {
    orders.push_back(order_at(sample_time + std::chrono::seconds{number}, number));
  }
  orders[0].content.customer_id = "c-2";
  orders[1].status = order_status::confirmed;
  orders[2].content.external_id = "PO 7";
  orders[3].content.external_id = "PO 7";
  orders[3].status = order_status::confirmed;
  orders[4].origin.tenant = "shop";
  for (const order& each : orders) with_server.orders.add(each);
  const auto found = [&](const std::string& query) { return ids_on(with_server.get("/api/v1/orders" + query)); };
  const auto ids = [&](std::initializer_list<std::size_t> numbers) {
    std::vector<std::string> all;
    for (const std::size_t number : numbers) all.push_back(orders[number - 1].id.to_string());
    return all;
  };
  const auto at = [](int second) { return to_rfc3339(sample_time + std::chrono::seconds{second}); };
  CHECK(found("") == ids({4, 3, 2, 1}));
  CHECK(found("?customer_id=c-2") == ids({1}));
  CHECK(found("?external_id=PO+7") == ids({4, 3}));
  CHECK(found("?external_id=PO%207&status=new") == ids({3}));
  CHECK(found("?status=confirmed") == ids({4, 2}));
  CHECK(found("?created_after=" + at(2)) == ids({4, 3, 2}));
  CHECK(found("?created_before=" + at(3)) == ids({2, 1}));
  CHECK(found("?created_after=" + at(2) + "&created_before=" + at(4)) == ids({3, 2}));
  CHECK(found("?created_after=" + at(4) + "&created_before=" + at(4)).empty());
  CHECK(found("?created_after=" + at(2) + "&created_before=" + at(4) + "&customer_id=c-1001&status=confirmed") ==
        ids({2}));
  CHECK(found("?customer_id=c-1001&external_id=PO+7&created_before=" + at(4)) == ids({3}));
  with_server.sender = {"shop", "till-7"};
  CHECK(found("") == ids({5}));
}

TEST_CASE("a page ends after 10000 orders that it looked at, and its cursor continues behind them") {
  exchange with_server;
  constexpr std::uint64_t count = 25'000;
  for (std::uint64_t number = 1; number <= count; ++number) {
    order made = numbered_order(number);
    made.id = lowest_id_at(sample_time + milliseconds{static_cast<std::int64_t>(number)});
    made.id.bytes[15] = 1;
    if (number % 2 == 0) made.origin.tenant = "shop";
    if (number == 1) made.status = order_status::confirmed;
    with_server.orders.add(made);
  }
  const std::string target = "/api/v1/orders?status=confirmed&limit=5";
  std::string cursor;
  std::size_t pages = 0;
  for (;;) {
    const std::size_t before = with_server.orders.listed();
    const response page = with_server.get(target + cursor);
    ++pages;
    REQUIRE(with_server.orders.listed() <= before + limits::page_orders_looked_at_max + 1);
    const std::string next = member_of(page.body, "next_cursor");
    if (next == "null") {
      CHECK(ids_on(page).size() == 1);
      break;
    }
    CHECK(ids_on(page).empty());
    // Not the id of an order, which may be another tenant's.
    const auto behind = order_id::parse(next.substr(1, next.size() - 2)).value();
    CHECK(behind == lowest_id_like(behind));
    cursor = "&cursor=" + next.substr(1, next.size() - 2);
  }
  CHECK(pages == 3);
}

TEST_CASE("the versions of an order that does not exist are not found, with any cursor") {
  exchange with_server;
  CHECK(slug_of(with_server.get(versions_path + "?limit=5")) == "order-not-found");
  CHECK(slug_of(with_server.get(versions_path + "?cursor=5")) == "order-not-found");
}

// --- messages ---

TEST_CASE("a message is returned with the order version that it created") {
  exchange with_server;
  add_contract_order(with_server.orders, 3);
  with_server.orders.add(guid_of("g/1"), created_record());
  const response got = with_server.get("/api/v1/messages/g%2F1");
  CHECK(got.status == 200);
  CHECK(got.body == message_response(guid_of("g/1"), created_record(), shared(contract_order())).body);
}

TEST_CASE("the message of a rejected write is returned without an order") {
  exchange with_server;
  message_record record = created_record();
  record.outcome.verdict = verdict::stale_version;
  record.outcome.expected_version = ordem::expected_version{{7}, false};
  record.command = change_status{order_status::shipped};
  with_server.orders.add(guid_of("g"), record);
  const response got = with_server.get("/api/v1/messages/g");
  CHECK(got.status == 200);
  CHECK(got.body == message_response(guid_of("g"), record, nullptr).body);
}

TEST_CASE("a message that does not exist, has expired, or has an invalid GUID is not found") {
  exchange with_server;
  add_contract_order(with_server.orders, 1);
  with_server.orders.add(guid_of("g"), created_record());
  CHECK(slug_of(with_server.get("/api/v1/messages/other")) == "message-not-found");
  CHECK(slug_of(with_server.get("/api/v1/messages/a%20b")) == "message-not-found");
  CHECK(slug_of(with_server.get("/api/v1/messages/" + std::string(256, 'g'))) == "message-not-found");
  with_server.clock.advance(std::chrono::hours{24} - milliseconds{1});
  CHECK(with_server.get("/api/v1/messages/g").status == 200);
  with_server.clock.advance(milliseconds{1});
  CHECK(slug_of(with_server.get("/api/v1/messages/g")) == "message-not-found");
}

// --- every read of data ---

const std::string data_targets[] = {
    contract_path, versions_path, version_path("1"), "/api/v1/orders?customer_id=c", "/api/v1/messages/g",
};

TEST_CASE("a read that fails gets 503 and storage-failed") {
  for (const std::string& target : data_targets) {
    CAPTURE(target);
    exchange with_server;
    with_server.orders.fail();
    const response refused = with_server.get(target);
    CHECK(refused.status == 503);
    CHECK(slug_of(refused) == "storage-failed");
    CHECK(header_of(refused, "Retry-After").has_value());
  }
}

TEST_CASE("while the server recovers no data is read, and the response is 503") {
  for (const std::string& target : data_targets) {
    CAPTURE(target);
    exchange with_server(service_state::recovering);
    with_server.context.orders = nullptr;  // as while recovering
    const response refused = with_server.get(target);
    CHECK(refused.status == 503);
    CHECK(slug_of(refused) == "recovering");
    CHECK(header_of(refused, "Retry-After").has_value());
    CHECK_FALSE(header_of(refused, "Idempotency-Expires"));
  }
}

TEST_CASE("reads work while the server is read-only or draining") {
  for (const service_state state : {service_state::read_only, service_state::draining}) {
    exchange with_server(state);
    add_contract_order(with_server.orders, 1);
    CHECK(with_server.get(contract_path).status == 200);
  }
}

TEST_CASE("a HEAD is handled like the GET") {
  exchange with_server;
  add_contract_order(with_server.orders, 2);
  with_server.orders.add(guid_of("g"), created_record());
  for (const std::string& target : data_targets) {
    CAPTURE(target);
    const response headed = with_server.answer(request(verb::head, target));
    CHECK(headed.status == 200);
    CHECK(headed.body == with_server.get(target).body);
    CHECK(headed.headers == with_server.get(target).headers);
  }
}

}  // namespace
}  // namespace ordem::http_edge
