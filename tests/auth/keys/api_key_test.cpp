#include "auth/keys/api_key.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cctype>
#include <set>

namespace ordem::auth {
namespace {

std::array<std::uint8_t, 32> ascending_bits() {
  std::array<std::uint8_t, 32> bits{};
  for (std::size_t i = 0; i < bits.size(); ++i) bits[i] = static_cast<std::uint8_t>(i);
  return bits;
}

// Made by Python, with hashlib.
constexpr std::string_view of_ascending_bits = "ordem_003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf7aa473b8";

TEST_CASE("the text of a key is that of its bits and a checksum") {
  CHECK(to_api_key(ascending_bits()) == of_ascending_bits);
  CHECK(to_api_key({}) == "ordem_0000000000000000000000000000000000000000000cabcc72f");
  std::array<std::uint8_t, 32> all{};
  all.fill(0xFF);
  CHECK(to_api_key(all) == "ordem_yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp1d2e6628b");
}

TEST_CASE("generated keys are keys, and differ") {
  std::set<std::string> keys;
  for (int i = 0; i < 100; ++i) {
    const auto key = generate_api_key();
    REQUIRE(key.has_value());
    CHECK(key->size() == api_key_characters);
    CHECK(is_api_key(*key));
    keys.insert(*key);
  }
  CHECK(keys.size() == 100);
}

TEST_CASE("a key with one wrong character is no key") {
  for (std::size_t i = 0; i < of_ascending_bits.size(); ++i) {
    std::string key(of_ascending_bits);
    key[i] = key[i] == 'x' ? 'y' : 'x';
    CAPTURE(key);
    CHECK_FALSE(is_api_key(key));
  }
}

TEST_CASE("a text of another form is no key") {
  const std::string key(of_ascending_bits);
  CHECK(is_api_key(key));
  for (const std::string& other : {std::string(), key.substr(1), key.substr(0, 56), key + "0", "Ordem_" + key.substr(6),
                                   "ordem-" + key.substr(6), key.substr(0, 20) + "-" + key.substr(21)}) {
    CAPTURE(other);
    CHECK_FALSE(is_api_key(other));
  }
}

}  // namespace
}  // namespace ordem::auth
