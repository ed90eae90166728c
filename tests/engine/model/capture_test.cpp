#include "engine/model/capture.hpp"

#include <catch2/catch.hpp>
#include <set>

#include "engine/base/limits.hpp"
#include "tests/support_cpp/captures.hpp"

namespace ordem {
namespace {

using namespace testing;

// --- keys ---

TEST_CASE("a key is 1 to 1024 characters of base64url without padding") {
  struct row {
    std::string text;
    bool is_key;
  };
  const row rows[] = {
      {"", false},
      {"a", false},  // no byte is encoded as a single character
      {"ab", true},
      {"abc", true},
      {"abcd", true},
      {"abcde", false},
      {"abcdef", true},
      {std::string(limits::capture_key_characters_max - 4, 'a'), true},
      {std::string(limits::capture_key_characters_max - 1, 'a'), true},
      {std::string(limits::capture_key_characters_max, 'a'), true},
      {std::string(limits::capture_key_characters_max + 1, 'a'), false},
      {std::string(limits::capture_key_characters_max + 2, 'a'), false},
      {"ab==", false},
      {"abc=", false},
      {"ab=", false},
      {"=", false},
      {"-_-_", true},
      {"ab+d", false},
      {"ab/d", false},
      {"ab.d", false},
      {"ab d", false},
      {" abcd", false},
      {"abc\n", false},
      {std::string("ab\0d", 4), false},
      {"ab\xC3\xA4", false},
  };
  for (const auto& [text, is_key] : rows) {
    CAPTURE(text.substr(0, 20), text.size());
    const auto key = capture_key::parse(text);
    REQUIRE(key.has_value() == is_key);
    if (key) CHECK(key->view() == text);
  }
}

TEST_CASE("the characters of keys are the letters, the digits, - and _") {
  const std::string alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  for (int c = 0; c < 256; ++c) {
    CAPTURE(c);
    const auto character = static_cast<char>(c);
    const bool is_in_alphabet = alphabet.find(character) != std::string::npos;
    CHECK(capture_key::parse(std::string(4, character)).has_value() == is_in_alphabet);
    CHECK(capture_key::parse("aa" + std::string(1, character) + "a").has_value() == is_in_alphabet);
  }
}

TEST_CASE("texts that decode to the same bytes are different keys all the same") {
  // Two characters are twelve bits, of which a byte takes eight.
  CHECK(key_of("QQ") != key_of("QR"));
  CHECK(std::hash<capture_key>{}(key_of("QQ")) != std::hash<capture_key>{}(key_of("QR")));
  CHECK(key_of("QQ") == key_of("QQ"));
  CHECK(key_of("qq") != key_of("QQ"));
}

TEST_CASE("captures are equal by what they hold") {
  constexpr timestamp now = sample_time;
  constexpr milliseconds tick{1};
  const capture one{now, now + tick, now + 2 * tick, response_of("r")};
  CHECK(one == capture{now, now + tick, now + 2 * tick, response_of("r")});
  std::vector<capture> others(6, one);
  others[0].response = response_of("s");
  others[1].response = response_of("r", 201);
  others[2].response = nullptr;
  others[3].allocated_at += tick;
  others[4].lease_ends_at.reset();
  others[5].expires_at.reset();
  for (const capture& other : others) {
    CHECK_FALSE(one == other);
    CHECK_FALSE(other == one);
  }
}

using texts = std::vector<std::string>;

TEST_CASE("a response takes the bytes of its body, and of its headers' keys and values") {
  CHECK(bytes_of({}) == 0);
  CHECK(bytes_of({200, "12345", {}}) == 5);
  CHECK(bytes_of({200, "\xC3\xA4", {}}) == 2);
  CHECK(bytes_of({200, std::string("\0\0", 2), {}}) == 2);
  CHECK(bytes_of({200, "", {{"key", "value"}}}) == 8);
  CHECK(bytes_of({200, "", {{"key", texts{"a", "", "bcd"}}}}) == 7);
  CHECK(bytes_of({200, "12", {{"a", "b"}, {"a", texts{}}, {"", "c"}}}) == 6);
}

TEST_CASE("every verdict has a name of its own") {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < capture_verdicts; ++i) names.insert(to_string(static_cast<capture_verdict>(i)));
  CHECK(names.size() == capture_verdicts);
  CHECK_FALSE(names.contains(""));
}

}  // namespace
}  // namespace ordem
