// The lines of the request log, and texts that must not break them.

#include "app/observability/request_log.hpp"

#include <catch2/catch.hpp>
#include <cstdint>
#include <string>

#include "app/observability/log_text.hpp"
#include "engine/base/text.hpp"

namespace ordem::app {
namespace {

using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

std::string logged(std::string_view bytes, std::size_t bytes_max = 1000) {
  std::string line;
  append_log_string(line, bytes, bytes_max);
  return line;
}

std::string utf8_of(std::uint32_t c) {
  const auto tail = [c](unsigned shift) { return static_cast<char>(0x80 | (c >> shift & 0x3F)); };
  if (c < 0x80) return {static_cast<char>(c)};
  if (c < 0x800) return {static_cast<char>(0xC0 | c >> 6), tail(0)};
  return {static_cast<char>(0xE0 | c >> 12), tail(6), tail(0)};
}

// --- text ---

TEST_CASE("text without special characters stays as it is in a log") {
  CHECK(logged("plain, caf\xC3\xA9, \xF0\x9F\x93\xA6") == "\"plain, caf\xC3\xA9, \xF0\x9F\x93\xA6\"");
  CHECK(logged("") == "\"\"");
}

TEST_CASE("characters that end a line, control a terminal or turn text around are escaped in a log") {
  CHECK(logged("a\r\nb") == "\"a\\u000d\\u000ab\"");
  CHECK(logged("\x1B[31m") == "\"\\u001b[31m\"");
  CHECK(logged(std::string_view("\0", 1)) == "\"\\u0000\"");
  CHECK(logged("\x7F") == "\"\\u007f\"");
  CHECK(logged("\xC2\x9B"
               "31m") == "\"\\u009b31m\"");
  CHECK(logged("\xE2\x80\xA8\xE2\x80\xAE") == "\"\\u2028\\u202e\"");
  CHECK(logged("\"\\") == "\"\\\"\\\\\"");
}

TEST_CASE("no character below U+10000 leaves a control character in a log") {
  for (std::uint32_t c = 0; c < 0x10000; ++c) {
    if (c >= 0xD800 && c < 0xE000) continue;  // surrogates are no characters
    const std::string line = logged(utf8_of(c));
    const bool is_plain = line.size() == utf8_of(c).size() + 2;
    const bool is_control = c < 0x20 || (c >= 0x7F && c <= 0x9F) || c == 0x61C || c == 0x200E || c == 0x200F ||
                            (c >= 0x2028 && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
    const bool is_as_expected = is_plain == (!is_control && c != '"' && c != '\\');
    if (!is_as_expected) FAIL(c);
  }
}

TEST_CASE("bytes that are no UTF-8 are replaced in a log, each of them") {
  for (int byte = 0x80; byte < 0x100; ++byte) {
    CHECK(logged(std::string("a") + static_cast<char>(byte) + "b") ==
          "\"a\xEF\xBF\xBD"
          "b\"");
  }
  CHECK(logged("\xC2") == "\"\xEF\xBF\xBD\"");
  CHECK(logged("\xED\xA0\x80") == "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"");  // a surrogate
}

TEST_CASE("text is cut at its bound between two characters in a log") {
  CHECK(logged("abcdef", 3) == "\"abc...\"");
  CHECK(logged("ab\xC3\xA9", 3) == "\"ab...\"");
}

// --- lines ---

struct request_log_test {
  http_edge::request_context context;
  ordem::origin origin;
  http_edge::logged_request request{.context = context, .origin = origin};

  request_log_test() {
    context.request_id = "id-1";
    request.to = http_edge::resource::orders;
    request.method = "POST";
    request.address = "10.0.0.7";
    request.status = 201;
  }
  std::string line() const { return request_line(request, timestamp(milliseconds(1'700'000'000'123))); }
};

TEST_CASE_METHOD(request_log_test, "a line of the request log has what is known about the request") {
  request.bytes_in = 300;
  request.bytes_out = 700;
  request.total = std::chrono::microseconds(1500);
  request.receive = std::chrono::microseconds(20);
  request.engine = std::chrono::microseconds(1300);
  request.send = std::chrono::microseconds(15);
  CHECK(line() == R"({"time":"2023-11-14T22:13:20.123Z","level":"info","message":"request","request_id":"id-1",)"
                  R"("route":"/api/v1/orders","method":"POST","status":201,"address":"10.0.0.7",)"
                  R"("bytes_in":300,"bytes_out":700,"total_us":1500,"receive_us":20,"engine_us":1300,"send_us":15})");
}

TEST_CASE_METHOD(request_log_test, "a line of the request log names the identity, the trace and the problem") {
  context.parent = http_edge::parse_trace_parent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
  origin = {"shop", "till-7"};
  request.status = 412;
  request.problem = codec::problem::stale_version;
  request.detail = "it is \"old\"";
  CHECK_THAT(line(), Contains(R"("level":"warning",)"));
  CHECK_THAT(line(), Contains(R"("trace_id":"0af7651916cd43dd8448eb211c80319c",)"));
  CHECK_THAT(line(), Contains(R"("status":412,"problem":"stale-version","detail":"it is \"old\"",)"));
  CHECK_THAT(line(), Contains(R"("tenant":"shop","actor":"till-7",)"));
}

TEST_CASE_METHOD(request_log_test,
                 "a line of the request log says what became of a batch, and that a response was cut") {
  request.lines = {1000, 3};
  request.cut = true;
  CHECK_THAT(line(), Contains(R"("lines":1000,"lines_refused":3,"cut":true,)"));
  request.status = std::nullopt;
  CHECK_THAT(line(), Contains(R"("status":null,)"));
}

TEST_CASE_METHOD(request_log_test, "the longest line of the request log is written by one system call") {
  const std::string controls(100'000, '\x01');
  const std::string quotes(http_edge::request_id_bytes_max, '"');
  context.request_id = quotes;
  context.parent = http_edge::parse_trace_parent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
  origin = {controls, controls};
  request.to = http_edge::resource::order_version;
  request.method = controls;
  request.address = controls;
  request.problem = codec::problem::unsupported_media_type;
  request.detail = controls;
  request.lines = {UINT64_MAX, UINT64_MAX};
  request.cut = true;
  request.bytes_in = request.bytes_out = UINT64_MAX;
  request.total = request.receive = request.engine = request.send = std::chrono::microseconds::max();
  CHECK(line().size() < line_writer::atomic_bytes_max);
  CHECK(is_utf8(line()));
}

TEST_CASE_METHOD(request_log_test, "errors are refused requests, cut responses and batches with a refused line") {
  const auto is_error = [this] {
    CHECK(is_logged(request, request_log_level::all));
    CHECK_FALSE(is_logged(request, request_log_level::off));
    return is_logged(request, request_log_level::errors);
  };
  CHECK_FALSE(is_error());
  for (const unsigned status : {200U, 304U, 399U}) {
    request.status = status;
    CHECK_FALSE(is_error());
  }
  for (const unsigned status : {400U, 409U, 503U}) {
    request.status = status;
    CHECK(is_error());
  }
  request.status = 200;
  request.lines = {10, 0};
  CHECK_FALSE(is_error());
  request.lines = {10, 1};
  CHECK(is_error());
  request.lines.reset();
  request.cut = true;
  CHECK(is_error());
}

}  // namespace
}  // namespace ordem::app
