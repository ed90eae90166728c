#include "engine/codec/problem.hpp"

#include <catch2/catch.hpp>
#include <set>
#include <string>
#include <vector>

#include "engine/codec/message_json.hpp"

namespace ordem::codec {
namespace {

TEST_CASE("every problem has a row, found by its number and by its slug") {
  for (const problem_row& row : problem_table()) {
    CAPTURE(row.slug);
    CHECK(&row_of(row.which) == &row);
    CHECK(find_problem(row.slug) == &row);
  }
  CHECK(problem_table().size() == 42);
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
      {"guid-missing", 400, 400},
      {"guid-malformed", 400, 400},
      {"guid-mismatch", 400, 400},
      {"guid-reused", 422, 422},
      {"request-in-flight", 409, 409},
      {"version-required", 428, 428},
      {"version-malformed", 400, 400},
      {"version-mismatch", 400, 400},
      {"stale-version", 409, 3043},
      {"status-not-allowed", 409, 3044},
      {"order-closed", 409, 3045},
      {"malformed-json", 400, 400},
      {"not-ndjson", 400, 400},
      {"invalid-order", 422, 422},
      {"malformed-query", 400, 400},
      {"unsupported-media-type", 415, 415},
      {"body-too-large", 413, 413},
      {"order-not-found", 404, 404},
      {"version-not-found", 404, 404},
      {"message-not-found", 404, 404},
      {"position-trimmed", 410, 410},
      {"not-found", 404, 404},
      {"method-not-allowed", 405, 405},
      {"malformed-request", 400, 400},
      {"expectation-failed", 417, 417},
      {"headers-too-large", 431, 431},
      {"request-timeout", 408, 408},
      {"unauthenticated", 401, 401},
      {"forbidden", 403, 403},
      {"forbidden-origin", 403, 403},
      {"misdirected-request", 421, 421},
      {"rate-limited", 429, 429},
      {"backup-running", 409, 409},
      {"backup-refused", 422, 422},
      {"recovering", 503, 503},
      {"overloaded", 503, 503},
      {"too-many-connections", 503, 503},
      {"read-only", 503, 503},
      {"storage-failed", 503, 503},
      {"persistence-behind", 503, 503},
      {"no-owner", 503, 503},
      {"draining", 503, 503},
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
        R"("detail":"no \"GUID\"","code":400,"message":"the request has no GUID",)"
        R"("retry":"new-key","retry_reason":"correct-request"})");
}

TEST_CASE("the code of a problem is that of its row, or the status of the response") {
  CHECK(problem_body(row_of(problem::stale_version), 412, "d", ",\"current_version\":2") ==
        R"({"type":"/problems/stale-version","title":"data is out of date","status":412,)"
        R"("detail":"d","code":3043,"message":"data is out of date",)"
        R"("retry":"new-key","retry_reason":"key-used","current_version":2})");
  CHECK(problem_body(row_of(problem::guid_reused), 409, "d").find(R"("status":409,"detail":"d","code":409,)") !=
        std::string::npos);
}

// The advice of the problem of a recorded rejection, of a refusal and of what the edge finds differs in one thing: what
// the key is worth afterwards.
TEST_CASE("each row says what a client may retry, and with which key") {
  struct row {
    std::string_view key;
    std::string_view reason;
    std::vector<std::string_view> slugs;
  };
  const row rows[] = {
      {"same-key",
       "temporary",
       {"request-timeout", "rate-limited", "backup-running", "recovering", "overloaded", "too-many-connections",
        "storage-failed", "persistence-behind"}},
      {"same-key", "outcome-unknown", {"request-in-flight", "message-not-found", "read-only", "no-owner", "draining"}},
      {"same-key",
       "correct-request",
       {"guid-mismatch",   "version-required",  "version-malformed",   "version-mismatch",       "malformed-json",
        "not-ndjson",      "invalid-order",     "malformed-query",     "unsupported-media-type", "body-too-large",
        "order-not-found", "version-not-found", "malformed-request",   "expectation-failed",     "headers-too-large",
        "unauthenticated", "forbidden",         "misdirected-request", "backup-refused",         "position-trimmed"}},
      {"new-key", "correct-request", {"guid-missing", "guid-malformed"}},
      {"new-key", "key-used", {"guid-reused", "stale-version", "status-not-allowed"}},
      {"never", "final", {"order-closed", "not-found", "method-not-allowed", "forbidden-origin"}},
  };
  std::set<std::string_view> seen;
  for (const auto& [key, reason, slugs] : rows) {
    for (const std::string_view slug : slugs) {
      CAPTURE(slug);
      CHECK(seen.insert(slug).second);
      const problem_row* found = find_problem(slug);
      REQUIRE(found != nullptr);
      const retry_advice advice = advice_of(found->retry);
      CHECK(advice.key == key);
      CHECK(advice.reason == reason);
      CHECK(advice.explanation.ends_with('.'));
    }
  }
  CHECK(seen.size() == problem_table().size());
}

TEST_CASE(
    "a recorded rejection uses up its key, and is final only if no status follows from which content can change") {
  for (const verdict what : {verdict::stale_version, verdict::status_not_allowed, verdict::order_closed}) {
    const auto which = recorded_problem(what);
    REQUIRE(which.has_value());
    CHECK(advice_of(row_of(*which).retry).key != "same-key");
  }
  constexpr order_status all[] = {order_status::fresh, order_status::confirmed, order_status::shipped,
                                  order_status::delivered, order_status::cancelled};
  for (const order_status from : all) {
    for (const order_status to : all) CHECK_FALSE((!is_open(from) && may_become(from, to) && is_open(to)));
  }
}

TEST_CASE("every problem with Retry-After asks for the same key") {
  for (const problem_row& row : problem_table()) {
    CAPTURE(row.slug);
    const bool waits = row.status == 503 || row.status == 429 || row.which == problem::request_in_flight;
    if (waits) CHECK(advice_of(row.retry).key == "same-key");
    if (advice_of(row.retry).reason == "temporary") CHECK((waits || row.status == 408 || row.status == 409));
  }
}

}  // namespace
}  // namespace ordem::codec
