// Reads and writes of orders by the clients of several tenants, through the handler.
#include <catch2/catch.hpp>

#include "http-edge/orders/rendering.hpp"
#include "tests/engine/codec/bodies.hpp"
#include "tests/http-edge/exchange.hpp"
#include "tests/support_cpp/origins.hpp"

namespace ordem::http_edge {
namespace {

using namespace testing;
using namespace codec;

// The contract order of `shop`, with two versions, and the message k-1 that made its first one.
struct shop_data : exchange {
  shop_data() {
    for (std::uint64_t i = 1; i <= 2; ++i) {
      order made = contract_order(order_status::fresh, {i});
      made.origin = i == 1 ? shop_till : shop_office;
      orders.add(std::move(made));
    }
    message_record record = created_record();
    record.origin = shop_till;
    orders.add(guid_of("k-1"), std::move(record));
  }
  response get_as(const origin& who, std::string_view target) {
    sender = who;
    return get(target);
  }
};

const std::string list_path = std::string(orders_path) + "?customer_id=c-1001";
const std::string message_path = "/api/v1/messages/k-1";

TEST_CASE_METHOD(shop_data, "a tenant reads its orders and messages, with the names of who wrote them") {
  const response current = get_as(shop_till, contract_path);
  CHECK(current.status == 200);
  CHECK_THAT(current.body, Catch::Contains(R"("actor":"office"})"));
  CHECK_THAT(get_as(shop_till, contract_path + "/versions/1").body, Catch::Contains(R"("actor":"till-7"})"));
  const response history = get_as(shop_till, contract_path + "/versions");
  CHECK_THAT(history.body, Catch::Contains(R"("actor":"office"})") && Catch::Contains(R"("actor":"till-7"})"));
  CHECK_THAT(get_as(shop_till, list_path).body, Catch::Contains(R"("actor":"office"})"));
  const response sent = get_as(shop_till, message_path);
  CHECK_THAT(sent.body, Catch::EndsWith(R"(,"actor":"till-7"})"));
  for (const response& each : {current, history, sent}) CHECK_THAT(each.body, !Catch::Contains("shop"));
}

TEST_CASE_METHOD(shop_data, "to another tenant, and without one, an order is as one that does not exist") {
  const std::string unknown_path = std::string(orders_path) + '/' + order_id_of(1).to_string();
  for (const origin& who : {stall_till, anonymous}) {
    CAPTURE(who);
    for (const std::string_view below : {"", "/versions", "/versions?limit=1", "/versions/1", "/versions/9"}) {
      CAPTURE(below);
      const response refused = get_as(who, contract_path + std::string(below));
      CHECK(refused.status == 404);
      CHECK(refused.body == get_as(who, unknown_path + std::string(below)).body);
    }
    CHECK(get_as(who, list_path).body == R"({"code":200,"message":"ok","orders":[],"next_cursor":null})");
    CHECK(slug_of(get_as(who, message_path)) == "message-not-found");
  }
}

TEST_CASE("a message that is sent has the origin of its request") {
  exchange with_server;
  with_server.sender = shop_till;
  const request created = request(verb::post, orders_path).header("Idempotency-Key", "k-1").json(contract_json);
  CHECK(with_server.accept(created).origin == shop_till);
  const request changed = request(verb::post, contract_path + "/status")
                              .header("Idempotency-Key", "k-1")
                              .json(R"({"status":"confirmed","version":1})");
  CHECK(with_server.accept(changed).origin == shop_till);
}

}  // namespace
}  // namespace ordem::http_edge
