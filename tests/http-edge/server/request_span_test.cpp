#include "http-edge/server/request_span.hpp"

#include <catch2/catch.hpp>
#include <map>
#include <string>
#include <utility>
#include <variant>

#include "tests/engine/orders.hpp"
#include "tests/support_cpp/captures.hpp"

namespace ordem::http_edge {
namespace {

using namespace testing;
using boost::beast::http::field;
using boost::beast::http::verb;

using attributes = std::map<std::string, std::variant<std::int64_t, std::string>>;

attributes attributes_of(const span_record& span) {
  attributes found;
  for (const span_attribute& each : span.attributes) CHECK(found.emplace(each.name, each.value).second);
  return found;
}

shared_trace some_trace() {
  auto made = std::make_shared<request_trace>();
  made->request = {{1}, {2}};
  made->parent = span_id{3};
  made->trace_state = "a=1";
  return made;
}

request_header header_of(verb method, std::string_view host) {
  request_header header;
  header.method(method);
  header.version(11);
  if (!host.empty()) header.set(field::host, host);
  return header;
}

TEST_CASE("the span of a request has the attributes of the semantic conventions") {
  const auto start = request_span::clock::now();
  request_span request(some_trace(), start);
  const auto header = header_of(verb::put, "orders.example:8443");
  const auto span =
      request.end({.header = header, .to = resource::order, .by_tls = true, .request_id = "r1", .status = 200});
  CHECK(span.name == "PUT /api/v1/orders/{id}");
  CHECK(span.kind == span_kind::server);
  CHECK(span.context == span_context{{1}, {2}});
  CHECK(span.parent == span_id{3});
  CHECK(span.trace_state == "a=1");
  CHECK(span.start == start);
  CHECK(span.end >= start);
  CHECK_FALSE(span.failed);
  CHECK(attributes_of(span) == attributes{{"http.request.method", "PUT"},
                                          {"http.route", "/api/v1/orders/{id}"},
                                          {"http.response.status_code", 200},
                                          {"url.scheme", "https"},
                                          {"network.protocol.version", "1.1"},
                                          {"server.address", "orders.example"},
                                          {"server.port", 8443},
                                          {"ordem.request_id", "r1"}});
}

TEST_CASE("only an error of the server fails the span") {
  for (const unsigned status : {400U, 404U, 429U, 499U, 500U, 503U}) {
    const auto header = header_of(verb::get, "");
    const auto span = request_span(some_trace(), {}).end({.header = header, .to = resource::order, .status = status});
    CAPTURE(status);
    CHECK(span.failed == (status >= 500));
    CHECK(attributes_of(span).contains("error.type") == (status >= 500));
  }
}

TEST_CASE("a method or path that is not known does not become a name") {
  request_header header;
  header.method_string("SECRET-1");
  header.version(10);
  const auto span = request_span(some_trace(), {}).end({.header = header, .to = resource::unknown, .status = 404});
  CHECK(span.name == "HTTP");
  const auto found = attributes_of(span);
  CHECK(found.at("http.request.method") == attributes::mapped_type("_OTHER"));
  CHECK(found.at("network.protocol.version") == attributes::mapped_type("1.0"));
  CHECK_FALSE(found.contains("http.route"));
  const auto known = header_of(verb::get, "");
  CHECK(request_span(some_trace(), {}).end({.header = known, .to = resource::unknown, .status = 404}).name == "GET");
}

TEST_CASE("the server's address is that of Host, without its port") {
  const std::map<std::string, std::pair<std::string, std::int64_t>> hosts = {
      {"a:1", {"a", 1}}, {"a", {"a", -1}}, {"[::1]:80", {"[::1]", 80}}, {"[::1]", {"[::1]", -1}}, {"a:x", {"a", -1}}};
  for (const auto& [host, expected] : hosts) {
    const auto header = header_of(verb::get, host);
    const auto found =
        attributes_of(request_span(some_trace(), {}).end({.header = header, .to = resource::order, .status = 200}));
    CAPTURE(host);
    CHECK(found.at("server.address") == attributes::mapped_type(expected.first));
    CHECK(found.contains("server.port") == (expected.second >= 0));
    if (expected.second >= 0) CHECK(found.at("server.port") == attributes::mapped_type(expected.second));
  }
}

// printf %s some-key | sha256sum
TEST_CASE("a key is in the span by the begin of its SHA-256") {
  request_span request(some_trace(), {});
  request.note_key(allocation(key_of("some-key")));
  const auto header = header_of(verb::put, "");
  const auto span = request.end({.header = header, .to = resource::captures, .status = 202});
  CHECK(attributes_of(span).at("ordem.key_hash") == attributes::mapped_type("682f6697fa93eca6"));
}

}  // namespace
}  // namespace ordem::http_edge
