// The header fields about framing, connection and body.
#include "http-edge/protocol/request_header.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <utility>
#include <vector>

namespace ordem::http_edge {
namespace {

namespace http = boost::beast::http;

using header_lines = std::vector<std::pair<std::string_view, std::string_view>>;

request_header header_of(const header_lines& fields, unsigned version = 11, http::verb method = http::verb::post) {
  request_header made;
  made.method(method);
  made.target("/");
  made.version(version);
  for (const auto& [name, value] : fields) made.insert(name, value);
  return made;
}

std::optional<problem> fault_of(header_lines fields, unsigned version = 11) {
  fields.emplace_back("Host", "a");
  const auto found = find_fault(header_of(fields, version));
  return found ? std::optional(found->which) : std::nullopt;
}

TEST_CASE("all lines of Connection decide together whether it stays open, and close wins") {
  struct row {
    header_lines fields;
    bool open_in_1_1;
    bool open_in_1_0;
  };
  const row rows[] = {
      {{}, true, false},
      {{{"Connection", "close"}}, false, false},
      {{{"Connection", "keep-alive"}}, true, true},
      {{{"connection", "Keep-Alive"}}, true, true},
      {{{"Connection", "TE"}, {"Connection", "close"}}, false, false},
      {{{"Connection", "close"}, {"Connection", "TE"}}, false, false},
      {{{"Connection", "TE"}, {"Connection", "keep-alive"}}, true, true},
      {{{"Connection", "keep-alive"}, {"Connection", "close"}}, false, false},
      {{{"Connection", "close"}, {"Connection", "keep-alive"}}, false, false},
      {{{"Connection", " , TE ,\tCLOSE"}}, false, false},
      {{{"Connection", "closed"}}, true, false},
      {{{"Proxy-Connection", "close"}}, true, false},
      {{{"Proxy-Connection", "keep-alive"}}, true, false},
  };
  for (const auto& [fields, open_in_1_1, open_in_1_0] : rows) {
    CAPTURE(fields.size(), fields.empty() ? "" : fields.back().second);
    CHECK(keeps_alive(header_of(fields, 11)) == open_in_1_1);
    CHECK(keeps_alive(header_of(fields, 10)) == open_in_1_0);
  }
}

TEST_CASE("chunked is the only transfer coding, in one line, and HTTP/1.0 has none") {
  CHECK_FALSE(fault_of({{"Transfer-Encoding", "chunked"}}));
  CHECK_FALSE(fault_of({{"Transfer-Encoding", "Chunked"}}));
  CHECK(fault_of({{"Transfer-Encoding", "chunked"}}, 10) == problem::malformed_request);
  CHECK(fault_of({{"Transfer-Encoding", "identity"}}, 10) == problem::malformed_request);
  for (const std::string_view coding : {"", "gzip", "identity", "gzip, chunked", "chunked, gzip", "chunked;q=1"}) {
    CAPTURE(coding);
    CHECK(fault_of({{"Transfer-Encoding", coding}}) == problem::malformed_request);
  }
  CHECK(fault_of({{"Transfer-Encoding", "chunked"}, {"Transfer-Encoding", "chunked"}}) == problem::malformed_request);
  CHECK(fault_of({{"Transfer-Encoding", "gzip"}, {"Transfer-Encoding", "chunked"}}) == problem::malformed_request);
}

TEST_CASE("a request has one Host, with an optional port; HTTP/1.0 needs none") {
  for (const std::string_view host : {"", "a", "a:80", "a:", "my_service.ns.svc:8080", "127.0.0.1:8080", "[::1]",
                                      "[::1]:80", "[fe80::1%25eth0]:80", "a%2db"}) {
    CAPTURE(host);
    CHECK_FALSE(find_fault(header_of({{"Host", host}})));
  }
  for (const std::string_view host :
       {"a b", "a/b", "http://a", "user@a", "a:b", "a:80:80", "[::1", "::1", "[::1]x", "[a b]", "a\"",
        "b\xC3\xBC"
        "cher"}) {
    CAPTURE(host);
    CHECK(find_fault(header_of({{"Host", host}})));
    CHECK(find_fault(header_of({{"Host", host}}, 10)));
  }
  CHECK(find_fault(header_of({})));
  CHECK_FALSE(find_fault(header_of({}, 10)));
  CHECK(find_fault(header_of({{"Host", "a"}, {"Host", "a"}})));
  CHECK(find_fault(header_of({{"Host", "a"}, {"Host", "a"}}, 10)));
}

TEST_CASE("only 100-continue may be expected, and HTTP/1.0 has no expectations") {
  struct row {
    header_lines fields;
    bool is_fault;
    bool waits;
  };
  const row rows[] = {
      {{}, false, false},
      {{{"Expect", ""}}, false, false},
      {{{"Expect", "100-Continue"}}, false, true},
      {{{"Expect", ""}, {"Expect", "100-continue"}}, false, true},
      {{{"Expect", "100-continue, 100-continue"}}, false, true},
      {{{"Expect", "tea"}}, true, false},
      {{{"Expect", "100-continue"}, {"Expect", "tea"}}, true, true},
      {{{"Expect", "tea, 100-continue"}}, true, true},
  };
  for (const auto& [fields, is_fault, waits] : rows) {
    CAPTURE(fields.size(), fields.empty() ? "" : fields.back().second);
    CHECK(fault_of(fields) == (is_fault ? std::optional(problem::expectation_failed) : std::nullopt));
    CHECK(expects_continue(header_of(fields)) == waits);
    CHECK_FALSE(fault_of(fields, 10));
    CHECK_FALSE(expects_continue(header_of(fields, 10)));
  }
}

TEST_CASE("a body with a coding or a range is refused") {
  const auto body_fault_of = [](const header_lines& fields, http::verb method = http::verb::put) {
    const auto found = find_body_fault(header_of(fields, 11, method));
    return found ? std::optional(found->which) : std::nullopt;
  };
  CHECK_FALSE(body_fault_of({}));
  CHECK_FALSE(body_fault_of({{"Content-Encoding", ""}}));
  CHECK_FALSE(body_fault_of({{"Content-Encoding", "Identity"}}));
  CHECK_FALSE(body_fault_of({{"Content-Encoding", "identity, identity"}}));
  CHECK(body_fault_of({{"Content-Encoding", "gzip"}}) == problem::unsupported_media_type);
  CHECK(body_fault_of({{"Content-Encoding", "identity, gzip"}}) == problem::unsupported_media_type);
  CHECK(body_fault_of({{"Content-Encoding", "identity"}, {"Content-Encoding", "br"}}) ==
        problem::unsupported_media_type);
  CHECK(body_fault_of({{"Content-Range", "bytes 0-1/2"}}) == problem::malformed_request);
  CHECK_FALSE(body_fault_of({{"Content-Range", "bytes 0-1/2"}}, http::verb::post));
  CHECK_FALSE(body_fault_of({{"Content-Range", "bytes 0-1/2"}}, http::verb::patch));

  response coded;
  complete_refusal(coded, *find_body_fault(header_of({{"Content-Encoding", "gzip"}})));
  CHECK(coded.headers == "Accept-Encoding: identity\r\n");
  CHECK_FALSE(coded.close);
}

TEST_CASE("fields of a trailer are not added to the header") {
  request_parser parser;
  parser.eager(true);
  const std::string text =
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n"
      "Host: b\r\nIdempotency-Key: k\r\nContent-Type: application/json\r\nIf-Match: \"1\"\r\nConnection: close\r\n"
      "Expect: tea\r\nContent-Encoding: gzip\r\nX-New: 1\r\n\r\n";
  boost::beast::error_code ec;
  std::size_t used = 0;
  while (!ec && !parser.is_done()) used += parser.put(boost::asio::buffer(text) + used, ec);
  REQUIRE_FALSE(ec);
  CHECK(used == text.size());
  const auto& made = parser.get();
  CHECK(made.body().view() == "{}");
  CHECK(std::distance(made.begin(), made.end()) == 2);
  CHECK(made[http::field::host] == "a");
  CHECK(keeps_alive(made));
  CHECK_FALSE(find_fault(made));
  CHECK_FALSE(find_body_fault(made));
}

}  // namespace
}  // namespace ordem::http_edge
