#include "engine/model/money.hpp"

#include <catch2/catch.hpp>
#include <limits>

#include "tests/engine/orders.hpp"

namespace ordem {
namespace {

using testing::cents;

constexpr std::int64_t max = 9'007'199'254'740'991;

TEST_CASE("an amount is 0 to 2^53 - 1 minor units") {
  for (const std::int64_t fine : {std::int64_t{0}, std::int64_t{1}, max}) {
    CAPTURE(fine);
    REQUIRE(money::of_minor_units(fine));
    CHECK(money::of_minor_units(fine)->minor_units() == fine);
  }
  using extremes = std::numeric_limits<std::int64_t>;
  for (const std::int64_t wrong : {std::int64_t{-1}, max + 1, extremes::min(), extremes::max()}) {
    CAPTURE(wrong);
    CHECK_FALSE(money::of_minor_units(wrong));
  }
}

TEST_CASE("a sum that does not fit is none") {
  CHECK(cents(max - 1).plus(cents(1)) == cents(max));
  CHECK(cents(max).plus(cents(0)) == cents(max));
  CHECK_FALSE(cents(max).plus(cents(1)));
  CHECK_FALSE(cents(1).plus(cents(max)));
  CHECK_FALSE(cents(max).plus(cents(max)));
}

TEST_CASE("a product that does not fit is none, even where 64 bits would wrap") {
  constexpr auto quantity_max = std::numeric_limits<std::uint32_t>::max();
  CHECK(cents(0).times(quantity_max) == cents(0));
  CHECK(cents(max).times(0) == cents(0));
  CHECK(cents(max).times(1) == cents(max));
  CHECK_FALSE(cents(max).times(2));
  CHECK_FALSE(cents(max).times(quantity_max));
  CHECK_FALSE(cents(std::int64_t{1} << 32).times(std::uint32_t{1} << 31));
  // 2^53 - 1 = 6361 * 69431 * 20394401
  CHECK(cents(max / 6361).times(6361) == cents(max));
  CHECK_FALSE(cents(max / 6361 + 1).times(6361));
  // 2^52 * 2 is one too many
  CHECK_FALSE(cents(std::int64_t{1} << 52).times(2));
  CHECK(cents((std::int64_t{1} << 52) - 1).times(2) == cents(max - 1));
}

TEST_CASE("amounts compare as numbers") {
  CHECK(cents(1) < cents(2));
  CHECK(cents(2) == cents(2));
  CHECK(money{} == cents(0));
}

}  // namespace
}  // namespace ordem
