#include "http-edge/orders/rendering.hpp"

#include <catch2/catch.hpp>

#include "engine/ports/conflict_reader.hpp"
#include "engine/rules/decide.hpp"
#include "http-edge/orders/batch_line.hpp"
#include "tests/engine/codec/order_texts.hpp"
#include "tests/engine/orders.hpp"
#include "tests/http-edge/exchange.hpp"
#include "tests/http-edge/responses.hpp"

namespace ordem::http_edge {
namespace {

using namespace testing;

const fake_orders versions;  // none: the response to a stale write links to them

constexpr timestamp expiry = sample_time + std::chrono::hours{24};
constexpr position shown{17};
constexpr std::string_view expiry_text = "2026-11-23T10:15:30.123Z";
constexpr std::string_view later_text = "2026-11-22T10:15:35.123Z";

constexpr std::string_view contract_location = "/api/v1/orders/0190b3f2-9f6c-7cc0-8000-5f3a1c2d4e6f";

outcome outcome_of(verdict what, version at = {1}, order_status status = order_status::fresh,
                   std::optional<ordem::expected_version> expected_version = std::nullopt,
                   std::optional<order_status> wanted = std::nullopt) {
  return {what, contract_id(), at, status, wanted, expected_version};
}

outcome stale_outcome(bool by_if_match) {
  return outcome_of(verdict::stale_version, {4}, order_status::confirmed, ordem::expected_version{{3}, by_if_match});
}
outcome not_allowed_outcome() {
  return outcome_of(verdict::status_not_allowed, {4}, order_status::delivered, ordem::expected_version{{4}, false},
                    order_status::confirmed);
}
outcome closed_outcome() {
  return outcome_of(verdict::order_closed, {4}, order_status::shipped, ordem::expected_version{{4}, true});
}

executed done(outcome what, shared_order order = nullptr, bool replayed = false) {
  return {std::move(what), std::move(order), expiry, replayed};
}

// --- orders ---

TEST_CASE("a GET of an order is a success with its tag") {
  const response got = order_response(shipped_order());
  CHECK(got.status == 200);
  CHECK(got.content_type == "application/json");
  CHECK(got.body == R"({"code":200,"message":"ok","order":)" + shipped_order_json() + "}");
  CHECK(got.headers == "ETag: \"4\"\r\n");
}

// --- responses to writes ---

TEST_CASE("a created order gets 201 with its tag and its location") {
  const response made =
      write_response(done(outcome_of(verdict::order_created), shared(contract_order())), later, shown, versions);
  CHECK(made.status == 201);
  CHECK(made.content_type == "application/json");
  CHECK(made.body == R"({"code":201,"message":"order created","order":)" + std::string(contract_order_json) + "}");
  CHECK(header_of(made, "ETag") == "\"1\"");
  CHECK(header_of(made, "Location") == contract_location);
  CHECK(header_of(made, "Idempotency-Expires") == expiry_text);
  CHECK(header_of(made, "Ordem-Position") == "17");
  CHECK_FALSE(header_of(made, "Idempotency-Replayed"));
}

TEST_CASE("a changed order gets 200 with its tag") {
  for (const verdict what : {verdict::content_changed, verdict::status_changed}) {
    const response made = write_response(done(outcome_of(what, {4}, order_status::shipped), shared(shipped_order())),
                                         later, shown, versions);
    CHECK(made.status == 200);
    CHECK(made.body == R"({"code":200,"message":"order updated","order":)" + shipped_order_json() + "}");
    CHECK(header_of(made, "ETag") == "\"4\"");
    CHECK_FALSE(header_of(made, "Location"));
    CHECK(header_of(made, "Idempotency-Expires") == expiry_text);
    CHECK(header_of(made, "Ordem-Position") == "17");
  }
}

TEST_CASE("a stale version gets code 3043, with 412 if it was in If-Match, else 409") {
  const auto body_of = [](std::string_view status) {
    return R"({"type":"/problems/stale-version","title":"data is out of date","status":)" + std::string(status) +
           R"(,"detail":"the write was made against version 3, )"
           R"(but order 0190b3f2-9f6c-7cc0-8000-5f3a1c2d4e6f is at version 4",)"
           R"("code":3043,"message":"data is out of date","retry":"new-key","retry_reason":"key-used",)"
           R"("current_version":4,"supplied_version":3,)"
           R"("versions":"/api/v1/orders/0190b3f2-9f6c-7cc0-8000-5f3a1c2d4e6f/versions"})";
  };
  const response by_body = write_response(done(stale_outcome(false)), later, shown, versions);
  CHECK(by_body.status == 409);
  CHECK(by_body.body == body_of("409"));
  CHECK(by_body.content_type == "application/problem+json");
  CHECK(by_body.headers == "Idempotency-Expires: " + std::string(expiry_text) + "\r\nOrdem-Position: 17\r\n");
  const response by_if_match = write_response(done(stale_outcome(true)), later, shown, versions);
  CHECK(by_if_match.status == 412);
  CHECK(by_if_match.body == body_of("412"));
}

