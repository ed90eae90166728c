#include "bench/load/conversation.hpp"

#include <array>
#include <catch2/catch.hpp>
#include <string>
#include <string_view>

#include "bench/load/uuid.hpp"

namespace ordem::bench {
namespace {

constexpr uuid some_guid{.high = 0x0123456789abcdef, .low = 0xfedcba9876543210};
constexpr std::string_view some_guid_text = "01234567-89ab-cdef-fedc-ba9876543210";
constexpr std::string_view first_order = "0190b3f2-9f6c-7cc0-8000-5f3a1c2d4e6f";
constexpr std::string_view second_order = "0190b3f2-9f6c-7cc0-8000-5f3a1c2d4e70";

std::string order_body(std::string_view id, std::string_view customer = "c-000007",
                       std::string_view sku = "s-000007-000002") {
  return R"({"code":201,"message":"order created","order":{"order_id":")" + std::string(id) +
         R"(","version":1,"status":"new","customer_id":")" + std::string(customer) +
         R"(","currency":"EUR","items":[{"sku":"s-000007-000001","quantity":2,"unit_price":1999},{"sku":")" +
         std::string(sku) + R"(","quantity":2,"unit_price":1999}],"total":7996}})";
}

TEST_CASE("a UUID is written and read back") {
  std::array<char, uuid_text_bytes> text{};
  write_uuid(some_guid, text);
  CHECK(std::string_view(text.data(), text.size()) == some_guid_text);
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

TEST_CASE("a create is a whole request, in which only the GUID changes") {
  auto talk = conversation::about_new_orders("127.0.0.1:8080", 7, 2);
  const std::string body =
      R"({"customer_id":"c-000007","currency":"EUR","items":[{"sku":"s-000007-000001","quantity":2,"unit_price":1999},)"
      R"({"sku":"s-000007-000002","quantity":2,"unit_price":1999}],"attributes":{"channel":"web"}})";
  const std::string head =
      "POST /api/v1/orders HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nContent-Type: application/json\r\nContent-Length: " +
      std::to_string(body.size()) + "\r\nIdempotency-Key: \"";
  CHECK(talk.next_request(some_guid) == head + std::string(some_guid_text) + "\"\r\n\r\n" + body);
  CHECK(talk.next_request(uuid{}) == head + "00000000-0000-0000-0000-000000000000\"\r\n\r\n" + body);
  CHECK(talk.body_bytes() == body.size());
  CHECK(talk.request_bytes() == talk.next_request(some_guid).size());
}

TEST_CASE("a right create brings a new order of this connection") {
  auto talk = conversation::about_new_orders("localhost", 7, 2);
  CHECK(talk.judge({201, order_body(first_order)}) == verdict::right);
  CHECK(talk.order_id() == parse_uuid(first_order));
  CHECK(talk.judge({201, order_body(second_order)}) == verdict::right);
  CHECK(talk.order_id() == parse_uuid(second_order));
}

TEST_CASE("white space in the answer does not matter") {
  auto talk = conversation::about_new_orders("localhost", 7, 2);
  const std::string body = R"({ "order" : { "order_id" : "0190b3f2-9f6c-7cc0-8000-5f3a1c2d4e6f",
    "customer_id" : "c-000007", "items" : [ { "sku" : "s-000007-000002" } ] } })";
  CHECK(talk.judge({201, body}) == verdict::right);
}

TEST_CASE("wrong answers to a create are told") {
  auto talk = conversation::about_new_orders("localhost", 7, 2);
  CHECK(talk.judge({200, order_body(first_order)}) == verdict::wrong_status);
  CHECK(talk.judge({503, ""}) == verdict::wrong_status);
  CHECK(talk.judge({201, ""}) == verdict::wrong_body);
  CHECK(talk.judge({201, order_body("no-uuid")}) == verdict::wrong_body);
  CHECK(talk.judge({201, order_body(first_order, "c-000008")}) == verdict::wrong_body);
  CHECK(talk.judge({201, order_body(first_order, "c-0000070")}) == verdict::wrong_body);
  CHECK(talk.judge({201, order_body(first_order, "c-000007", "s-000007-000003")}) == verdict::wrong_body);
  REQUIRE(talk.judge({201, order_body(first_order)}) == verdict::right);
  CHECK(talk.judge({201, order_body(first_order)}) == verdict::wrong_body);  // the same order again
}

TEST_CASE("a get reads the created order, and takes no other") {
  auto creation = conversation::about_new_orders("localhost", 7, 2);
  CHECK_THROWS(conversation::about_order("localhost", creation));
  REQUIRE(creation.judge({201, order_body(first_order)}) == verdict::right);

  auto talk = conversation::about_order("localhost", creation);
  CHECK(talk.next_request(some_guid) ==
        "GET /api/v1/orders/" + std::string(first_order) + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
  CHECK(talk.body_bytes() == 0);
  CHECK(talk.judge({200, order_body(first_order)}) == verdict::right);
  CHECK(talk.judge({200, order_body(first_order)}) == verdict::right);
  CHECK(talk.judge({200, order_body(second_order)}) == verdict::wrong_body);
  CHECK(talk.judge({200, order_body(first_order, "c-000008")}) == verdict::wrong_body);
  CHECK(talk.judge({201, order_body(first_order)}) == verdict::wrong_status);
}

TEST_CASE("a constant is whatever came first, and stays so") {
  auto talk = conversation::about_a_constant("localhost", 7, 2);
  auto creation = conversation::about_new_orders("localhost", 7, 2);
  CHECK(talk.next_request(some_guid) == creation.next_request(some_guid));
  CHECK(talk.judge({201, ""}) == verdict::wrong_body);
  CHECK(talk.judge({404, "constant"}) == verdict::wrong_status);
  CHECK(talk.judge({201, "constant"}) == verdict::right);
  CHECK(talk.judge({200, "constant"}) == verdict::right);
  CHECK(talk.judge({201, "Constant"}) == verdict::wrong_body);
}

TEST_CASE("an order has 1 to 500 items") {
  CHECK_THROWS(conversation::about_new_orders("localhost", 7, 0));
  CHECK_NOTHROW(conversation::about_new_orders("localhost", 7, 500));
  CHECK_THROWS(conversation::about_new_orders("localhost", 7, 501));
}

}  // namespace
}  // namespace ordem::bench
