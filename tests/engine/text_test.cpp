#include "engine/text.hpp"

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

}  // namespace
}  // namespace ordem