// Returns the versions 3 and 4 of the order of stale_outcome().
fake_orders stale_versions() {
  order third = contract_order();
  third.version = {3};
  order fourth = third;
  fourth.version = {4};
  fourth.content.currency = {'U', 'S', 'D'};
  fake_orders found;
  found.add(std::move(third));
  found.add(std::move(fourth));
  return found;
}

TEST_CASE("a stale version gets what has changed since, in single responses, verdicts and messages alike") {
  const fake_orders found = stale_versions();
  const executed stale = done(stale_outcome(false));
  const response made = write_response(stale, later, shown, found);
  CHECK(made.body.ends_with(R"(,"supplied_version":3,"changes":{"version":4,"currency":"USD"}})"));

  const auto of = read_conflict(found, stale.outcome, nullptr);
  REQUIRE(of.has_value());
  std::string verdict;
  append_verdict(verdict, "g-1", stale, *of);
  CHECK(verdict.find(",\"problem\":" + made.body + "}") != std::string::npos);
  const message_record record{{1, 2}, stale.outcome, later, expiry, change_status{order_status::shipped}};
  CHECK(message_response(guid_of("g-1"), record, nullptr, *of).body.find("\"body\":" + made.body + "}") !=
        std::string::npos);
}

TEST_CASE("a stale write whose versions can't be read is not answered without them") {
  fake_orders broken = stale_versions();
  broken.fail();
  const response made = write_response(done(stale_outcome(false)), later, shown, broken);
  CHECK(made.status == 503);
  CHECK(slug_of(made) == "storage-failed");
  CHECK(header_of(made, "Retry-After"));
}

TEST_CASE("a write that expected a version of the future gets the list of versions") {
  outcome ahead = stale_outcome(false);
  ahead.expected_version = ordem::expected_version{{9}, false};
  const response made = write_response(done(ahead), later, shown, stale_versions());
  CHECK(made.body.ends_with(R"(,"versions":"/api/v1/orders/0190b3f2-9f6c-7cc0-8000-5f3a1c2d4e6f/versions"})"));
}

TEST_CASE("a status that is not allowed gets 409 with code 3044") {
  const response made = write_response(done(not_allowed_outcome()), later, shown, versions);
  CHECK(made.status == 409);
  CHECK(made.body ==
        R"({"type":"/problems/status-not-allowed","title":"the status change is not allowed","status":409,)"
        R"("detail":"order 0190b3f2-9f6c-7cc0-8000-5f3a1c2d4e6f is delivered and cannot become confirmed",)"
        R"("code":3044,"message":"the status change is not allowed",)"
        R"("retry":"new-key","retry_reason":"key-used"})");
  CHECK(header_of(made, "Idempotency-Expires") == expiry_text);
  CHECK(header_of(made, "Ordem-Position") == "17");
}

TEST_CASE("a closed order gets 409 with code 3045, even if the version was in If-Match") {
  const response made = write_response(done(closed_outcome()), later, shown, versions);
  CHECK(made.status == 409);
  CHECK(made.body ==
        R"({"type":"/problems/order-closed","title":"the order can no longer be changed","status":409,)"
        R"("detail":"order 0190b3f2-9f6c-7cc0-8000-5f3a1c2d4e6f is shipped: its content can no longer change",)"
        R"("code":3045,"message":"the order can no longer be changed",)"
        R"("retry":"never","retry_reason":"final"})");
}

