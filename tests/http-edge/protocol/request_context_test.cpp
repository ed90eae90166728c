#include "http-edge/protocol/request_context.hpp"

#include <catch2/catch.hpp>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace ordem::http_edge {
namespace {

constexpr std::string_view valid = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

// `valid` with the text from a place on replaced.
std::string with(std::size_t at, std::string_view text) {
  return std::string(valid).replace(at, text.size(), text);
}

request_context read(const std::vector<std::pair<std::string, std::string>>& fields) {
  request_header header;
  header.insert("Host", "localhost");
  for (const auto& [name, value] : fields) header.insert(name, value);
  request_context found;
  read_request_context(header, found);
  return found;
}

TEST_CASE("traceparent gives the trace, the span and whether it is sampled") {
  const auto parent = parse_trace_parent(valid);
  REQUIRE(parent);
  CHECK(parent->trace_id.front() == 0x0A);
  CHECK(parent->trace_id.back() == 0x9C);
  CHECK(parent->span_id.front() == 0xB7);
  CHECK(parent->span_id.back() == 0x31);
  CHECK(parent->sampled);
}

TEST_CASE("only the lowest flag of traceparent says that the span is sampled") {
  CHECK_FALSE(parse_trace_parent(with(53, "00"))->sampled);
  CHECK_FALSE(parse_trace_parent(with(53, "fe"))->sampled);
  CHECK(parse_trace_parent(with(53, "ff"))->sampled);
}

TEST_CASE("a later version of traceparent is read like version 00, with what follows ignored") {
  for (const std::string& text : {with(0, "01"), with(0, "cc") + "-what-the-future-brings", with(0, "fe") + '-'}) {
    CAPTURE(text);
    CHECK(parse_trace_parent(text) == parse_trace_parent(valid));
  }
}

TEST_CASE("a traceparent that is not valid is ignored") {
  const std::string bad[] = {
      "",
      std::string(valid.substr(0, valid.size() - 1)),
      std::string(valid) + "-",
      std::string(valid) + "-00",
      std::string(valid) + "0",
      std::string(valid) + ",",
      " " + std::string(valid),
      with(0, "ff"),                                // the version that is forbidden
      with(0, "ff") + "-00",                        //
      with(0, "cc") + ".future",                    // no field behind the fourth
      with(0, "0x"),                                // no digits
      with(0, "0-"),                                //
      with(2, "."),                                 // no hyphens
      with(35, "_"),                                //
      with(52, "0"),                                //
      with(3, "00000000000000000000000000000000"),  // all zero
      with(36, "0000000000000000"),                 //
      with(3, "0AF7651916CD43DD8448EB211C80319C"),  // upper case
      with(36, "B7AD6B7169203331"),                 //
      with(53, "0A"),                               //
      with(3, "g"),                                 //
      with(36, std::string_view("\0", 1)),          //
      with(54, "\xFF"),                             //
  };
  for (const std::string& text : bad) {
    CAPTURE(text);
    CHECK_FALSE(parse_trace_parent(text));
  }
}

TEST_CASE("a traceparent that is given twice counts as none") {
  CHECK(read({{"traceparent", std::string(valid)}}).parent);
  CHECK(read({{"TraceParent", std::string(valid)}}).parent);
  CHECK_FALSE(read({{"traceparent", std::string(valid)}, {"traceparent", std::string(valid)}}).parent);
}

TEST_CASE("the lines of tracestate are joined") {
  const auto found = read({{"tracestate", "a=1, b@c=2"}, {"traceparent", std::string(valid)}, {"tracestate", "d=x y"}});
  CHECK(found.trace_state == "a=1, b@c=2,d=x y");
}

TEST_CASE("tracestate is dropped without a parent, and if it is malformed or over a bound") {
  const auto state_with = [](const std::string& parent, const std::string& state) {
    return read({{"traceparent", parent}, {"tracestate", state}}).trace_state;
  };
  const std::string parent(valid);
  CHECK(state_with("00", "a=1").empty());
  for (const char* const bad : {"", ",", "a", "a=", "=1", "A=1", "a=1,b", "a=b=c", "a=\xC3\xA9", "_a=1"}) {
    CAPTURE(bad);
    CHECK(state_with(parent, bad).empty());
  }
  const std::string longest = "a=" + std::string(trace_state_bytes_max - 2, 'x');
  CHECK(state_with(parent, longest) == longest);
  CHECK(state_with(parent, longest + 'x').empty());
  std::string members = "k=1";
  for (std::size_t i = 1; i < trace_state_members_max; ++i) members += ",k=1";
  CHECK(state_with(parent, members) == members);
  CHECK(state_with(parent, members + ",,") == members + ",,");
  CHECK(state_with(parent, members + ",k=1").empty());
  CHECK(read({{"traceparent", parent}, {"tracestate", longest}, {"tracestate", "b=1"}}).trace_state.empty());
}

TEST_CASE("X-Request-Id is kept if it is 1 to 128 visible characters") {
  for (const auto& good : {std::string("x"), std::string("a/b:\"c\",d~!"), std::string(request_id_bytes_max, 'x')}) {
    CAPTURE(good);
    CHECK(read({{"x-request-id", good}}).request_id == good);
  }
  const std::string bad[] = {
      "", "a b", "a\tb", "a\x7F", "a\xC3\xA9", "a\x1B[31m", std::string(request_id_bytes_max + 1, 'x')};
  for (const auto& each : bad) {
    CAPTURE(each);
    CHECK(read({{"X-Request-Id", each}}).request_id.empty());
  }
  CHECK(read({{"X-Request-Id", "a"}, {"X-Request-Id", "a"}}).request_id.empty());
}

TEST_CASE("a request without such headers has an empty context") {
  const auto found = read({{"Idempotency-Key", "k"}, {"X-Request-Idx", "a"}});
  CHECK(found.request_id.empty());
  CHECK_FALSE(found.parent);
  CHECK(found.trace_state.empty());
}

TEST_CASE("generated ids are 32 hexadecimal digits, and all differ, of several generators") {
  std::set<std::string> seen;
  request_id_generator generators[2];
  constexpr int each = 1000;
  for (auto& generator : generators) {
    for (int i = 0; i < each; ++i) {
      std::string id = "of the request before";
      generator.generate(id);
      CHECK(id.size() == 32);
      CHECK(id.find_first_not_of("0123456789abcdef") == std::string::npos);
      seen.insert(std::move(id));
    }
  }
  CHECK(seen.size() == 2 * each);
}

}  // namespace
}  // namespace ordem::http_edge
