// The files of the console, through the handler.
#include "http-edge/console/console_handler.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <set>
#include <string>

#include "http-edge/console/console_files.hpp"
#include "tests/http-edge/exchange.hpp"

namespace ordem::http_edge {
namespace {

using namespace testing;

std::string console_path_of(std::string_view file) {
  return "/console/" + std::string(file);
}

TEST_CASE("every file of the console has a type, a tag of its own and the headers, whatever the state of the server") {
  const service_state state =
      GENERATE(service_state::recovering, service_state::ready, service_state::read_only, service_state::draining);
  exchange with_server(state);
  std::set<std::string> tags;
  for (const auto& file : embedded::console_files) {
    CAPTURE(file.name);
    const response got = with_server.get(console_path_of(file.name));
    CHECK(got.status == 200);
    CHECK(got.body == file.content);
    CHECK(got.content_type == console_media_type(file.name));
    CHECK(got.content_type != "application/octet-stream");
    CHECK(header_of(got, "Cache-Control") == "no-cache");
    const auto policy = header_of(got, "Content-Security-Policy");
    REQUIRE(policy);
    for (const std::string_view part :
         {"default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'", "form-action 'none'",
          "frame-ancestors 'none'", "base-uri 'none'", "trusted-types 'none'"}) {
      CHECK(policy->find(part) != std::string::npos);
    }
    CHECK(policy->find("unsafe") == std::string::npos);
    tags.insert(header_of(got, "ETag").value_or(""));
    CHECK(with_server.answer(request(verb::head, console_path_of(file.name))).status == 200);
  }
  CHECK(tags.size() == embedded::console_files.size());
  CHECK_FALSE(tags.contains(""));
}

TEST_CASE("the console's page is at its path, with a slash at the end") {
  exchange with_server;
  const response page = with_server.get("/console/");
  CHECK(page.status == 200);
  CHECK(page.content_type == "text/html; charset=utf-8");
  CHECK(page.body == with_server.get("/console/index.html").body);
  const response moved = with_server.get("/console");
  CHECK(moved.status == 308);
  CHECK(header_of(moved, "Location") == "console/");
  CHECK(moved.body.empty());
}

TEST_CASE("a file that has not changed is not sent again") {
  exchange with_server;
  const auto tag = header_of(with_server.get("/console/"), "ETag");
  REQUIRE(tag);
  CHECK(tag->size() == 18);
  for (const std::string& value : {*tag, "W/" + *tag, "\"other\", " + *tag, std::string("*")}) {
    CAPTURE(value);
    const response got = with_server.answer(request(verb::get, "/console/").header("If-None-Match", value));
    CHECK(got.status == 304);
    CHECK(got.body.empty());
    CHECK(header_of(got, "ETag") == tag);
  }
  for (const std::string& value : {std::string("\"other\""), tag->substr(1, 16), std::string()}) {
    CAPTURE(value);
    CHECK(with_server.answer(request(verb::get, "/console/").header("If-None-Match", value)).status == 200);
  }
}

TEST_CASE("what is no file of the console is not found, and nothing writes to it") {
  exchange with_server;
  for (const char* target : {"/console/nothing.js", "/console/INDEX.HTML", "/console/..%2Findex.html",
                             "/console/index.html/x", "/console//index.html", "/consoles"}) {
    CAPTURE(target);
    CHECK(slug_of(with_server.get(target)) == "not-found");
  }
  const response wrong = with_server.answer(request(verb::post, "/console/"));
  CHECK(wrong.status == 405);
  CHECK(header_of(wrong, "Allow") == "GET, HEAD");
  CHECK(slug_of(with_server.get("/console/?x=y")) == "malformed-query");
}

TEST_CASE("the types of the console's files") {
  CHECK(console_media_type("index.html") == "text/html; charset=utf-8");
  CHECK(console_media_type("app.js") == "text/javascript; charset=utf-8");
  CHECK(console_media_type("style.css") == "text/css; charset=utf-8");
  CHECK(console_media_type("icon.svg") == "image/svg+xml");
  CHECK(console_media_type("html") == "application/octet-stream");
}

}  // namespace
}  // namespace ordem::http_edge