TEST_CASE("a replayed response equals the original, apart from one additional header") {
  const std::vector<executed> answers = {
      done(outcome_of(verdict::order_created), shared(contract_order())),
      done(outcome_of(verdict::content_changed, {4}, order_status::shipped), shared(shipped_order())),
      done(outcome_of(verdict::status_changed, {4}, order_status::shipped), shared(shipped_order())),
      done(stale_outcome(false)),
      done(stale_outcome(true)),
      done(not_allowed_outcome()),
      done(closed_outcome()),
  };
  for (const executed& first : answers) {
    CAPTURE(first.outcome.verdict);
    executed repeat = first;
    repeat.replayed = true;
    const response made = write_response(first, sample_time, shown, versions);
    const response again = write_response(repeat, later, shown, versions);
    CHECK(again.status == made.status);
    CHECK(again.content_type == made.content_type);
    CHECK(again.body == made.body);
    CHECK(again.headers == made.headers + "Idempotency-Replayed: true\r\n");
    CHECK(outcome_response(first.outcome, first.order).body == made.body);
  }
}

TEST_CASE("the position is that at the time of the response, also of a repeat; without data there is none") {
  const auto position_at = [](bool replayed, std::optional<position> visible) {
    const auto what = done(outcome_of(verdict::order_created), shared(contract_order()), replayed);
    return header_of(write_response(what, later, visible, versions), "Ordem-Position");
  };
  CHECK(position_at(false, position{1}) == "1");
  CHECK(position_at(true, position{9'007'199'254'740'993}) == "9007199254740993");
  CHECK(position_at(true, position{0}) == "0");
  CHECK_FALSE(position_at(false, std::nullopt));
}

TEST_CASE("each refusal has its problem, and nothing is recorded") {
  struct row {
    refusal why;
    unsigned status;
    std::string_view body;
    bool comes_again;
  };
  const row rows[] = {
      {order_not_found{}, 404,
       R"({"type":"/problems/order-not-found","title":"there is no such order","status":404,)"
       R"("detail":"no order has this id","code":404,"message":"there is no such order",)"
       R"("retry":"same-key","retry_reason":"correct-request"})",
       false},
      {guid_reused{}, 422,
       R"({"type":"/problems/guid-reused","title":"the GUID was used for a different request","status":422,)"
       R"("detail":"the GUID names an earlier request that was not this one","code":422,)"
       R"("message":"the GUID was used for a different request","retry":"new-key","retry_reason":"key-used"})",
       false},
      {request_in_flight{}, 409,
       R"({"type":"/problems/request-in-flight","title":"a request with this GUID is being executed","status":409,)"
       R"("detail":"the first request with this GUID has not been answered yet","code":409,)"
       R"("message":"a request with this GUID is being executed",)"
       R"("retry":"same-key","retry_reason":"outcome-unknown"})",
       true},
      {unavailability::overloaded, 503,
       R"({"type":"/problems/overloaded","title":"the server is overloaded","status":503,)"
       R"("detail":"too many requests are being executed; nothing was done","code":503,)"
       R"("message":"the server is overloaded","retry":"same-key","retry_reason":"temporary"})",
       true},
      {unavailability::read_only, 503,
       R"({"type":"/problems/read-only","title":"the server takes no writes","status":503,)"
       R"("detail":"no writes are taken at present; reads go on","code":503,"message":"the server takes no writes",)"
       R"("retry":"same-key","retry_reason":"outcome-unknown"})",
       true},
      {unavailability::draining, 503,
       R"({"type":"/problems/draining","title":"the server is shutting down","status":503,)"
       R"("detail":"the server is shutting down; nothing was done","code":503,)"
       R"("message":"the server is shutting down","retry":"same-key","retry_reason":"outcome-unknown"})",
       true},
      {unavailability::storage_failed, 503,
       R"({"type":"/problems/storage-failed","title":"the data could not be read","status":503,)"
       R"("detail":"the data could not be read; nothing was done","code":503,)"
       R"("message":"the data could not be read","retry":"same-key","retry_reason":"temporary"})",
       true},
      {unavailability::backlog_full, 503,
       R"({"type":"/problems/persistence-behind","title":"Postgres is too far behind","status":503,)"
       R"("detail":"Postgres is too far behind: the log has reached --persist-backlog-max; reads go on; )"
       R"(writes are taken again once Postgres has caught up","code":503,"message":"Postgres is too far behind",)"
       R"("retry":"same-key","retry_reason":"temporary"})",
       true},
      {unavailability::no_owner, 503,
       R"({"type":"/problems/no-owner","title":"no node owns the log","status":503,)"
       R"("detail":"no node of the cluster answers for the log at present; another one takes it over within seconds",)"
       R"("code":503,"message":"no node owns the log","retry":"same-key","retry_reason":"outcome-unknown"})",
       true},
  };
  for (const auto& [why, status, body, comes_again] : rows) {
    CAPTURE(body);
    const response made = write_response(why, later, shown, versions);
    CHECK(made.status == status);
    CHECK(made.content_type == "application/problem+json");
    CHECK(made.body == body);
    CHECK(header_of(made, "Idempotency-Expires") == later_text);
    CHECK(header_of(made, "Ordem-Position") == "17");
    CHECK_FALSE(header_of(made, "Idempotency-Replayed"));
    CHECK(header_of(made, "Retry-After").has_value() == comes_again);
  }
}

TEST_CASE("an invalid content gets 422 with all its errors") {
  const response one = write_response(refusal{invalid_content{{{"/items", "too \"many\""}}}}, later, shown, versions);
  CHECK(one.status == 422);
  CHECK(
      one.body ==
      R"({"type":"/problems/invalid-order","title":"the body is not a valid order","status":422,)"
      R"("detail":"the body has an error","code":422,"message":"the body is not a valid order",)"
      R"("retry":"same-key","retry_reason":"correct-request","errors":[{"pointer":"/items","detail":"too \"many\""}]})");
  const response two = invalid_order_response({{"", "must be an object"}, {"/a~1b", "is required"}});
  CHECK(two.body.ends_with(
      R"("errors":[{"pointer":"","detail":"must be an object"},{"pointer":"/a~1b","detail":"is required"}]})"));
  CHECK(two.body.find(R"("detail":"the body has several errors")") != std::string::npos);
}

