#include "engine/base/text.hpp"

#include <catch2/catch.hpp>
#include <cstdint>
#include <limits>

namespace ordem {
namespace {

template <class Number>
std::string appended(Number number) {
  std::string out = "x";
  append_number(out, number);
  return out;
}

template <class Number>
void check_limits() {
  using limits = std::numeric_limits<Number>;
  CHECK(appended(limits::min()) == "x" + std::to_string(limits::min()));
  CHECK(appended(limits::max()) == "x" + std::to_string(limits::max()));
  CHECK(appended(Number{0}) == "x0");
  CHECK(appended(Number{10}) == "x10");
}

TEST_CASE("a number is appended in decimal digits") {
  CHECK(appended(7) == "x7");
  CHECK(appended(-7) == "x-7");
  CHECK(appended(1'000'000U) == "x1000000");
}

TEST_CASE("a number of any type is appended whole, the smallest and the largest too") {
  check_limits<std::int8_t>();
  check_limits<std::uint8_t>();
  check_limits<std::int16_t>();
  check_limits<std::uint16_t>();
  check_limits<std::int32_t>();
  check_limits<std::uint32_t>();
  check_limits<std::int64_t>();
  check_limits<std::uint64_t>();
  CHECK(appended(std::numeric_limits<std::int64_t>::min()) == "x-9223372036854775808");
  CHECK(appended(std::numeric_limits<std::uint64_t>::max()) == "x18446744073709551615");
}

const std::string lost = "\xEF\xBF\xBD";

TEST_CASE("UTF-8 stays as it is, and each byte that belongs to no character becomes U+FFFD") {
  for (const std::string_view text :
       {"", "abc", "caf\xC3\xA9", "\xC2\x80\xDF\xBF", "\xE0\xA0\x80\xED\x9F\xBF\xEE\x80\x80",
        "\xF0\x90\x80\x80\xF4\x8F\xBF\xBF", "\x01\n\x7F"}) {
    CAPTURE(text);
    CHECK(is_utf8(text));
    CHECK(to_utf8(text) == text);
  }
  struct row {
    std::string_view bytes;
    std::string expected;
  };
  const row rows[] = {
      {"caf\xE9", "caf" + lost},
      {"\xE9 \xC3\xA9", lost + " \xC3\xA9"},
      {"\x80\xFF", lost + lost},
      {"\xC0\xAF\xC1\xBF", lost + lost + lost + lost},  // overlong
      {"\xE0\x9F\xBF", lost + lost + lost},             // overlong
      {"\xF0\x8F\xBF\xBF", lost + lost + lost + lost},  // overlong
      {"\xED\xA0\x80x", lost + lost + lost + "x"},      // half a surrogate pair
      {"\xF4\x90\x80\x80", lost + lost + lost + lost},  // beyond U+10FFFF
      {"\xF5\x80\x80\x80", lost + lost + lost + lost},
      {"\xC3", lost},  // the end is missing
      {"\xE2\x82", lost + lost},
      {"\xF0\x9F\x98", lost + lost + lost},
      {"\xE2\x82z\xF0\x9F\x98z", lost + lost + "z" + lost + lost + lost + "z"},
  };
  for (const auto& [bytes, expected] : rows) {
    CAPTURE(bytes);
    CHECK_FALSE(is_utf8(bytes));
    CHECK(to_utf8(bytes) == expected);
    CHECK(is_utf8(to_utf8(bytes)));
  }
}

TEST_CASE("a text beyond its bound is cut between two characters") {
  CHECK(to_utf8("abc", 3) == "abc");
  CHECK(to_utf8("abcd", 3) == "abc...");
  CHECK(to_utf8("ab\xC3\xA9", 4) == "ab\xC3\xA9");
  CHECK(to_utf8("ab\xC3\xA9", 3) == "ab...");
  CHECK(to_utf8("\xFF\xFF", 5) == lost + "...");
  CHECK(to_utf8("a", 0) == "...");
  CHECK(to_utf8("", 0).empty());
}

TEST_CASE("foreign bytes in a message are quoted, UTF-8, without control characters, and bounded") {
  CHECK(in_quotes("") == "''");
  CHECK(in_quotes("text/plain") == "'text/plain'");
  CHECK(in_quotes("\xFF/\x1B[2J\n\x7F") == "'" + lost +
                                               "/?[2J?"
                                               "?'");
  CHECK(in_quotes(std::string(100, 'x')) == "'" + std::string(100, 'x') + "'");
  CHECK(in_quotes(std::string(1'000'000, 'x')) == "'" + std::string(100, 'x') + "...'");
}

}  // namespace
}  // namespace ordem
