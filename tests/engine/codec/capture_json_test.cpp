#include "engine/codec/capture_json.hpp"

#include <catch2/catch.hpp>
#include <random>

#include "tests/support_cpp/seed.hpp"

namespace ordem::codec {
namespace {

using namespace testing;

using texts = std::vector<std::string>;

TEST_CASE("headers are written as JSON, with values and lists as they were read") {
  struct row {
    std::vector<captured_header> headers;
    std::string_view json;
  };
  const row rows[] = {
      {{}, "[]"},
      {{{"A", "b"}}, R"([{"key":"A","value":"b"}])"},
      {{{"", ""}}, R"([{"key":"","value":""}])"},
      {{{"A", texts{}}}, R"([{"key":"A","value":[]}])"},
      {{{"A", texts{"b"}}}, R"([{"key":"A","value":["b"]}])"},
      {{{"A", texts{"b", "", "c"}}, {"D", "e"}}, R"([{"key":"A","value":["b","","c"]},{"key":"D","value":"e"}])"},
      {{{"A", "b"}, {"A", "b"}}, R"([{"key":"A","value":"b"},{"key":"A","value":"b"}])"},
      {{{"\"", texts{"\\", "\n\x01"}}}, R"([{"key":"\"","value":["\\","\n\u0001"]}])"},
      {{{"[", "["}, {"[", texts{"[", "["}}}, R"([{"key":"[","value":"["},{"key":"[","value":["[","["]}])"},
  };
  for (const auto& [headers, json] : rows) {
    std::string out;
    append_headers(out, headers);
    CHECK(out == json);
  }
  std::string behind = "x";
  append_headers(behind, {{"A", "b"}});
  CHECK(behind == R"(x[{"key":"A","value":"b"}])");
}

TEST_CASE("a response is written in the form that a client sends") {
  std::string json = "x";
  append_captured_response(json, {201, "\"a\"", {{"A", "b"}, {"C", texts{"d"}}}});
  CHECK(json == R"(x{"response_status":201,"response_body":"\"a\"",)"
                R"("response_headers":[{"key":"A","value":"b"},{"key":"C","value":["d"]}]})");
  json.clear();
  append_captured_response(json, {100, "", {}});
  CHECK(json == R"({"response_status":100,"response_body":"","response_headers":[]})");
}

// Postgres may contain headers that were recorded before they were refused.
TEST_CASE("recorded headers with line ends can still be read") {
  simdjson::dom::parser parser;
  const std::vector<captured_header> headers{{"A", "b\r\nc"}, {"D\n", texts{"\r"}}};
  std::string json;
  append_headers(json, headers);
  CHECK(read_captured_headers(parser.parse(json)) == headers);
}

TEST_CASE("a response is unchanged after being written and read") {
  const auto seed = seed_of_run();
  INFO("ORDEM_SEED=" << seed);
  std::mt19937_64 random(seed);
  const std::string_view pieces[] = {"a", "\"", "\\", "\n", "\x01", "\x7F", "\xC3\xA4", "\xF0\x9F\x98\x80", "/", "{}"};
  const auto text = [&](std::uint64_t most) {
    std::string made;
    for (auto count = random() % (most + 1); count > 0; --count) made += pieces[random() % std::size(pieces)];
    return made;
  };
  const auto header_text = [&] {
    std::string made = text(5);
    std::erase(made, '\n');
    return made;
  };
  for (int i = 0; i < 300; ++i) {
    captured_response what{static_cast<std::uint16_t>(100 + random() % 900), text(50), {}};
    if (random() % 4 == 0) what.body += '\0';
    for (auto count = random() % 4; count > 0; --count) {
      what.headers.push_back({header_text(), header_text()});
      if (random() % 2 == 0) what.headers.back().value = texts(random() % 3, header_text());
    }
    std::string json;
    append_captured_response(json, what);
    simdjson::dom::parser parser;
    const auto made = read_captured_response(parser.parse(json));
    CAPTURE(json);
    REQUIRE(made);
    REQUIRE(*made == what);
  }
}

}  // namespace
}  // namespace ordem::codec
