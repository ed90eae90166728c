#include "auth/names.hpp"

#include <catch2/catch.hpp>
#include <string>

#include "auth/scope_names.hpp"

namespace ordem::auth {
namespace {

TEST_CASE("names of identities have 1 to 64 characters of their alphabet") {
  for (const auto* const good : {"a", "till-7", "CI", "svc:shop@example.org", "a_b.c", "7"}) CHECK(is_name(good));
  CHECK(is_name(std::string(64, 'a')));
  for (const auto* const bad : {"", " ", "a b", "a/b", "a|b", "a\n", "\xC3\xA4", "a=b", "a,b", "a\"b"})
    CHECK_FALSE(is_name(bad));
  CHECK_FALSE(is_name(std::string(65, 'a')));
  CHECK_FALSE(is_name(std::string_view("a\0b", 3)));
}

TEST_CASE("tenants have at most 64 characters of their alphabet") {
  for (const auto* const good : {"", "shop", "a.b_c-7"}) CHECK(is_tenant(good));
  CHECK(is_tenant(std::string(64, 'a')));
  for (const auto* const bad : {"Shop", "a b", "a/b", "a:b", "a@b", "\xC3\xA4"}) CHECK_FALSE(is_tenant(bad));
  CHECK_FALSE(is_tenant(std::string(65, 'a')));
}

TEST_CASE("each scope has a name, by which it is found") {
  for (std::size_t i = 0; i < scopes; ++i) {
    const auto what = static_cast<scope>(i);
    CHECK(parse_scope(to_string(what)) == what);
  }
  CHECK(to_string(scope::orders_write) == "orders:write");
  for (const auto* const other : {"", "orders", "Orders:read", "orders:read ", "*"})
    CHECK_FALSE(parse_scope(other).has_value());
}

TEST_CASE("a list of scopes is parsed and printed") {
  const auto parsed = parse_scope_list("captures,orders:read,captures");
  REQUIRE(parsed.has_value());
  CHECK(*parsed == scope_set{scope::orders_read, scope::captures});
  CHECK(to_string(*parsed) == "orders:read,captures");
  CHECK(to_string(scope_set()).empty());
}

TEST_CASE("a list with an unknown scope is refused, with the scopes that there are") {
  const auto* const text = GENERATE("", "orders", "orders:read,", ",orders:read", "orders:read orders:write");
  CAPTURE(text);
  const auto parsed = parse_scope_list(text);
  REQUIRE_FALSE(parsed.has_value());
  CHECK_THAT(parsed.error(), Catch::Contains("unknown scope") && Catch::Contains("messages:read"));
}

}  // namespace
}  // namespace ordem::auth
