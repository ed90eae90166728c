// Fingerprints depend on every field of a request, and not on how it is written.
#include <catch2/catch.hpp>
#include <set>

#include "engine/codec/canonical_request.hpp"
#include "tests/engine/codec/bodies.hpp"
#include "tests/http-edge/exchange.hpp"

namespace ordem::http_edge {
namespace {

using namespace testing;
using codec::canonical;
using codec::fingerprint_of;

// The members of a content, as JSON.
struct content_parts {
  std::string_view customer_id = "c-1";
  std::string_view currency = "EUR";
  std::string_view items = R"({"sku":"A","quantity":2,"unit_price":5})";
  std::string_view attributes = R"(,"attributes":{"a":1,"b":{"x":null,"y":[1,2]}})";
};

std::string json_of(const content_parts& parts) {
  return R"({"customer_id":")" + std::string(parts.customer_id) + R"(","currency":")" + std::string(parts.currency) +
         R"(","items":[)" + std::string(parts.items) + ']' + std::string(parts.attributes) + '}';
}

const std::string some_content = json_of(content_parts{});

request write(verb method, std::string_view target, std::string_view json, std::string_view key = "g") {
  return request(method, target).header("Idempotency-Key", key).json(json);
}

fingerprint print_of(const request& what) {
  exchange with_server;
  return with_server.accept(what).fingerprint;
}

fingerprint print_of_create(std::string_view json) {
  return print_of(write(verb::post, orders_path, json));
}

TEST_CASE("white space, the order of members and notation do not change a fingerprint") {
  const auto expected = print_of_create(some_content);
  CHECK(print_of_create("\r\n {\"customer_id\" : \"c-1\",\t\"currency\":\"EUR\", "
                        "\"items\":[ {\"sku\":\"A\",\"quantity\":2,\"unit_price\":5} ],"
                        "\"attributes\":{\"a\":1,\"b\":{\"x\":null,\"y\":[1,2]}}}\n") == expected);
  CHECK(print_of_create(
            R"({"attributes":{"b":{"y":[1,2],"x":null},"a":1},"items":[{"unit_price":5,"sku":"A","quantity":2}],)"
            R"("currency":"EUR","customer_id":"c-1"})") == expected);
  CHECK(print_of_create(
            R"({"customer_id":"\u0063-1","currency":"E\u0055R","items":[{"sku":"\u0041","quantity":2,"unit_price":5}],)"
            R"("attributes":{"\u0061":1.0,"b":{"x":null,"y":[1e0,2]}}})") == expected);
}

TEST_CASE("an integer written with a fraction or an exponent makes the same request") {
  const auto expected = print_of_create(some_content);
  for (const std::string_view item :
       {R"({"sku":"A","quantity":2.0,"unit_price":5})", R"({"sku":"A","quantity":20e-1,"unit_price":0.5e1})",
        R"({"sku":"A","quantity":2.000,"unit_price":5.0})"}) {
    CAPTURE(item);
    CHECK(print_of_create(json_of({.items = item})) == expected);
  }
  const auto confirmed = [](std::string_view version) {
    return print_of(write(verb::post, contract_path + "/status",
                          R"({"status":"confirmed","version":)" + std::string(version) + '}'));
  };
  CHECK(confirmed("30e-1") == confirmed("3"));
}

TEST_CASE("the GUID, in the header or in the body, is not part of a fingerprint") {
  const auto expected = print_of_create(some_content);
  CHECK(print_of(write(verb::post, orders_path, some_content, "\"another\"")) == expected);
  const std::string with_guid = R"({"guid":"third",)" + some_content.substr(1);
  CHECK(print_of(request(verb::post, orders_path).json(with_guid)) == expected);
}

TEST_CASE("a version in If-Match and the same version in the body make the same request") {
  const std::string in_body = R"({"version":3,)" + some_content.substr(1);
  const auto by_body = print_of(write(verb::put, contract_path, in_body));
  CHECK(print_of(write(verb::put, contract_path, some_content).header("If-Match", "\"3\"")) == by_body);
  CHECK(print_of(write(verb::put, contract_path, in_body).header("If-Match", "\"3\"")) == by_body);
}

TEST_CASE("the case of the order id and the escapes of the path do not change a fingerprint") {
  const std::string upper = "/api/v1/orders/0190B3F2-9F6C-7CC0-8000-5F3A1C2D4E6F";
  const std::string escaped = "/api/v1/orders/0190b3f2%2D9f6c-7cc0-8000-5f3a1c2d4e6f";
  const auto expected = print_of(write(verb::put, contract_path, some_content).header("If-Match", "\"3\""));
  CHECK(print_of(write(verb::put, upper, some_content).header("If-Match", "\"3\"")) == expected);
  CHECK(print_of(write(verb::put, escaped, some_content).header("If-Match", "\"3\"")) == expected);
}

TEST_CASE("contents that differ in one field have different fingerprints") {
  const std::string bodies[] = {
      json_of(content_parts{}),
      json_of({.customer_id = "c-2"}),
      json_of({.customer_id = R"(c-1\",\"currency\":\"EUR)"}),
      json_of({.currency = "USD"}),
      json_of({.items = R"({"sku":"B","quantity":2,"unit_price":5})"}),
      json_of({.items = R"({"sku":"A","quantity":3,"unit_price":5})"}),
      json_of({.items = R"({"sku":"A","quantity":2,"unit_price":6})"}),
      json_of({.items = R"({"sku":"A","quantity":1,"unit_price":5},{"sku":"A","quantity":1,"unit_price":5})"}),
      json_of({.items = R"({"sku":"A","quantity":1,"unit_price":5},{"sku":"B","quantity":1,"unit_price":5})"}),
      json_of({.items = R"({"sku":"B","quantity":1,"unit_price":5},{"sku":"A","quantity":1,"unit_price":5})"}),
      json_of({.attributes = R"(,"attributes":{"a":2,"b":{"x":null,"y":[1,2]}})"}),
      json_of({.attributes = R"(,"attributes":{"a":1,"b":{"x":0,"y":[1,2]}})"}),
      json_of({.attributes = R"(,"attributes":{"a":1,"b":{"x":null,"y":[2,1]}})"}),
      json_of({.attributes = R"(,"attributes":{"a":1,"b":{"y":[1,2]}})"}),
      json_of({.attributes = R"(,"attributes":{"a":"1","b":{"x":null,"y":[1,2]}})"}),
      json_of({.attributes = R"(,"attributes":{})"}),
      json_of({.attributes = ""}),
      json_of({.attributes = R"(,"external_id":"c-1")"}),
      json_of({.attributes = R"(,"external_id":"c-2")"}),
  };
  std::set<fingerprint> prints;
  for (const std::string& body : bodies) {
    CAPTURE(body);
    CHECK(prints.insert(print_of_create(body)).second);
  }
}

TEST_CASE("the call, the order and the version are each part of a fingerprint") {
  const std::string other_path = "/api/v1/orders/" + order_id_of(9).to_string();
  const std::string status_path = contract_path + "/status";
  const request requests[] = {
      write(verb::post, orders_path, some_content),
      write(verb::put, contract_path, some_content).header("If-Match", "\"3\""),
      write(verb::put, contract_path, some_content).header("If-Match", "\"4\""),
      write(verb::put, other_path, some_content).header("If-Match", "\"3\""),
      write(verb::patch, contract_path, some_content).header("If-Match", "\"3\""),
      write(verb::patch, contract_path, "{}").header("If-Match", "\"3\""),
      write(verb::patch, contract_path, R"({"attributes":{}})").header("If-Match", "\"3\""),
      write(verb::patch, contract_path, R"({"attributes":null})").header("If-Match", "\"3\""),
      write(verb::patch, contract_path, R"({"customer_id":"c-1"})").header("If-Match", "\"3\""),
      write(verb::patch, contract_path, R"({"currency":"EUR"})").header("If-Match", "\"3\""),
      write(verb::patch, contract_path, R"({"external_id":"EUR"})").header("If-Match", "\"3\""),
      write(verb::patch, contract_path, R"({"external_id":null})").header("If-Match", "\"3\""),
      write(verb::post, status_path, R"({"status":"new"})").header("If-Match", "\"3\""),
      write(verb::post, status_path, R"({"status":"shipped"})").header("If-Match", "\"3\""),
      write(verb::post, status_path, R"({"status":"shipped"})").header("If-Match", "\"4\""),
  };
  std::set<fingerprint> prints;
  for (const request& each : requests) {
    CAPTURE(std::string(each.get().target()), std::string(each.get().body().view()));
    CHECK(prints.insert(print_of(each)).second);
  }
}

TEST_CASE("a request has one canonical form") {
  struct row {
    command what;
    std::optional<ordem::expected_version> expected_version;
    std::string_view method;
    std::string path;
    std::string_view body;
  };
  const ordem::expected_version third{{3}, false};
  merge_content everything;
  everything.customer_id = "c\"2";
  everything.currency = currency_code{'U', 'S', 'D'};
  everything.items = std::vector<order_item>{{"B", 1, cents(0)}, {"C", 2, cents(7)}};
  everything.attributes = json_object{{"x", null()}};
  everything.external_id = "PO";
  order_content named = content_of();
  named.external_id = "PO \"7\"";
  merge_content removal;
  removal.external_id = merge_content::remove_external_id{};
  removal.attributes = merge_content::remove_attributes{};
  const row rows[] = {
      {create_order{contract_content()}, std::nullopt, "POST", std::string(orders_path), contract_json},
      {create_order{content_of()}, std::nullopt, "POST", std::string(orders_path),
       R"({"customer_id":"c-1001","currency":"EUR","items":[{"sku":"A-1","quantity":2,"unit_price":1999}]})"},
      {create_order{named}, std::nullopt, "POST", std::string(orders_path),
       R"({"customer_id":"c-1001","external_id":"PO \"7\"","currency":"EUR",)"
       R"("items":[{"sku":"A-1","quantity":2,"unit_price":1999}]})"},
      {replace_content{contract_content()}, third, "PUT", contract_path,
       R"({"customer_id":"c-1001","currency":"EUR","items":[{"sku":"A-1","quantity":2,"unit_price":1999}],)"
       R"("attributes":{"channel":"web"},"version":3})"},
      {merge_content{}, third, "PATCH", contract_path, R"({"version":3})"},
      {removal, third, "PATCH", contract_path, R"({"external_id":null,"attributes":null,"version":3})"},
      {everything, third, "PATCH", contract_path,
       R"({"customer_id":"c\"2","external_id":"PO","currency":"USD","items":[{"sku":"B","quantity":1,"unit_price":0},)"
       R"({"sku":"C","quantity":2,"unit_price":7}],"attributes":{"x":null},"version":3})"},
      {change_status{order_status::shipped}, third, "POST", contract_path + "/status",
       R"({"status":"shipped","version":3})"},
  };
  for (const auto& [what, expected_version, method, path, body] : rows) {
    const auto target = expected_version ? std::optional(contract_id()) : std::nullopt;
    const auto made = canonical(what, target, expected_version);
    CHECK(made.method == method);
    CHECK(made.path == path);
    CHECK(made.body == body);
  }
}

