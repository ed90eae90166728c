#include "engine/codec/json_number.hpp"

#include <catch2/catch.hpp>

namespace ordem::codec {
namespace {

TEST_CASE("an integer with a fraction or an exponent is written as digits") {
  struct row {
    std::string_view number;
    std::string_view digits;
  };
  constexpr row rows[] = {
      {"2.0", "2"},
      {"1e3", "1000"},
      {"1E+3", "1000"},
      {"2.50e1", "25"},
      {"2500e-2", "25"},
      {"0.1e1", "1"},
      {"0.000001e6", "1"},
      {"-7.0", "-7"},
      {"0.0", "0"},
      {"-0.0", "0"},
      {"0e999999999999999999999999", "0"},
      {"0.0e-5", "0"},
      {"1.2300e2", "123"},
      {"9007199254740991.0", "9007199254740991"},
      {"-9007199254740991.000", "-9007199254740991"},
      {"9.007199254740991e15", "9007199254740991"},
      {"1e15", "1000000000000000"},
  };
  for (const auto& [number, digits] : rows) {
    CAPTURE(number);
    CHECK(integer_digits(number) == digits);
  }
  const std::string zeros(100'000, '0');
  CHECK(integer_digits("1" + zeros + "e-100000") == "1");
  CHECK(integer_digits("0." + zeros + "1e100001") == "1");
  CHECK(integer_digits("3." + zeros) == "3");
}

TEST_CASE("other numbers are not integers, however close they are to one") {
  for (const std::string_view number :
       {"2", "-2", "0", "2.5", "1e-1", "25e-1", "2.51e1", "1.00000000000000000000000000000001",
        "0.99999999999999999999999999", "9007199254740990.9999999999", "9007199254740992.0", "9007199254740993.0",
        "-9007199254740992.0", "1e16", "1e400", "1e99999999999999999999", "1e-99999999999999999999",
        "9999999999999999.0"}) {
    CAPTURE(number);
    CHECK_FALSE(integer_digits(number));
  }
}

TEST_CASE("only such numbers are replaced in a text") {
  CHECK(with_plain_integers(R"({"a":2.0,"b":[1e1,2.5,-3.0],"c":"4.0 \\","d":5,"e":6.0})") ==
        R"({"a":2,"b":[10,2.5,-3],"c":"4.0 \\","d":5,"e":6})");
  CHECK(with_plain_integers("2.0") == "2");
  CHECK(with_plain_integers(R"(["\"1.0",1.0,"\\"])") == R"(["\"1.0",1,"\\"])");
  for (const std::string_view text : {"", "{}", "5", R"(["1.0","\"2.0\"",2.5,1e400])", R"({"1.0":true})"}) {
    CAPTURE(text);
    CHECK_FALSE(with_plain_integers(text));
  }
}

TEST_CASE("the text of a number is the shortest one with its value") {
  simdjson::dom::parser parser;
  const auto text_of = [&](std::string_view number) {
    return number_text_of(parser.parse(number.data(), number.size()));
  };
  CHECK(text_of("5") == "5");
  CHECK(text_of("-5") == "-5");
  CHECK(text_of("18446744073709551615") == "18446744073709551615");
  CHECK(text_of("5.0") == "5");
  CHECK(text_of("0.25") == "0.25");
  CHECK(text_of("0.0001") == "0.0001");
  CHECK(text_of("1e20") == "1e+20");
  CHECK(text_of("1.7976931348623157e308") == "1.7976931348623157e+308");
}

}  // namespace
}  // namespace ordem::codec
