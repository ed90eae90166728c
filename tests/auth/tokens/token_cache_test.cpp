#include "auth/tokens/token_cache.hpp"

#include <catch2/catch.hpp>
#include <memory>
#include <string>

namespace ordem::auth {
namespace {

using namespace std::chrono_literals;

constexpr timestamp start{1'000'000ms};

sha256_hash hash_of(std::string_view text) {
  return sha256().of(text);
}

shared_identity make_identity(const std::string& name) {
  return std::make_shared<const identity>(identity{{"", name}, {}});
}

TEST_CASE("a remembered token is found while it counts") {
  token_cache cache(10);
  const auto who = make_identity("a");
  cache.add(hash_of("a"), who, start, start + 10s);
  CHECK(cache.find(hash_of("a"), start) == who);
  CHECK(cache.find(hash_of("a"), start + 9'999ms) == who);
  CHECK(cache.find(hash_of("b"), start) == nullptr);
  SECTION("and forgotten afterwards") {
    CHECK(cache.find(hash_of("a"), start + 10s) == nullptr);
    CHECK(cache.size() == 0);
  }
  SECTION("and not before") {
    CHECK(cache.find(hash_of("a"), start - 1ms) == nullptr);
  }
  SECTION("until everything is forgotten") {
    cache.clear();
    CHECK(cache.find(hash_of("a"), start) == nullptr);
  }
}

TEST_CASE("beyond its bound the cache forgets the token that was used least recently") {
  token_cache cache(3);
  for (const auto* const name : {"a", "b", "c"}) cache.add(hash_of(name), make_identity(name), start, start + 10s);
  CHECK(cache.find(hash_of("a"), start) != nullptr);  // now b is the one
  cache.add(hash_of("d"), make_identity("d"), start, start + 10s);
  CHECK(cache.size() == 3);
  CHECK(cache.find(hash_of("b"), start) == nullptr);
  for (const auto* const name : {"a", "c", "d"}) CHECK(cache.find(hash_of(name), start)->origin.actor == name);
}

}  // namespace
}  // namespace ordem::auth
