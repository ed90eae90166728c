#include "engine/codec/problem.hpp"

#include <catch2/catch.hpp>
#include <set>
#include <string>

namespace ordem::codec {
namespace {

TEST_CASE("every problem has a row, found by its number and by its slug") {
  for (const problem_row& row : problem_table()) {
    CAPTURE(row.slug);
    CHECK(&row_of(row.which) == &row);
    CHECK(find_problem(row.slug) == &row);
  }
  CHECK(problem_table().size() == 40);
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
      {"guid-missing", 400, 400},       {"guid-malformed", 400, 400},
      {"guid-mismatch", 400, 400},      {"guid-reused", 422, 422},
      {"request-in-flight", 409, 409},  {"version-required", 428, 428},
      {"version-malformed", 400, 400},  {"version-mismatch", 400, 400},
      {"stale-version", 409, 3043},     {"status-not-allowed", 409, 3044},
      {"order-closed", 409, 3045},      {"malformed-json", 400, 400},
      {"not-ndjson", 400, 400},         {"invalid-order", 422, 422},
      {"malformed-query", 400, 400},    {"unsupported-media-type", 415, 415},
      {"body-too-large", 413, 413},     {"order-not-found", 404, 404},
      {"version-not-found", 404, 404},  {"message-not-found", 404, 404},
      {"not-found", 404, 404},          {"method-not-allowed", 405, 405},
      {"malformed-request", 400, 400},  {"expectation-failed", 417, 417},
      {"headers-too-large", 431, 431},  {"request-timeout", 408, 408},
      {"unauthenticated", 401, 401},    {"forbidden", 403, 403},
      {"forbidden-origin", 403, 403},   {"misdirected-request", 421, 421},
      {"rate-limited", 429, 429},       {"backup-running", 409, 409},
      {"backup-refused", 422, 422},     {"recovering", 503, 503},
      {"overloaded", 503, 503},         {"too-many-connections", 503, 503},
      {"read-only", 503, 503},          {"storage-failed", 503, 503},
      {"persistence-behind", 503, 503}, {"draining", 503, 503},
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

TEST_CASE("stale data has the title that clients of the replaced services expect") {
  CHECK(row_of(problem::stale_version).title == "data is out of date");
}

TEST_CASE("a problem's body is pinned") {
  CHECK(problem_body(row_of(problem::guid_missing), 400, "no \"GUID\"") ==
        R"({"type":"/problems/guid-missing","title":"the request has no GUID","status":400,)"
        R"("detail":"no \"GUID\"","code":400,"message":"the request has no GUID"})");
}

TEST_CASE("the code of a problem is that of its row, or the status of the response") {
  CHECK(problem_body(row_of(problem::stale_version), 412, "d", ",\"current_version\":2") ==
        R"({"type":"/problems/stale-version","title":"data is out of date","status":412,)"
        R"("detail":"d","code":3043,"message":"data is out of date","current_version":2})");
  CHECK(problem_body(row_of(problem::guid_reused), 409, "d").find(R"("status":409,"detail":"d","code":409,)") !=
        std::string::npos);
}

}  // namespace
}  // namespace ordem::codec
