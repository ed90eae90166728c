#include "http-edge/operations/problem_pages.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

namespace ordem::http_edge {
namespace {

using codec::problem;
using codec::problem_row;
using codec::problem_table;

// Checks that the tags of an HTML page are balanced.
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
    const codec::retry_advice advice = codec::advice_of(row.retry);
    CHECK(page.find("<p>Retry: <code>" + std::string(advice.key) + "</code>, reason <code>" +
                    std::string(advice.reason) + "</code>. " + std::string(advice.explanation)) != std::string::npos);
  }
}

TEST_CASE("a page escapes characters that have a meaning in HTML") {
  const problem_row row{problem::not_found, "x", 404, 404, codec::retry::never, "a < b & c", "d <script> & e."};
  const std::string page = problem_page(row);
  check_page(page);
  CHECK(page.find("<h1>a &lt; b &amp; c</h1>") != std::string::npos);
  CHECK(page.find("<p>d &lt;script> &amp; e.</p>") != std::string::npos);
}

TEST_CASE("the list of problems links to each of them once") {
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
}  // namespace ordem::http_edge
