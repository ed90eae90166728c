#include "http-edge/captures/capture_body.hpp"

#include <catch2/catch.hpp>
#include <random>

#include "engine/base/limits.hpp"
#include "http-edge/protocol/padded_body.hpp"
#include "tests/support_cpp/captures.hpp"
#include "tests/support_cpp/seed.hpp"

namespace ordem::http_edge {
namespace {

using namespace testing;

constexpr std::size_t bytes_max = 100;

template <class Read>
auto read(std::string_view json, Read how) {
  padded_body::value_type padded;
  padded.append(json.data(), json.size());
  simdjson::dom::parser parser;
  CHECK(parser.allocate(1024, limits::json_depth_max) == simdjson::SUCCESS);
  return how(padded.view(), parser);
}

capture_body_result put(std::string_view json) {
  return read(json, read_allocation);
}
capture_body_result post(std::string_view json) {
  return read(json, [](auto body, auto& parser) { return read_record(body, parser, bytes_max); });
}

// Returns a body with this response.
std::string with_response(std::string_view response) {
  return R"({"idempotency_key":"some-key","response":)" + std::string(response) + '}';
}
std::string with_body(std::string_view body) {
  return with_response(R"({"response_status":200,"response_body":)" + std::string(body) + '}');
}
std::string with_headers(std::string_view headers) {
  return with_response(R"({"response_status":200,"response_headers":)" + std::string(headers) + '}');
}

captured_response response_in(std::string_view json) {
  auto made = post(json);
  if (!made) throw std::runtime_error("refused: " + std::string(json));
  CHECK(made->key == key_of("some-key"));
  return *std::get<record_capture>(made->action).response;
}
std::vector<captured_header> headers_in(std::string_view json) {
  return response_in(with_headers(json)).headers;
}

using texts = std::vector<std::string>;

// --- valid bodies ---

TEST_CASE("a PUT allocates its key") {
  const auto made = put(R"({"idempotency_key":"some-key"})");
  REQUIRE(made);
  CHECK(made->key == key_of("some-key"));
  CHECK(std::holds_alternative<allocate_capture>(made->action));
}

TEST_CASE("a POST records the response of its body") {
  const auto made = response_in(with_response(
      R"({"response_status":201,"response_body":"{\"a\":1}","response_headers":[{"key":"A","value":"b"}]})"));
  CHECK(made == captured_response{201, R"({"a":1})", {{"A", "b"}}});
}

TEST_CASE("body and headers of a response are optional") {
  const captured_response bare{200, "", {}};
  for (const std::string_view json : {
           R"({"response_status":200})", R"({"response_status":200,"response_body":null,"response_headers":null})",
           R"({"response_status":200,"response_body":"","response_headers":[]})",
           R"({"response_status":200,"response_headers":{}})",  // Lua's cjson writes an empty table like this
       }) {
    CAPTURE(json);
    CHECK(response_in(with_response(json)) == bare);
  }
}

TEST_CASE("a status is an integer from 100 to 999") {
  for (const std::string_view status : {"100", "200", "599", "999"}) {
    CAPTURE(status);
    CHECK(std::to_string(response_in(with_response(R"({"response_status":)" + std::string(status) + '}')).status) ==
          status);
  }
  // An integer by its value, in any notation.
  CHECK(response_in(with_response(R"({"response_status":200.0,"response_body":"1.0"})")) ==
        captured_response{200, "1.0", {}});
  CHECK(response_in(with_response(R"({"response_status":2e2,"response_body":"café"})")).status == 200);
}

TEST_CASE("headers keep their order, and a value is a text or a list of texts") {
  struct row {
    std::string_view json;
    std::vector<captured_header> headers;
  };
  const row rows[] = {
      {R"([{"key":"A","value":"b"},{"key":"A","value":"c"}])", {{"A", "b"}, {"A", "c"}}},
      {R"([{"value":"b","key":"A"}])", {{"A", "b"}}},
      {R"([{"key":"Set-Cookie","value":["a=1","b=2"]}])", {{"Set-Cookie", texts{"a=1", "b=2"}}}},
      {R"([{"key":"A","value":["b"]}])", {{"A", texts{"b"}}}},
      {R"([{"key":"A","value":[]}])", {{"A", texts{}}}},
      {R"([{"key":"A","value":""},{"key":"","value":["",""]}])", {{"A", ""}, {"", texts{"", ""}}}},
      {R"([{"key":"A"},{"value":"b"},{"key":null,"value":null},{}])", {{"A", ""}, {"", "b"}, {"", ""}, {"", ""}}},
      {R"([{"key":"\u00e4","value":"\t\u0001"}])", {{"\xC3\xA4", "\t\x01"}}},
      {R"([{"key":"Content-Length","value":42},{"key":"A","value":true},{"key":"B","value":false}])",
       {{"Content-Length", "42"}, {"A", "true"}, {"B", "false"}}},
      {R"([{"key":"A","value":[1,-2,"b",0.25,false]}])", {{"A", texts{"1", "-2", "b", "0.25", "false"}}}},
      {R"([{"key":"A","value":5.0},{"key":"B","value":1e20},{"key":"C","value":18446744073709551615}])",
       {{"A", "5"}, {"B", "1e+20"}, {"C", "18446744073709551615"}}},
  };
  for (const auto& [json, headers] : rows) {
    CAPTURE(json);
    CHECK(headers_in(json) == headers);
  }
}

TEST_CASE("a body may contain any character, including U+0000") {
  CHECK(response_in(with_body(R"("a\u0000b\u001f\u00e4\ud83d\ude00\"\\")")).body ==
        std::string("a\0b\x1f\xC3\xA4\xF0\x9F\x98\x80\"\\", 12));
}

TEST_CASE("unknown members are ignored") {
  CHECK(put(R"({"a":[1,{"b":null}],"idempotency_key":"some-key","response_status":"x"})"));
  const auto made = response_in(R"({"x":1,"idempotency_key":"some-key","response":{"y":[],"response_status":200,)"
                                R"("response_headers":[{"z":{},"key":"A","value":"b"}]}})");
  CHECK(made == captured_response{200, "", {{"A", "b"}}});
  CHECK(put(with_body(R"("a PUT may have a response, which is not looked at further")")));
}

TEST_CASE("of members with the same name the last counts, also if it is null") {
  CHECK(put(R"({"idempotency_key":1,"idempotency_key":"some-key"})").value().key == key_of("some-key"));
  CHECK(put(R"({"idempotency_key":"some-key","idempotency_key":null})").error() == capture_body_error::malformed_key);
  CHECK(post(R"({"idempotency_key":"some-key","response":{"response_status":200},"response":null})").error() ==
        capture_body_error::malformed_payload);
  CHECK(response_in(with_response(R"({"response_status":"x","response_status":201})")).status == 201);
  CHECK(response_in(with_response(R"({"response_status":200,"response_body":"a","response_body":"b"})")).body == "b");
  CHECK(headers_in(R"([{"key":"A","key":"B","value":"c","value":["d"]}])") ==
        std::vector<captured_header>{{"B", texts{"d"}}});
}

// --- invalid bodies ---

TEST_CASE("a body that is not a JSON object, or has members of wrong types, is malformed") {
  const std::string deep(limits::json_depth_max + 1, '[');
  const std::string bodies[] = {
      "",
      " ",
      "{",
      "null",
      "[]",
      "1",
      "\"some-key\"",
      "idempotency_key=some-key",
      R"({"idempotency_key":"some-key")",
      R"({"idempotency_key":"some-key"}x)",
      R"({"idempotency_key":"some-key"}{})",
      R"({'idempotency_key':'some-key'})",
      R"({"idempotency_key":"some-key",})",
      R"({"idempotency_key":"\ud800"})",
      R"({"idempotency_key":1})",
      R"({"idempotency_key":true})",
      R"({"idempotency_key":["some-key"]})",
      R"({"idempotency_key":{}})",
      R"({"idempotency_key":"some-key","x":)" + deep + std::string(deep.size(), ']') + '}',
  };
  for (const std::string& body : bodies) {
    CAPTURE(body);
    const auto as_put = put(body);
    REQUIRE_FALSE(as_put);
    CHECK(as_put.error() == capture_body_error::malformed_payload);
    const auto as_post = post(body);
    REQUIRE_FALSE(as_post);
    CHECK(as_post.error() == capture_body_error::malformed_payload);
  }
}

TEST_CASE("an invalid response is malformed, but a PUT ignores it") {
  const std::string bodies[] = {
      with_response("1"),
      with_response("true"),
      with_response("\"x\""),
      with_response("[]"),
      with_response("{}"),
      with_response(R"({"response_body":"x"})"),
      with_response(R"({"response_status":null})"),
      with_response(R"({"response_status":"200"})"),
      with_response(R"({"response_status":200.5})"),
      with_response(R"({"response_status":200.00000000000000000000001})"),
      with_response(R"({"response_status":99.0})"),
      with_response(R"({"response_status":99})"),
      with_response(R"({"response_status":1000})"),
      with_response(R"({"response_status":0})"),
      with_response(R"({"response_status":-200})"),
      with_response(R"({"response_status":65736})"),  // 200 modulo 2^16
      with_response(R"({"response_status":18446744073709551615})"),
      with_response(R"({"response_status":[200]})"),
      with_response(R"({"response_status":true})"),
      with_body("1"),
      with_body("false"),
      with_body("[]"),
      with_body("{}"),
      with_headers("1"),
      with_headers("true"),
      with_headers("\"A: b\""),
      with_headers(R"({"A":"b"})"),
      with_headers("[1]"),
      with_headers("[null]"),
      with_headers("[[]]"),
      with_headers("[\"A: b\"]"),
      with_headers(R"([{"key":"A","value":"b"},1])"),
      with_headers(R"([{"key":1,"value":"b"}])"),
      with_headers(R"([{"key":["A"],"value":"b"}])"),
      with_headers(R"([{"key":{},"value":"b"}])"),
      with_headers(R"([{"key":"A\u0000","value":"b"}])"),
      with_headers(R"([{"key":"A","value":{}}])"),
      with_headers(R"([{"key":"A","value":"\u0000"}])"),
      with_headers(R"([{"key":"A","value":"b\r\nX: c"}])"),
      with_headers(R"([{"key":"A","value":"\r"}])"),
      with_headers(R"([{"key":"A","value":"\n"}])"),
      with_headers(R"([{"key":"A\n","value":"b"}])"),
      with_headers(R"([{"key":"A\r","value":"b"}])"),
      with_headers(R"([{"key":"A","value":["b","c\n"]}])"),
      with_headers(R"([{"key":"A","value":["b\r"]}])"),
      with_headers(R"([{"key":"A","value":[null]}])"),
      with_headers(R"([{"key":"A","value":["b",["c"]]}])"),
      with_headers(R"([{"key":"A","value":["b","c\u0000"]}])"),
  };
  for (const std::string& body : bodies) {
    CAPTURE(body);
    CHECK(put(body));
    const auto as_post = post(body);
    REQUIRE_FALSE(as_post);
    CHECK(as_post.error() == capture_body_error::malformed_payload);
  }
}

TEST_CASE("invalid UTF-8 is replaced byte by byte, and all other bytes are kept") {
  const auto body_of = [](const std::string& bytes) {
    const auto read = post(with_body('"' + bytes + '"'));
    REQUIRE(read);
    return std::get<record_capture>(read->action).response->body;
  };
  const std::string lost = "\xEF\xBF\xBD";
  CHECK(body_of("caf\xE9") == "caf" + lost);
  CHECK(body_of("\xE9 \xC3\xA9 \xF0\x9F\x98\x80") == lost + " \xC3\xA9 \xF0\x9F\x98\x80");
  CHECK(body_of("\x80\xFF\xC0\xAF") == lost + lost + lost + lost);
  CHECK(body_of("\xED\xA0\x80x") == lost + lost + lost + "x");  // half a surrogate pair
  CHECK(body_of("\xF0\x9F\x98") == lost + lost + lost);         // truncated
  CHECK(body_of("\xE9\\u0000\\n") == lost + std::string("\0\n", 2));
}

TEST_CASE("a POST without a response is malformed") {
  for (const std::string_view body :
       {R"({"idempotency_key":"some-key"})", R"({"idempotency_key":"some-key","response":null})"}) {
    const auto made = post(body);
    REQUIRE_FALSE(made);
    CHECK(made.error() == capture_body_error::malformed_payload);
  }
}

TEST_CASE("a missing or invalid key has a different error from a malformed body") {
  const std::string longest(limits::capture_key_characters_max, 'a');
  for (const std::string& key :
       {std::string("\"\""), std::string("\"a\""), std::string("\"abc=\""), std::string("\"a+b/\""),
        std::string("\"ab\\u0000d\""), std::string("null"), '"' + longest + "aa\""}) {
    CAPTURE(key.substr(0, 20));
    const std::string member = R"({"idempotency_key":)" + key;
    const auto as_put = put(member + '}');
    REQUIRE_FALSE(as_put);
    CHECK(as_put.error() == capture_body_error::malformed_key);
    const auto as_post = post(member + R"(,"response":{"response_status":200}})");
    REQUIRE_FALSE(as_post);
    CHECK(as_post.error() == capture_body_error::malformed_key);
  }
  CHECK(put("{}").error() == capture_body_error::malformed_key);
  CHECK(put(R"({"idempotency_key":")" + longest + "\"}"));
}

TEST_CASE("the size of a response is that of its body and headers, not of their JSON") {
  struct row {
    std::string body;
    std::string headers;
    bool fits;
  };
  const auto times = [](std::size_t count, std::string_view text) {
    std::string all;
    while (count-- > 0) all += text;
    return all;
  };
  const row rows[] = {
      {times(100, "x"), "[]", true},
      {times(101, "x"), "[]", false},
      {times(100, "\\u0001"), "[]", true},
      {times(101, "\\u0001"), "[]", false},
      {times(50, "\xC3\xA4"), "[]", true},
      {times(50, "\\u00e4") + "x", "[]", false},
      {times(95, "x"), R"([{"key":"ab","value":"cde"}])", true},
      {times(96, "x"), R"([{"key":"ab","value":"cde"}])", false},
      {times(95, "x"), R"([{"key":"ab","value":["c","","de"]}])", true},
      {times(96, "x"), R"([{"key":"ab","value":["c","","de"]}])", false},
      {"", R"([{"key":")" + times(101, "k") + R"(","value":""}])", false},
  };
  for (const auto& [body, headers, fits] : rows) {
    CAPTURE(body, headers);
    const auto made = post(with_response(R"({"response_status":200,"response_body":")" + body +
                                         R"(","response_headers":)" + headers + '}'));
    REQUIRE(made.has_value() == fits);
    if (!made) CHECK(made.error() == capture_body_error::response_too_large);
  }
}

}  // namespace
}  // namespace ordem::http_edge