// --- messages ---

message_record record_of(outcome what, std::optional<command> asked = std::nullopt) {
  return {{1, 2}, std::move(what), later, expiry, std::move(asked)};
}

// Returns the response to a GET of the message, from its request and recorded response in JSON.
std::string message_json(std::string_view request, std::string_view recorded, std::string_view version) {
  return R"({"code":200,"message":"ok","guid":"g-1","state":"completed","request":)" + std::string(request) +
         R"(,"response":)" + std::string(recorded) +
         R"(,"order_id":"0190b3f2-9f6c-7cc0-8000-5f3a1c2d4e6f","version":)" + std::string(version) +
         R"(,"created_at":"2026-11-22T10:15:35.123Z","expires_at":"2026-11-23T10:15:30.123Z"})";
}

std::string request_json(std::string_view method, std::string_view path, std::string_view body) {
  return R"({"method":")" + std::string(method) + R"(","path":")" + std::string(path) + R"(","body":)" +
         std::string(body) + "}";
}

constexpr std::string_view contract_content_members =
    R"("customer_id":"c-1001","currency":"EUR","items":[{"sku":"A-1","quantity":2,"unit_price":1999}])";

TEST_CASE("the message of a create shows its content and its order") {
  const auto made =
      message_response(guid_of("g-1"), record_of(outcome_of(verdict::order_created)), shared(contract_order()));
  CHECK(made.status == 200);
  CHECK(made.headers.empty());
  CHECK(made.body ==
        message_json(request_json("POST", "/api/v1/orders",
                                  "{" + std::string(contract_content_members) + R"(,"attributes":{"channel":"web"}})"),
                     R"({"status":201,"code":201,"body":{"code":201,"message":"order created","order":)" +
                         std::string(contract_order_json) + "}}",
                     "1"));
}

