#include "http-edge/protocol/response.hpp"

#include <catch2/catch.hpp>
#include <ctime>

#include "tests/http-edge/responses.hpp"

namespace ordem::http_edge {
namespace {

using testing::header_of;
using testing::slug_of;

struct wire {
  std::string text;  // with the date as DATE
  bool stays_open;
};

wire written(const response& what, wire_options options = {}) {
  std::string out;
  const bool stays_open = append_response(out, what, options);
  constexpr std::string_view name = "\r\nDate: ";
  constexpr std::string_view form = "Sun, 06 Nov 1994 08:49:37 GMT";
  const auto at = out.find(name);
  REQUIRE(at != std::string::npos);
  return {out.replace(at + name.size(), form.size(), "DATE"), stays_open};
}

TEST_CASE("a response has the date, the length and the type, and the connection stays open") {
  response what = json_response(201, R"({"a":1})");
  what.add_header("ETag", "\"1\"");
  what.add_header("Location", "/x");
  const auto [text, stays_open] = written(what);
  CHECK(text ==
        "HTTP/1.1 201 Created\r\nDate: DATE\r\nContent-Length: 7\r\nContent-Type: application/json\r\n"
        "X-Content-Type-Options: nosniff\r\nETag: \"1\"\r\nLocation: /x\r\n\r\n{\"a\":1}");
  CHECK(stays_open);
}

TEST_CASE("a response is appended to earlier ones") {
  std::string out = "before";
  append_response(out, json_response(200, "{}"), {});
  CHECK(out.starts_with("beforeHTTP/1.1 200 OK\r\n"));
}

TEST_CASE("the response to a HEAD is that to the GET without its body") {
  const auto got = written(json_response(200, R"({"a":1})"));
  const auto headed = written(json_response(200, R"({"a":1})"), {.head = true});
  CHECK(got.text == headed.text + R"({"a":1})");
  CHECK(headed.stays_open);
}

TEST_CASE("a 304 has neither length, nor type, nor body") {
  response unchanged;
  unchanged.status = 304;
  unchanged.add_header("ETag", "\"3\"");
  CHECK(written(unchanged).text ==
        "HTTP/1.1 304 Not Modified\r\nDate: DATE\r\nX-Content-Type-Options: nosniff\r\nETag: \"3\"\r\n\r\n");
}

TEST_CASE("a 204 has neither length, nor type, nor body") {
  response gone;
  gone.status = 204;
  gone.add_header("Ordem-Position", "7");
  CHECK(written(gone).text ==
        "HTTP/1.1 204 No Content\r\nDate: DATE\r\nX-Content-Type-Options: nosniff\r\nOrdem-Position: 7\r\n\r\n");
  CHECK(written(gone).stays_open);
}

TEST_CASE("an empty body has a length of 0 and no type") {
  CHECK(written(json_response(200, "")).text ==
        "HTTP/1.1 200 OK\r\nDate: DATE\r\nContent-Length: 0\r\nX-Content-Type-Options: nosniff\r\n\r\n");
}

TEST_CASE("a response has the id of its request") {
  CHECK(
      written(json_response(200, ""), {.request_id = "a/1"}).text ==
      "HTTP/1.1 200 OK\r\nDate: DATE\r\nContent-Length: 0\r\nX-Content-Type-Options: nosniff\r\nX-Request-Id: a/1\r\n\r\n");
}

TEST_CASE("a connection closes if the client or the response asks for it, with Connection: close") {
  struct row {
    bool keep_alive;
    bool close;
    bool http_1_0;
    bool stays_open;
    std::string_view line;
  };
  constexpr row rows[] = {
      {true, false, false, true, ""},
      {true, true, false, false, "Connection: close\r\n"},
      {false, false, false, false, "Connection: close\r\n"},
      {false, true, false, false, "Connection: close\r\n"},
      {true, false, true, true, "Connection: keep-alive\r\n"},
      {true, true, true, false, "Connection: close\r\n"},
      {false, false, true, false, "Connection: close\r\n"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.keep_alive, row.close, row.http_1_0);
    response what = json_response(200, "{}");
    what.close = row.close;
    const auto [text, stays_open] = written(what, {.keep_alive = row.keep_alive, .http_1_0 = row.http_1_0});
    CHECK(stays_open == row.stays_open);
    CHECK(text ==
          "HTTP/1.1 200 OK\r\nDate: DATE\r\nContent-Length: 2\r\nContent-Type: application/json\r\n"
          "X-Content-Type-Options: nosniff\r\n" +
              std::string(row.line) + "\r\n{}");
  }
}

TEST_CASE("the head of a chunked response has no length, and says whether the connection closes") {
  const auto head = [](bool keep_alive, std::string_view id = {}) {
    std::string out;
    CHECK(append_chunked_head(out, "application/x-ndjson", keep_alive, id) == keep_alive);
    const auto date = out.find("Date: ") + 6;
    return out.replace(date, out.find("\r\n", date) - date, "DATE");
  };
  const std::string lines =
      "HTTP/1.1 200 OK\r\nDate: DATE\r\nContent-Type: application/x-ndjson\r\n"
      "X-Content-Type-Options: nosniff\r\nTransfer-Encoding: chunked\r\n";
  CHECK(head(true) == lines + "\r\n");
  CHECK(head(false) == lines + "Connection: close\r\n\r\n");
  CHECK(head(false, "a/1") == lines + "X-Request-Id: a/1\r\nConnection: close\r\n\r\n");
}

TEST_CASE("every status in use has its reason phrase") {
  struct row {
    unsigned status;
    std::string_view line;
  };
  constexpr row rows[] = {
      {200, "200 OK"},
      {201, "201 Created"},
      {202, "202 Accepted"},
      {204, "204 No Content"},
      {304, "304 Not Modified"},
      {400, "400 Bad Request"},
      {403, "403 Forbidden"},
      {404, "404 Not Found"},
      {405, "405 Method Not Allowed"},
      {408, "408 Request Timeout"},
      {409, "409 Conflict"},
      {412, "412 Precondition Failed"},
      {413, "413 Payload Too Large"},
      {415, "415 Unsupported Media Type"},
      {422, "422 Unprocessable Entity"},
      {428, "428 Precondition Required"},
      {431, "431 Request Header Fields Too Large"},
      {503, "503 Service Unavailable"},
  };
  for (const auto& [status, line] : rows) {
    CAPTURE(status);
    CHECK(written(json_response(status, "")).text.starts_with("HTTP/1.1 " + std::string(line) + "\r\n"));
  }
}

TEST_CASE("the date is the current one") {
  std::string out;
  const std::time_t before = std::time(nullptr);
  append_response(out, json_response(200, ""), {});
  const std::time_t after = std::time(nullptr);
  std::tm parts{};
  REQUIRE(strptime(out.c_str() + out.find("Date: "), "Date: %a, %d %b %Y %H:%M:%S GMT", &parts) != nullptr);
  const std::time_t written_at = timegm(&parts);
  CHECK(written_at >= before);
  CHECK(written_at <= after);
}

TEST_CASE("Retry-After is sent with every problem that should be retried later, and no other") {
  for (const codec::problem_row& row : codec::problem_table()) {
    CAPTURE(row.slug);
    const response what = problem_response(row.which, "why");
    CHECK(what.status == row.status);
    CHECK(slug_of(what) == row.slug);
    CHECK_FALSE(what.close);
    const bool comes_again = row.status == 503 || row.status == 429 || row.which == problem::request_in_flight;
    CHECK(header_of(what, "Retry-After").has_value() == comes_again);
  }
}

TEST_CASE("a problem may have a status other than that of its row") {
  const response what = problem_response(problem::stale_version, 412, "why");
  CHECK(what.status == 412);
  CHECK(what.body.find(R"("status":412,)") != std::string::npos);
}

}  // namespace
}  // namespace ordem::http_edge