// Fingerprints are stored on disk: if they changed, every repeat across an upgrade would be refused.
// The expected value was computed independently: xxh128sum of "POST /api/v1/orders\n" and the contract's JSON.
TEST_CASE("the fingerprint of a request is pinned") {
  const auto print = fingerprint_of(canonical(create_order{contract_content()}, std::nullopt, std::nullopt));
  CHECK(print.high == 0x0602e8f79f554c7a);
  CHECK(print.low == 0x8280778a58138adb);
}

TEST_CASE("an update that may be merged is another request than one that may not, however that is said") {
  const std::string body = R"({"version":3,"currency":"USD"})";
  const auto plain = print_of(write(verb::patch, contract_path, body));
  const auto by_header = print_of(write(verb::patch, contract_path, body).header("Prefer", "merge"));
  const auto by_body =
      print_of(write(verb::patch, contract_path, R"({"version":3,"on_conflict":"merge","currency":"USD"})"));
  CHECK(by_header == by_body);
  CHECK(by_header != plain);
  const order_id id = contract_id();
  merge_content patch;
  patch.currency = currency_code{'U', 'S', 'D'};
  CHECK(canonical(patch, id, ordem::expected_version{{3}, false}).body == R"({"currency":"USD","version":3})");
  CHECK(canonical(patch, id, ordem::expected_version{{3}, false, true}).body ==
        R"({"currency":"USD","version":3,"on_conflict":"merge"})");
}

}  // namespace
}  // namespace ordem::http_edge
