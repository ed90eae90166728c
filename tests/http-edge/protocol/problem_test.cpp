#include "http-edge/protocol/problem.hpp"

#include <catch2/catch.hpp>
#include <set>
#include <vector>

namespace ordem::edge {
namespace {

// The tags of an HTML page, opened and closed in turn; fails where they do not match.
void check_tags(const std::string& page) {
  std::vector<std::string> open;
  for (auto at = page.find('<'); at != std::string::npos; at = page.find('<', at + 1)) {
    const auto end = page.find('>', at);
    REQUIRE(end != std::string::npos);
    const std::string tag = page.substr(at + 1, end - at - 1);
    REQUIRE_FALSE(tag.empty());
    const std::string name = tag.substr(0, tag.find(' '));
    if (name == "!doctype" || name == "meta") continue;
    if (name.front() != '/') {
      open.push_back(name);
      continue;
    }
    REQUIRE_FALSE(open.empty());
    CHECK("/" + open.back() == name);
    open.pop_back();
  }
  CHECK(open.empty());
}

void check_page(const std::string& page) {
  CHECK(page.starts_with("<!doctype html>\n<html lang=\"en\">"));
  CHECK(page.ends_with("</html>\n"));
  CHECK(page.find("<meta charset=\"utf-8\">") != std::string::npos);
  CHECK(page.find("<title>") == page.rfind("<title>"));
  CHECK(page.find("<h1>") == page.rfind("<h1>"));
  check_tags(page);
}

TEST_CASE("every problem has a row, found by its number and by its slug") {
  for (const problem_row& row : problem_table()) {
    CAPTURE(row.slug);
    CHECK(&row_of(row.which) == &row);
    CHECK(find_problem(row.slug) == &row);
  }
  CHECK(problem_table().size() == 32);
  CHECK(find_problem("") == nullptr);
  CHECK(find_problem("guid") == nullptr);
  CHECK(find_problem("Guid-Missing") == nullptr);
}

TEST_CASE("slugs and titles are unique") {
  std::set<std::string_view> slugs;
  std::set<std::string_view> titles;
  for (const problem_row& row : problem_table()) {
    CHECK(slugs.insert(row.slug).second);
    CHECK(titles.insert(row.title).second);
  }
}

TEST_CASE("a slug fits into a path as it is") {
  for (const problem_row& row : problem_table()) {
    CAPTURE(row.slug);
    CHECK_FALSE(row.slug.empty());
    CHECK(row.slug.find_first_not_of("abcdefghijklmnopqrstuvwxyz-") == std::string_view::npos);
  }
}

TEST_CASE("every problem has the status and the code of the contract") {
  struct row {
    std::string_view slug;
    unsigned status;
    unsigned code;
  };
  constexpr row rows[] = {
      {"guid-missing", 400, 400},         {"guid-malformed", 400, 400},     {"guid-mismatch", 400, 400},
      {"guid-reused", 422, 422},          {"request-in-flight", 409, 409},  {"version-required", 428, 428},
      {"version-malformed", 400, 400},    {"version-mismatch", 400, 400},   {"stale-version", 409, 3043},
      {"status-not-allowed", 409, 3044},  {"order-closed", 409, 3045},      {"malformed-json", 400, 400},
      {"invalid-order", 422, 422},        {"malformed-query", 400, 400},    {"unsupported-media-type", 415, 415},
      {"body-too-large", 413, 413},       {"order-not-found", 404, 404},    {"version-not-found", 404, 404},
      {"message-not-found", 404, 404},    {"not-found", 404, 404},          {"method-not-allowed", 405, 405},
      {"malformed-request", 400, 400},    {"expectation-failed", 417, 417}, {"headers-too-large", 431, 431},
      {"request-timeout", 408, 408},      {"recovering", 503, 503},         {"overloaded", 503, 503},
      {"too-many-connections", 503, 503}, {"read-only", 503, 503},          {"storage-failed", 503, 503},
      {"persistence-behind", 503, 503},   {"draining", 503, 503},
  };
  CHECK(std::size(rows) == problem_table().size());
  for (const auto& [slug, status, code] : rows) {
    CAPTURE(slug);
    const problem_row* found = find_problem(slug);
    REQUIRE(found != nullptr);
    CHECK(found->status == status);
    CHECK(found->code == code);
  }
}

TEST_CASE("stale data has the title that clients of the replaced services wait for") {
  CHECK(row_of(problem::stale_version).title == "data is out of date");
}

TEST_CASE("a problem's body is pinned") {
  CHECK(problem_body(row_of(problem::guid_missing), 400, "no \"GUID\"") ==
        R"({"type":"/problems/guid-missing","title":"the request has no GUID","status":400,)"
        R"("detail":"no \"GUID\"","code":400,"message":"the request has no GUID"})");
}

TEST_CASE("a problem's code is its own number where it has one, else the status of the answer") {
  CHECK(problem_body(row_of(problem::stale_version), 412, "d", ",\"current_version\":2") ==
        R"({"type":"/problems/stale-version","title":"data is out of date","status":412,)"
        R"("detail":"d","code":3043,"message":"data is out of date","current_version":2})");
  CHECK(problem_body(row_of(problem::guid_reused), 409, "d").find(R"("status":409,"detail":"d","code":409,)") !=
        std::string::npos);
}

TEST_CASE("every problem has a page that explains it") {
  for (const problem_row& row : problem_table()) {
    CAPTURE(row.slug);
    CHECK_FALSE(row.title.empty());
    CHECK(row.explanation.size() > 40);
    CHECK(row.explanation.ends_with('.'));
    const std::string page = problem_page(row);
    check_page(page);
    CHECK(page.find("<h1>" + std::string(row.title) + "</h1>") != std::string::npos);
    CHECK(page.find("<code>" + std::to_string(row.status) + "</code>") != std::string::npos);
    CHECK(page.find("<code>" + std::to_string(row.code) + "</code>") != std::string::npos);
    CHECK(page.find(row.explanation.substr(0, 20)) != std::string::npos);
  }
}

TEST_CASE("a page escapes what HTML would take for its own") {
  const problem_row row{problem::not_found, "x", 404, 404, "a < b & c", "d <script> & e."};
  const std::string page = problem_page(row);
  check_page(page);
  CHECK(page.find("<h1>a &lt; b &amp; c</h1>") != std::string::npos);
  CHECK(page.find("<p>d &lt;script> &amp; e.</p>") != std::string::npos);
}

TEST_CASE("the list of problems leads to each of them once") {
  const std::string page = problem_list_page();
  check_page(page);
  for (const problem_row& row : problem_table()) {
    CAPTURE(row.slug);
    const std::string link = "<a href=\"/problems/" + std::string(row.slug) + "\">";
    const auto at = page.find(link);
    CHECK(at != std::string::npos);
    CHECK(page.find(link, at + 1) == std::string::npos);
  }
}

}  // namespace
}  // namespace ordem::edge
