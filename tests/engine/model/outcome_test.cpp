#include "engine/model/outcome.hpp"

#include <catch2/catch.hpp>

namespace ordem {
namespace {

TEST_CASE("every verdict has the name and the number that Postgres, metrics and records know") {
  struct row {
    verdict what;
    std::string_view name;
    int number;
  };
  constexpr row rows[] = {
      {verdict::order_created, "order_created", 1},           {verdict::content_changed, "content_changed", 2},
      {verdict::status_changed, "status_changed", 3},         {verdict::stale_version, "stale_version", 4},
      {verdict::status_not_allowed, "status_not_allowed", 5}, {verdict::order_closed, "order_closed", 6},
  };
  for (const auto& [what, name, number] : rows) {
    CAPTURE(name);
    CHECK(to_string(what) == name);
    CHECK(parse_verdict(name) == what);
    CHECK(static_cast<int>(what) == number);
  }
}

TEST_CASE("what is no verdict is not read as one") {
  for (const std::string_view text : {"", "Order_created", "order created", "order_created ", " order_created",
                                      "order_create", "order_createdx", "created", "1"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_verdict(text));
  }
}

}  // namespace
}  // namespace ordem
