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

// A gate that is asked nothing: the handler only says which requests have to pass it.
class untouched_gate final : public read_gate {
 public:
  bool is_open() const noexcept override { return false; }
  void wait(std::function<void(bool)>) override {}
};

TEST_CASE("every read of data passes the gate, and nothing else does") {
  untouched_gate gate;
  exchange with_server;
  with_server.context.gate = &gate;
  const std::string key = "/api/v2/captures/aw";
  for (const auto method : {verb::get, verb::head}) {
    for (const std::string& target :
         {contract_path, contract_path + "/versions", contract_path + "/versions/1", std::string("/api/v1/orders"),
          std::string("/api/v1/messages/g"), std::string("/api/v1/changes"), key}) {
      CAPTURE(target, method);
      const auto head = with_server.read_head(request(method, target));
      REQUIRE(head);
      CHECK(head->is_gated);
      CHECK_FALSE(head->is_stale_read);
      const auto stale = with_server.read_head(request(method, target).header("Ordem-Read", "stale"));
      REQUIRE(stale);
      CHECK_FALSE(stale->is_gated);
      CHECK(stale->is_stale_read);
    }
    for (const std::string_view target :
         {"/-/ping", "/-/position", "/-/state", "/metrics", "/console/", "/openapi.yaml"}) {
      CAPTURE(target, method);
      const auto head = with_server.read_head(request(method, target).header("Ordem-Read", "new"));
      REQUIRE(head);
      CHECK_FALSE(head->is_gated);
    }
  }
  const auto write = with_server.read_head(request(verb::post, orders_path).json("{}").header("Ordem-Read", "new"));
  REQUIRE(write);
  CHECK_FALSE(write->is_gated);
  const auto released = with_server.read_head(request(verb::delete_, key));
  REQUIRE(released);
  CHECK_FALSE(released->is_gated);
}

TEST_CASE("a stream of the feed passes no gate, as each of its events has a position") {
  untouched_gate gate;
  exchange with_server;
  with_server.context.gate = &gate;
  for (const auto& [accept, is_gated] :
       {std::pair("application/json", true), std::pair("*/*", true), std::pair("text/event-stream", false),
        std::pair("application/x-ndjson", false)}) {
    CAPTURE(accept);
    const auto head = with_server.read_head(request(verb::get, "/api/v1/changes").header("Accept", accept));
    REQUIRE(head);
    CHECK(head->is_gated == is_gated);
  }
}

TEST_CASE("without a gate no read has to pass one") {
  exchange with_server;
  const auto head = with_server.read_head(request(verb::get, contract_path));
  REQUIRE(head);
  CHECK_FALSE(head->is_gated);
}

TEST_CASE("an unknown value of Ordem-Read is refused") {
  exchange with_server;
  with_server.orders.add(contract_order(order_status::fresh, {1}));
  CHECK(with_server.answer(request(verb::get, contract_path).header("Ordem-Read", " stale ")).status == 200);
  for (const std::string_view value : {"", "Stale", "fresh", "stale, stale"}) {
    CAPTURE(value);
    const response refused = with_server.answer(request(verb::get, contract_path).header("Ordem-Read", value));
    CHECK(refused.status == 400);
    CHECK(slug_of(refused) == "malformed-request");
    CHECK_FALSE(refused.close);
    const response of_capture =
        with_server.answer(request(verb::get, "/api/v2/captures/aw").header("Ordem-Read", value));
    CHECK(of_capture.status == 400);
    CHECK(of_capture.body == R"({"error":"the only value of Ordem-Read is stale"})");
  }
  const response twice =
      with_server.answer(request(verb::get, contract_path).header("Ordem-Read", "stale").header("Ordem-Read", "stale"));
  CHECK(twice.status == 400);
}

TEST_CASE("a stale read has the position that it shows at least, also of what is not found") {
  exchange with_server;
  with_server.orders.add(contract_order(order_status::fresh, {1}));
  with_server.orders.show_up_to(position{17});
  const std::string list = std::string(orders_path) + "?customer_id=c-1001";
  for (const std::string& target : {contract_path, contract_path + "/versions", contract_path + "/versions/2", list,
                                    std::string("/api/v1/messages/none")}) {
    CAPTURE(target);
    const response stale = with_server.answer(request(verb::get, target).header("Ordem-Read", "stale"));
    CHECK(header_of(stale, "Ordem-Position") == "17");
    CHECK_FALSE(header_of(with_server.get(target), "Ordem-Position"));
  }
  const response malformed = with_server.answer(request(verb::get, list + "&limit=x").header("Ordem-Read", "stale"));
  CHECK(malformed.status == 400);
  CHECK_FALSE(header_of(malformed, "Ordem-Position"));
}

}  // namespace
}  // namespace ordem::http_edge
