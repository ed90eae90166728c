#include "engine/model/ids.hpp"

#include <algorithm>
#include <catch2/catch.hpp>

#include "tests/engine/orders.hpp"

namespace ordem {
namespace {

using namespace testing;

TEST_CASE("an order id is read and printed as a UUID") {
  constexpr std::string_view lower = "01234567-89ab-cdef-fedc-ba9876543210";
  const auto id = order_id::parse(lower);
  REQUIRE(id);
  CHECK(id->bytes == std::array<std::uint8_t, 16>{0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0xfe, 0xdc, 0xba,
                                                  0x98, 0x76, 0x54, 0x32, 0x10});
  CHECK(id->to_string() == lower);
  std::string after = "id ";
  id->append_to(after);
  CHECK(after == "id " + std::string(lower));
}

TEST_CASE("an order id is read in either case and printed in lower case") {
  const auto id = order_id::parse("0190B3F2-9F6C-7CC0-8000-5f3a1C2D4E6F");
  REQUIRE(id);
  CHECK(id->to_string() == contract_id_text);
}

TEST_CASE("what is no UUID is not read as an order id") {
  constexpr std::string_view wrong[] = {
      "",
      "0190b3f2-9f6c-7cc0-8000-5f3a1c2d4e6",    // too short
      "0190b3f2-9f6c-7cc0-8000-5f3a1c2d4e6f0",  // too long
      "0190b3f2-9f6c-7cc0-8000-5f3a1c2d4e6g",   // not hexadecimal
      "0190b3f2-9f6c-7cc0-8000-5f3a1c2d4e6 ",   // space
      "0190b3f29f6c7cc080005f3a1c2d4e6f",       // without dashes
      "0190b3f29f6c7cc080005f3a1c2d4e6f0000",   // no dash in 36 characters
      "0190b3f2-9f6c-7cc0-80005-f3a1c2d4e6f",   // a dash out of place
      "0190b3f2_9f6c_7cc0_8000_5f3a1c2d4e6f",   // no dashes but others
      "{190b3f2-9f6c-7cc0-8000-5f3a1c2d4e6}",   // braces
      "0190b3f2-9f6c-7cc0-8000--f3a1c2d4e6f",   // a dash for a digit
  };
  for (const std::string_view text : wrong) {
    CAPTURE(text);
    CHECK_FALSE(order_id::parse(text));
  }
  CHECK_FALSE(order_id::parse(std::string_view("0190b3f2-9f6c-7cc0-8000-5f3a1c2d4e6\0", 36)));
}

TEST_CASE("the slot of an order id is in the 14 bits after the variant") {
  struct row {
    std::string_view id;
    std::uint16_t slot;
  };
  constexpr row rows[] = {
      {"00000000-0000-7000-8000-000000000000", 0},      {"00000000-0000-7000-8001-000000000000", 1},
      {"ffffffff-ffff-7fff-80ff-ffffffffffff", 255},    {"00000000-0000-7000-8100-000000000000", 256},
      {"00000000-0000-7000-9234-000000000000", 0x1234}, {"00000000-0000-7000-bfff-000000000000", 16383},
  };
  for (const auto& [id, slot] : rows) {
    CAPTURE(id);
    CHECK(order_id::parse(id)->slot().number == slot);
  }
}

TEST_CASE("order ids compare byte by byte, so that later ones are greater") {
  CHECK(*order_id::parse("0190b3f2-9f6c-7cc0-8000-5f3a1c2d4e6f") <
        *order_id::parse("0190b3f2-9f6d-7000-8000-000000000000"));
  CHECK(*order_id::parse("7fffffff-0000-7000-8000-000000000000") <
        *order_id::parse("80000000-0000-7000-8000-000000000000"));
}

TEST_CASE("a GUID is 1 to 255 characters from 0x21 to 0x7E") {
  CHECK_FALSE(guid::parse(""));
  CHECK(guid::parse("x"));
  CHECK(guid::parse("8e03978e-40d5-43e8-bc93-6894a57f9324"));
  CHECK(guid::parse(std::string(255, 'x')));
  CHECK_FALSE(guid::parse(std::string(256, 'x')));
  for (int c = 0; c < 256; ++c) {
    CAPTURE(c);
    const std::string text = std::string("a") + static_cast<char>(c) + "b";
    const auto read = guid::parse(text);
    CHECK(read.has_value() == (c >= 0x21 && c <= 0x7E));
    if (read) CHECK(read->view() == text);
  }
}

TEST_CASE("GUIDs are equal if their text is, in its case") {
  CHECK(guid_of("a") == guid_of("a"));
  CHECK_FALSE(guid_of("a") == guid_of("A"));
  CHECK_FALSE(guid_of("a") == guid_of("aa"));
}

// Order ids on every disk hold these: they never change. Worked out apart from the code, as FNV-1a 64, h ^= h >> 32,
// (h ^ h >> 14) mod 16384.
TEST_CASE("the slot of a GUID is pinned") {
  struct row {
    std::string text;
    std::uint16_t slot;
  };
  const row rows[] = {
      {"a", 5448},
      {"b", 2913},
      {"foobar", 11309},
      {"8e03978e-40d5-43e8-bc93-6894a57f9324", 3206},
      {"00000000-0000-0000-0000-000000000000", 1720},
      {"!~", 15959},
      {std::string(255, 'x'), 4659},
  };
  for (const auto& [text, slot] : rows) {
    CAPTURE(text);
    CHECK(guid_of(text).slot().number == slot);
  }
}

TEST_CASE("GUIDs that count up spread over the slots") {
  std::vector<int> hits(hash_slot::count);
  constexpr int guids = 16384 * 16;
  for (int i = 0; i < guids; ++i) ++hits.at(guid_of("order-" + std::to_string(i)).slot().number);
  CHECK(*std::max_element(hits.begin(), hits.end()) < 64);  // 16 each on average
  CHECK(std::count(hits.begin(), hits.end(), 0) < 100);
}

TEST_CASE("the next version is one more") {
  CHECK(version{}.next() == version{1});
  CHECK(version{41}.next() == version{42});
  CHECK(version{9} < version{10});
}

}  // namespace
}  // namespace ordem
