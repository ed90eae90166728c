#include "http-edge/protocol/headers.hpp"

#include <catch2/catch.hpp>
#include <vector>

#include "tests/engine/orders.hpp"

namespace ordem::http_edge {
namespace {

using testing::guid_of;

TEST_CASE("an Idempotency-Key is a GUID with or without quotes, which are the same key") {
  struct row {
    std::string_view value;
    std::string_view expected;
  };
  constexpr row rows[] = {
      {"8e03978e-40d5-43e8-bc93-6894a57f9324", "8e03978e-40d5-43e8-bc93-6894a57f9324"},
      {R"("8e03978e-40d5-43e8-bc93-6894a57f9324")", "8e03978e-40d5-43e8-bc93-6894a57f9324"},
      {"  bare \t", "bare"},
      {" \t\"quoted\" ", "quoted"},
      {R"("a\"b")", R"(a"b)"},
      {R"("a\\b")", R"(a\b)"},
      {R"("\\")", R"(\)"},
      {R"("\"\"")", R"("")"},
      {R"(a"b)", R"(a"b)"},    // an unquoted key may contain quotes after its first character
      {R"(a\b)", R"(a\b)"},    // and backslashes, which are not escapes
      {"key;a=1", "key;a=1"},  // and what looks like a parameter
      {":sGVsbG8=:", ":sGVsbG8=:"},
      {R"("a,b")", "a,b"},  // a comma may be in a string
      {R"("k";a=1)", "k"},  // whose parameters are ignored
      {R"("k";a)", "k"},
      {R"("k"; a=1;  b;*c;d_-.*9="x;\"y\",")", "k"},
      {R"("k";a=-123456789012.125;b=123456789012345;c=?1;d=:aGk=:;e=*tok/en:1;f=T!)", "k"},
      {"!", "!"},
      {"~", "~"},
  };
  for (const auto& [value, expected] : rows) {
    CAPTURE(value);
    CHECK(parse_idempotency_key(value) == guid_of(expected));
  }
}

TEST_CASE("an Idempotency-Key has at most 255 characters, its quotes and escapes not counted") {
  const std::string most(255, 'k');
  CHECK(parse_idempotency_key(most) == guid_of(most));
  CHECK(parse_idempotency_key('"' + most + '"') == guid_of(most));
  CHECK(parse_idempotency_key("\"\\\"" + std::string(254, 'k') + '"') == guid_of('"' + std::string(254, 'k')));
  CHECK_FALSE(parse_idempotency_key(most + 'k'));
  CHECK_FALSE(parse_idempotency_key('"' + most + "k\""));
}

TEST_CASE("other values of Idempotency-Key are invalid") {
  constexpr std::string_view wrong[] = {
      "",
      "  ",
      "\"",
      "\"\"",    // empty
      "\"open",  // no end
      "\"a\"b",  // bytes after the end
      "\"a\";",  // an invalid parameter
      "\"a\";P=1",
      "\"a\";1",
      "\"a\";p=",
      "\"a\";p=1.",
      "\"a\";p=1.2345",
      "\"a\";p=1234567890123456",
      "\"a\";p=?2",
      "\"a\";p=:a",
      "\"a\";p=:a b:",
      "\"a\";p=\"x",
      "\"a\";p=(1)",
      "\"a\" ;p=1",
      "\"a\";p =1",
      "\"a\";p=1, \"a\";p=1",
      "\"a\",\"a\"",
      "k1,k1",  // two lines joined by a proxy
      "k1,",
      ",",
      "a,\"b\"",
      "\"a\", \"b\"",  // a list
      "\"a\" \"b\"",
      R"("a\")",   // an escaped end
      R"("a\x")",  // an invalid escape
      R"("\)",
      "\"with space\"",
      "with space",
      "a, b",
      "tab\there",
      "\"tab\there\"",
      "caf\xC3\xA9",
      "\"caf\xC3\xA9\"",
      "\x7F",
  };
  for (const std::string_view value : wrong) {
    CAPTURE(value);
    CHECK_FALSE(parse_idempotency_key(value));
  }
}

TEST_CASE("If-Match is one version in quotes") {
  CHECK(parse_if_match("\"1\"") == version{1});
  CHECK(parse_if_match(" \"42\"\t") == version{42});
  CHECK(parse_if_match("\"9007199254740991\"") == version{9'007'199'254'740'991});
}

TEST_CASE("other values of If-Match are invalid") {
  for (const std::string_view value : {"",
                                       "\"\"",
                                       "\"",
                                       "1",
                                       "\"1",
                                       "1\"",
                                       "'1'",
                                       "*",
                                       "W/\"1\"",
                                       "\"1\", \"2\"",
                                       "\"1\",",
                                       "\"0\"",
                                       "\"-1\"",
                                       "\"+1\"",
                                       "\" 1\"",
                                       "\"1 \"",
                                       "\"1.0\"",
                                       "\"0x1\"",
                                       "\"abc\"",
                                       "\"9007199254740992\"",
                                       "\"99999999999999999999\"",
                                       "\"\"1\"\""}) {
    CAPTURE(value);
    CHECK_FALSE(parse_if_match(value));
  }
}

// "01" is not a tag of the server, and strong tags are compared byte by byte (RFC 9110, section 8.8.3.2).
TEST_CASE("If-Match with leading zeros is not the tag of a version") {
  CHECK_FALSE(parse_if_match("\"01\""));
  CHECK_FALSE(parse_if_match("\"0001\""));
}

TEST_CASE("If-None-Match includes the tags that it lists, weak or strong, or any tag") {
  for (const std::string_view value : {"\"3\"", " \"3\" ", "W/\"3\"", "\"2\", \"3\"", "\"3\",\"2\"",
                                       "\"2\",W/\"3\",\"4\"", "*", " * ", ",\"3\"", "\"x\" , \"3\" ,"}) {
    CAPTURE(value);
    CHECK(if_none_match_holds(value, {3}));
  }
  for (const std::string_view value :
       {"", ",", "\"2\"", "3", "\"33\"", "\"3", "w/\"3\"", "\"2\", \"4\"", "W/3", "\"*\"", "\"03\""}) {
    CAPTURE(value);
    CHECK_FALSE(if_none_match_holds(value, {3}));
  }
}

TEST_CASE("the entity tag of a version is its number in quotes") {
  CHECK(entity_tag({1}) == "\"1\"");
  CHECK(entity_tag({9'007'199'254'740'991}) == "\"9007199254740991\"");
}

TEST_CASE("a media type is returned in lower case without parameters") {
  struct row {
    std::string_view value;
    std::string_view expected;
  };
  constexpr row rows[] = {
      {"", ""},
      {"application/json", "application/json"},
      {"Application/JSON", "application/json"},
      {"application/json; charset=utf-8", "application/json"},
      {"application/json;charset=UTF-8", "application/json"},
      {" application/json ;q=1", "application/json"},
      {"application/merge-patch+json", "application/merge-patch+json"},
      {";charset=utf-8", ""},
      {"text/plain, application/json", "text/plain, application/json"},
  };
  for (const auto& [value, expected] : rows) {
    CAPTURE(value);
    CHECK(media_type(value) == expected);
  }
}

TEST_CASE("a charset other than UTF-8 is found among the parameters of a media type") {
  for (const std::string_view type :
       {"", "a/b", "a/b; charset=utf-8", "a/b;charset=UTF-8", "a/b; charset=\"utf-8\"", "a/b; charset=utf8",
        "a/b; charset=us-ascii", "a/b; x=y", "a/b; x=\"; charset=utf-16\"", "a/b; x=\"\\\"; charset=utf-16\"; y=z",
        "a/b;;; charset = utf-8 ", "a/b; charsets=utf-16", "a/b;"}) {
    CAPTURE(type);
    CHECK_FALSE(has_other_charset(type));
  }
  for (const std::string_view type :
       {"a/b; charset=utf-16", "a/b;Charset=ISO-8859-1", "a/b; charset=\"latin1\"", "a/b; charset=", "a/b; charset",
        "a/b; charset=utf-8; charset=utf-16", "a/b; x=\"y\"; charset=utf-7", "a/b; charset=\"utf-8"}) {
    CAPTURE(type);
    CHECK(has_other_charset(type));
  }
}

TEST_CASE("texts are compared ignoring the case of ASCII letters, and not past their ends") {
  CHECK(equals_ignoring_case("", ""));
  CHECK(equals_ignoring_case("chArset", "Charset"));
  CHECK(equals_ignoring_case("utf-8", "UTF-8"));
  CHECK_FALSE(equals_ignoring_case("utf-8", "utf-"));
  CHECK_FALSE(equals_ignoring_case("[", "{"));
  CHECK_FALSE(equals_ignoring_case("\xC3\x84", "\xC3\xA4"));
  // The address sanitizer detects reads past the end of these.
  const std::vector<char> value{';', 'c', 'h', 'A', 'r', 's', 'e', 't'};
  CHECK(has_other_charset({value.data(), value.size()}));
}

TEST_CASE("a positive number is plain decimal digits from 1 to 2^53 - 1") {
  CHECK(parse_positive("1") == 1u);
  CHECK(parse_positive("1000") == 1000u);
  CHECK(parse_positive("9007199254740991") == 9'007'199'254'740'991u);
  for (const std::string_view wrong :
       {"", "0", "-1", "+1", " 1", "1 ", "1e3", "1.0", "0x10", "a", "1a", "9007199254740992", "18446744073709551617"}) {
    CAPTURE(wrong);
    CHECK_FALSE(parse_positive(wrong));
  }
}

TEST_CASE("a preference is found in a list, whatever its case and its parameters") {
  for (const std::string_view value :
       {"merge", "Merge", " merge ", "respond-async, merge", "merge, wait=10", "wait=10;x=\"a,b\",MERGE;y=1",
        "merge=\"\"", "merge = \"\"", ",merge,", R"(a="\",",merge)"}) {
    CAPTURE(value);
    CHECK(has_preference(value, "merge"));
  }
  for (const std::string_view value : {"", ",", "merged", "merge=no", "merge=\"yes\"", "x=merge", "x;merge",
                                       "\"merge\"", "a=\"x, merge\"", "no-merge", R"(a="\",merge)"}) {
    CAPTURE(value);
    CHECK_FALSE(has_preference(value, "merge"));
  }
}

}  // namespace
}  // namespace ordem::http_edge
