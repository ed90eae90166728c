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
