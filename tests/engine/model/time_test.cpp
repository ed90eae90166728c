#include "engine/model/time.hpp"

#include <catch2/catch.hpp>

#include "tests/engine/orders.hpp"

namespace ordem {
namespace {

TEST_CASE("a time is printed as RFC 3339 in UTC with milliseconds") {
  struct row {
    std::int64_t ms;
    std::string_view expected;
  };
  constexpr row rows[] = {
      {0, "1970-01-01T00:00:00.000Z"},
      {1, "1970-01-01T00:00:00.001Z"},
      {999, "1970-01-01T00:00:00.999Z"},
      {1'000, "1970-01-01T00:00:01.000Z"},
      {86'399'999, "1970-01-01T23:59:59.999Z"},
      {86'400'000, "1970-01-02T00:00:00.000Z"},
      {951'782'400'000, "2000-02-29T00:00:00.000Z"},  // a leap day in a century that has one
      {1'709'251'199'050, "2024-02-29T23:59:59.050Z"},
      {4'107'542'400'000, "2100-03-01T00:00:00.000Z"},  // the day after 28 February
      {253'402'300'799'999, "9999-12-31T23:59:59.999Z"},
      {-1, "1969-12-31T23:59:59.999Z"},
      {-62'167'219'200'000, "0000-01-01T00:00:00.000Z"},
  };
  for (const auto& [ms, expected] : rows) CHECK(to_rfc3339(timestamp{milliseconds{ms}}) == expected);
  CHECK(to_rfc3339(testing::sample_time) == "2026-11-22T10:15:30.123Z");
}

TEST_CASE("a time of RFC 3339 is parsed with any offset and any fraction") {
  struct row {
    std::string_view text;
    std::string_view in_utc;
  };
  constexpr row rows[] = {
      {"1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000Z"},
      {"2026-11-22T10:15:30.123Z", "2026-11-22T10:15:30.123Z"},
      {"2026-11-22T10:15:30.1Z", "2026-11-22T10:15:30.100Z"},
      {"2026-11-22T10:15:30.123999999Z", "2026-11-22T10:15:30.123Z"},
      {"2026-11-22T10:15:30+05:30", "2026-11-22T04:45:30.000Z"},
      {"2026-11-22T23:15:30.5-01:00", "2026-11-23T00:15:30.500Z"},
      {"2024-02-29T00:00:00-00:00", "2024-02-29T00:00:00.000Z"},
      {"0000-01-01T00:00:00Z", "0000-01-01T00:00:00.000Z"},
      {"9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"},
  };
  for (const auto& [text, in_utc] : rows) {
    CAPTURE(text);
    const auto parsed = parse_rfc3339(text);
    REQUIRE(parsed.has_value());
    CHECK(to_rfc3339(*parsed) == in_utc);
  }
}

TEST_CASE("a text that is no time of RFC 3339 is not parsed") {
  const auto* const text = GENERATE(
      "", "2026-11-22", "2026-11-22T10:15:30", "2026-11-22 10:15:30Z", "2026-11-22T10:15:30z", "2026-11-22T10:15Z",
      "2026-13-22T10:15:30Z", "2026-11-31T10:15:30Z", "2025-02-29T10:15:30Z", "2026-00-01T10:15:30Z",
      "2026-11-22T24:00:00Z", "2026-11-22T10:60:30Z", "2026-11-22T10:15:60Z", "2026-11-22T10:15:30.Z",
      "2026-11-22T10:15:30.1234567890Z", "2026-11-22T10:15:30+0530", "2026-11-22T10:15:30+24:00",
      "2026-11-22T10:15:30+05:60", "2026-11-22T10:15:30ZZ", "+026-11-22T10:15:30Z", "2026-11-22T10:15:30.123",
      "0000-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01");
  CAPTURE(text);
  CHECK_FALSE(parse_rfc3339(text).has_value());
}

TEST_CASE("a time is appended behind what is there") {
  std::string out = "at ";
  append_rfc3339(out, timestamp{});
  CHECK(out == "at 1970-01-01T00:00:00.000Z");
}

TEST_CASE("printed times sort as the times do") {
  const auto text = [](int i) {
    return to_rfc3339(testing::sample_time + milliseconds{std::int64_t{i} * 123'456'789});
  };
  for (int i = 0; i < 1'000; ++i) CHECK(text(i) < text(i + 1));
}

}  // namespace
}  // namespace ordem
