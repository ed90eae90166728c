#include "bench/load/order_text.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <string_view>

#include "tests/bench/answers.hpp"

namespace ordem::bench {
namespace {

constexpr uuid some_guid{.high = 0x0123456789abcdef, .low = 0xfedcba9876543210};
constexpr std::string_view some_guid_text = "01234567-89ab-cdef-fedc-ba9876543210";
constexpr uuid some_order{.high = 1, .low = 2};
constexpr body_size two_items{.items = 2, .bytes = 0};

std::string content(std::string_view turn) {
  return R"("customer_id":"c-000007","currency":"EUR","items":[{"sku":"s-000007-000001","quantity":2,)"
         R"("unit_price":1999},{"sku":"s-000007-000002","quantity":2,"unit_price":1999}],)"
         R"("attributes":{"channel":"web","turn":")" +
         std::string(turn) + R"("}})";
}

std::string request(const std::string& line, std::string_view guid, const std::string& body) {
  return line + " HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nContent-Type: application/json\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\nIdempotency-Key: \"" + std::string(guid) + "\"\r\n\r\n" + body;
}

TEST_CASE("a UUID is written and read back") {
  CHECK(uuid_text(some_guid) == some_guid_text);
  CHECK(parse_uuid(some_guid_text) == some_guid);
  CHECK(parse_uuid("01234567-89AB-CDEF-FEDC-BA9876543210") == some_guid);
}

TEST_CASE("what is no UUID is not read") {
  const std::string_view text =
      GENERATE(as<std::string_view>{},  //
               "", "01234567-89ab-cdef-fedc-ba987654321", "01234567-89ab-cdef-fedc-ba98765432100",
               "01234567-89ab-cdef-fedc-ba987654321g", "0123456-789ab-cdef-fedc-ba9876543210",
               "012345678-9ab-cdef-fedc-ba9876543210", "0123456789abcdeffedcba98765432100000");
  CAPTURE(text);
  CHECK_FALSE(parse_uuid(text));
}

TEST_CASE("a create is a whole request, in which only GUID and turn change") {
  order_text text("Host: 127.0.0.1:8080", 7, two_items);
  const std::string line = "POST /api/v1/orders";
  CHECK(text.create(some_guid, 1) == request(line, some_guid_text, "{" + content("0000000001")));
  CHECK(text.create(uuid{}, 12345) ==
        request(line, "00000000-0000-0000-0000-000000000000", "{" + content("0000012345")));
  CHECK(text.body_bytes() == 1 + content("0000000001").size());
  CHECK(text.request_bytes() == text.create(some_guid, 1).size());
  CHECK(text.customer() == "c-000007");
  CHECK(text.last_sku() == "s-000007-000002");
  CHECK(text.total() == 7996);
}

TEST_CASE("an update names its order and the version that it was made against") {
  order_text text("Host: 127.0.0.1:8080", 7, two_items);
  const std::string line = "PUT /api/v1/orders/00000000-0000-0001-0000-000000000002";
  CHECK(text.update(some_guid, some_order, 3, 9) ==
        request(line, some_guid_text, R"({"version":         3,)" + content("0000000009")));
  CHECK(text.update(some_guid, some_order, 1234567890, 10) ==
        request(line, some_guid_text, R"({"version":1234567890,)" + content("0000000010")));
  CHECK(text.update(some_guid, some_order, 4, 11) ==
        request(line, some_guid_text, R"({"version":         4,)" + content("0000000011")));
}

TEST_CASE("a body is filled up to the size that was asked for") {
  const std::size_t least = order_text("h", 1, two_items).body_bytes();
  for (const std::size_t bytes : {least, least + 1, least + filling_bytes_max}) {
    order_text text("h", 1, {.items = 2, .bytes = bytes});
    CHECK(text.body_bytes() == bytes);
    const auto sent = text.create(some_guid, 1);
    CHECK(sent.size() - sent.find("\r\n\r\n") - 4 == bytes);
    CHECK(between(sent, "Content-Length: ", "\r\n") == std::to_string(bytes));
  }
  CHECK_THROWS(order_text("h", 1, {.items = 2, .bytes = least - 1}));
  CHECK_THROWS(order_text("h", 1, {.items = 2, .bytes = least + filling_bytes_max + 1}));
}

TEST_CASE("an order has 1 to 500 items") {
  CHECK_THROWS(order_text("Host: localhost", 7, {.items = 0, .bytes = 0}));
  CHECK_NOTHROW(order_text("Host: localhost", 7, {.items = 500, .bytes = 0}));
  CHECK_THROWS(order_text("Host: localhost", 7, {.items = 501, .bytes = 0}));
}

}  // namespace
}  // namespace ordem::bench