TEST_CASE(
    "the message of a replacement, a merge or a change of status shows what was asked and the order that it made") {
  merge_content patch;
  patch.customer_id = "c-1001";
  patch.attributes = merge_content::remove_attributes{};
  const std::string status_path = std::string(contract_location) + "/status";
  struct row {
    verdict what;
    std::optional<command> kept;
    std::string request;
  };
  const row rows[] = {
      {verdict::content_changed, std::nullopt,
       request_json("PUT", contract_location, "{" + std::string(contract_content_members) + R"(,"version":3})")},
      {verdict::content_changed, patch,
       request_json("PATCH", contract_location, R"({"customer_id":"c-1001","attributes":null,"version":3})")},
      {verdict::content_changed, merge_content{}, request_json("PATCH", contract_location, R"({"version":3})")},
      {verdict::status_changed, std::nullopt, request_json("POST", status_path, R"({"status":"shipped","version":3})")},
  };
  const std::string recorded =
      R"({"status":200,"code":200,"body":{"code":200,"message":"order updated","order":)" + shipped_order_json() + "}}";
  for (const auto& [what, kept, request] : rows) {
    CAPTURE(request);
    const auto outcome = outcome_of(what, {4}, order_status::shipped, ordem::expected_version{{3}, false});
    CHECK(message_response(guid_of("g-1"), record_of(outcome, kept), shared(shipped_order())).body ==
          message_json(request, recorded, "4"));
  }
}

TEST_CASE("the message of a rejected write shows its command, its problem and no version") {
  merge_content patch;
  patch.currency = currency_code{'U', 'S', 'D'};
  const std::string status_path = std::string(contract_location) + "/status";
  struct row {
    outcome what;
    command asked;
    std::string request;
    std::string head;
  };
  const row rows[] = {
      {stale_outcome(false), replace_content{contract_content()},
       request_json("PUT", contract_location,
                    "{" + std::string(contract_content_members) + R"(,"attributes":{"channel":"web"},"version":3})"),
       R"({"status":409,"code":3043,"body":)"},
      {stale_outcome(true), patch, request_json("PATCH", contract_location, R"({"currency":"USD","version":3})"),
       R"({"status":412,"code":3043,"body":)"},
      {stale_outcome(false), change_status{order_status::shipped},
       request_json("POST", status_path, R"({"status":"shipped","version":3})"),
       R"({"status":409,"code":3043,"body":)"},
      {not_allowed_outcome(), change_status{order_status::confirmed},
       request_json("POST", status_path, R"({"status":"confirmed","version":4})"),
       R"({"status":409,"code":3044,"body":)"},
      {closed_outcome(), patch, request_json("PATCH", contract_location, R"({"currency":"USD","version":4})"),
       R"({"status":409,"code":3045,"body":)"},
  };
  for (const auto& [what, asked, request, head] : rows) {
    CAPTURE(request);
    const std::string recorded = head + outcome_response(what, nullptr).body + "}";
    CHECK(message_response(guid_of("g-1"), record_of(what, asked), nullptr).body ==
          message_json(request, recorded, "null"));
  }
}

TEST_CASE("a message's GUID is escaped") {
  const auto made =
      message_response(guid_of(R"(a"\b)"), record_of(outcome_of(verdict::order_created)), shared(contract_order()));
  CHECK(made.body.starts_with(R"({"code":200,"message":"ok","guid":"a\"\\b","state")"));
}

// --- merges ---

TEST_CASE("an update that may be merged is answered with the preference, and with the fields that clash") {
  const fake_orders found = stale_versions();
  executed stale = done(stale_outcome(false));
  stale.outcome.expected_version->merges = true;
  merge_content patch;
  patch.currency = currency_code{'C', 'H', 'F'};
  stale.unmerged = std::make_shared<const command>(patch);
  const response made = write_response(stale, later, shown, found);
  CHECK(header_of(made, "Preference-Applied") == "merge");
  CHECK(made.body.ends_with(R"("changes":{"version":4,"currency":"USD"},"conflicts":[{"pointer":"/currency"}]})"));

  message_record record{{1, 2}, stale.outcome, later, expiry, command{patch}};
  const auto of = read_conflict(found, record);
  REQUIRE(of.has_value());
  const auto shown_message = message_response(guid_of("g-1"), record, nullptr, *of);
  CHECK(shown_message.body.find("\"body\":" + made.body + "}") != std::string::npos);
  CHECK(shown_message.body.find(R"("version":3,"on_conflict":"merge"})") != std::string::npos);

  executed merged = done(outcome_of(verdict::content_changed, {4}), shared(shipped_order()));
  CHECK_FALSE(header_of(write_response(merged, later, shown, found), "Preference-Applied"));
  merged.outcome.expected_version = ordem::expected_version{{3}, false, true};
  CHECK(header_of(write_response(merged, later, shown, found), "Preference-Applied") == "merge");
}

}  // namespace
}  // namespace ordem::http_edge
