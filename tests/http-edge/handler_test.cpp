// The checks that all calls have in common: the path, the query, and the bytes that errors quote.
#include "http-edge/handler.hpp"

#include <catch2/catch.hpp>

#include "engine/base/text.hpp"
#include "tests/engine/codec/bodies.hpp"
#include "tests/http-edge/exchange.hpp"

namespace ordem::http_edge {
namespace {

using namespace testing;

TEST_CASE("an unknown path is not found, and an invalid one is refused with the reason") {
  exchange with_server;
  for (const std::string_view target : {"/", "/nowhere", "/api/v1/orders/x/y", "/api/v2/orders"}) {
    CAPTURE(target);
    const response refused = with_server.get(target);
    CHECK(refused.status == 404);
    CHECK(slug_of(refused) == "not-found");
    CHECK_FALSE(refused.close);
  }
  for (const auto& [target, named] :
       {std::pair("*", "neither a path nor a URL"), std::pair("no-path", "neither a path"), std::pair("/%zz", "'%'"),
        std::pair("/-/ping?x=100%", "'%'"), std::pair("/-/ping#top", "'#'")}) {
    CAPTURE(target);
    const response refused = with_server.get(target);
    CHECK(refused.status == 400);
    CHECK(slug_of(refused) == "malformed-request");
    CHECK(member_of(refused.body, "detail").find(named) != std::string::npos);
    CHECK_FALSE(refused.close);
  }
}

TEST_CASE("a listener does not find what another one serves") {
  exchange with_server;
  CHECK(with_server.get("/metrics").status == 200);
  with_server.context.listeners.has_operations = true;
  CHECK(with_server.get("/metrics").status == 404);
  with_server.connection.listener = listener_kind::operations;
  CHECK(with_server.get("/metrics").status == 200);
  for (const std::string_view target : {"/api/v1/orders?customer_id=c", "/api/v2/captures/aw"}) {
    CAPTURE(target);
    const response refused = with_server.get(target);
    CHECK(refused.status == 404);
    CHECK(slug_of(refused) == "not-found");
  }
}

TEST_CASE("errors are short UTF-8, whatever bytes a request contains") {
  exchange with_server;
  with_server.orders.add(contract_order(order_status::fresh, {1}));
  std::string bytes(1'000, '\xFF');  // 3,000 characters as an encoded parameter name
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
  std::string encoded;
  for (const char c : bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    encoded += {'%', digits[static_cast<unsigned char>(c) >> 4], digits[static_cast<unsigned char>(c) & 15]};
  }
  const auto post = [](std::string_view path) { return request(verb::post, path).header("Idempotency-Key", "g"); };
  const request requests[] = {
      request(verb::get, "/api/v1/orders?customer_id=c&" + encoded + "=1"),
      request(verb::get, "/api/v1/orders?customer_id=" + encoded),
      request(verb::get, "/api/v1/orders?customer_id=c&limit=" + encoded),
      request(verb::get, "/api/v1/orders?customer_id=c&cursor=" + encoded),
      request(verb::get, contract_path + "/versions?" + encoded),
      request(verb::get, contract_path + '?' + encoded),
      request(verb::get, "/api/v1/orders/" + encoded),
      request(verb::get, contract_path + "/versions/" + encoded),
      request(verb::get, "/api/v1/messages/" + encoded),
      request(verb::get, "/problems/" + encoded),
      request(verb::get, '/' + encoded),
      request(verb::get, "/%" + bytes),
      request(verb::delete_, "/api/v2/captures/" + encoded),
      request(verb::put, "/api/v2/captures").body(bytes),
      request(verb::put, "/api/v2/captures").body(R"({"idempotency_key":")" + bytes.substr(0, 1'000) + "\"}"),
      post("/api/v1/orders").header("Content-Type", bytes).body(bytes),
      request(verb::post, "/api/v1/orders").header("Idempotency-Key", bytes).json("{}"),
      request(verb::post, "/api/v1/orders/batch").header("Content-Type", bytes),
      post("/api/v1/orders").json(bytes),
      post("/api/v1/orders").json(R"({"guid":")" + bytes.substr(0, 1'000) + "\"}"),
      request(verb::put, contract_path).header("Idempotency-Key", "g").header("If-Match", bytes).json(contract_json),
  };
  for (const request& each : requests) {
    CAPTURE(std::string(each.get().target()).substr(0, 60));
    const response refused = with_server.answer(each);
    CHECK(is_utf8(refused.body));
    CHECK(is_utf8(refused.headers));
    CHECK(refused.body.size() < 1'000);
  }
}

TEST_CASE("unknown query parameters are refused on every call without parameters") {
  exchange with_server;
  with_server.orders.add(contract_order(order_status::fresh, {1}));
  with_server.orders.add(guid_of("g"), created_record());
  for (const std::string& path :
       {contract_path, contract_path + "/versions/1", std::string("/api/v1/messages/g"), std::string("/-/position"),
        std::string("/-/ping"), std::string("/-/live"), std::string("/-/ready"), std::string("/-/ready/reads"),
        std::string("/metrics"), std::string("/openapi.yaml"), std::string("/openapi.json"), std::string("/problems/"),
        std::string("/problems/not-found")}) {
    CAPTURE(path);
    CHECK(with_server.get(path).status == 200);
    for (const std::string_view name : {"verbose", "limit"}) {
      const response refused = with_server.get(path + '?' + std::string(name) + "=1");
      CHECK(slug_of(refused) == "malformed-query");
      CHECK(member_of(refused.body, "detail").find(name) != std::string::npos);
    }
  }
}

}  // namespace
}  // namespace ordem::http_edge
