#include <array>
#include <catch2/catch.hpp>
#include <string>

#include "auth/encoding/base62.hpp"
#include "auth/encoding/base64.hpp"
#include "auth/encoding/base64url.hpp"
#include "auth/encoding/hmac.hpp"
#include "auth/encoding/sha256.hpp"

namespace ordem::auth {
namespace {

TEST_CASE("base 62 has the digits 0-9 A-Z a-z and zeros in front") {
  const std::array<std::uint8_t, 2> number = {0x0F, 0x03};  // 3843 = 61 * 62 + 61
  CHECK(to_base62(number, 4) == "00zz");
  CHECK(to_base62(std::array<std::uint8_t, 1>{10}, 1) == "A");
  CHECK(to_base62(std::array<std::uint8_t, 1>{0}, 3) == "000");
}

TEST_CASE("the largest number of 256 bits has 43 digits of base 62") {
  std::array<std::uint8_t, 32> all;
  all.fill(0xFF);
  CHECK(to_base62(all, 43) == "yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp1");
}

TEST_CASE("base64 is encoded and decoded") {
  struct row {
    std::string_view text;
    std::string_view bytes;
  };
  constexpr row rows[] = {{"", ""},
                          {"Zg==", "f"},
                          {"Zm8=", "fo"},
                          {"Zm9v", "foo"},
                          {"Zm9vYg==", "foob"},
                          {"Zm9vYmE=", "fooba"},
                          {"Zm9vYmFy", "foobar"},
                          {"+/+/", "\xFB\xFF\xBF"}};  // RFC 4648, section 10
  for (const auto& [text, bytes] : rows) {
    CHECK(encode_base64(bytes) == text);
    CHECK(decode_base64(text) == bytes);
    CHECK(decode_base64(text.substr(0, text.find('='))) == bytes);
  }
  for (const std::string_view text : {"Z", "Zg=", "Zg===", "Zh==", "Zm9v=", "Z=g=", "-_-_", "Zm 9v", "Zm9v\n"}) {
    CAPTURE(text);
    CHECK_FALSE(decode_base64(text));
  }
}

TEST_CASE("HMAC-SHA-256 gives the values of RFC 4231") {
  CHECK(to_hex(hmac_sha256("Jefe", "what do ya want for nothing?")) ==
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  CHECK(to_hex(hmac_sha256(std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First")) ==
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST_CASE("base64url is decoded") {
  struct row {
    std::string_view text;
    std::string_view bytes;
  };
  constexpr row rows[] = {{"", ""},        {"Zg", "f"},          {"Zm8", "fo"},
                          {"Zm9v", "foo"}, {"Zm9vYmE", "fooba"}, {"-_-_", "\xFB\xFF\xBF"}};
  for (const auto& [text, bytes] : rows) CHECK(decode_base64url(text) == std::string(bytes));
}

TEST_CASE("what is not base64url without padding, or not its only form, is not decoded") {
  const auto* const text = GENERATE("Z", "Zm9vY", "Zg==", "Zm8=", "Zm9v\n", " Zm9v", "Zm+v", "Zm/v", "Zm9.", "Zh",
                                    "Zm9", "Zm9vYmF", "\xFFm9v");
  CAPTURE(text);
  CHECK_FALSE(decode_base64url(text).has_value());
}

TEST_CASE("a SHA-256 is computed again and again in one context") {
  sha256 hash;
  for (int i = 0; i < 2; ++i) {
    // FIPS 180-2, appendix B.1, and the hash of nothing.
    CHECK(to_hex(hash.of("abc")) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    CHECK(to_hex(hash.of("")) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  }
}

TEST_CASE("a SHA-256 is parsed from 64 hex digits of either case") {
  const std::string text = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  const auto parsed = parse_sha256("BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD");
  REQUIRE(parsed.has_value());
  CHECK(to_hex(*parsed) == text);
  CHECK(*parsed == sha256().of("abc"));
  CHECK_FALSE(*parsed == sha256().of("abd"));
  for (const std::string& other : {std::string(), text.substr(1), text + "0", "g" + text.substr(1)}) {
    CHECK_FALSE(parse_sha256(other).has_value());
  }
}

}  // namespace
}  // namespace ordem::auth
