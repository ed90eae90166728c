#include "engine/model/tenant_key.hpp"

#include <catch2/catch.hpp>
#include <string>

#include "tests/support_cpp/samples.hpp"

namespace ordem {
namespace {

using testing::guid_of;

TEST_CASE("equal names of different tenants are different keys") {
  const guid name = guid_of("k-1");
  tenant_map<guid, int> numbers;
  int next = 0;
  for (const std::string tenant : {"", "shop", "shop2", "k-1"}) {
    CHECK(numbers.emplace(message_key{tenant, name}, ++next).second);
    CHECK_FALSE(numbers.emplace(message_key{tenant, name}, 0).second);
  }
  next = 0;
  for (const std::string tenant : {"", "shop", "shop2", "k-1"}) {
    const auto found = numbers.find(tenant_key_view<guid>{tenant, name});
    REQUIRE(found != numbers.end());
    CHECK(found->second == ++next);
  }
  CHECK(numbers.find(tenant_key_view<guid>{"sho", name}) == numbers.end());
  CHECK(numbers.find(tenant_key_view<guid>{"shop", guid_of("p")}) == numbers.end());
}

}  // namespace
}  // namespace ordem
