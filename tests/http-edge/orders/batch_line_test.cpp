// A line of a batch becomes the message of a single create, or gets the verdict of one.
#include "http-edge/orders/batch_line.hpp"

#include <catch2/catch.hpp>

#include "engine/base/limits.hpp"
#include "http-edge/orders/rendering.hpp"
#include "tests/engine/codec/bodies.hpp"
#include "tests/http-edge/exchange.hpp"
#include "tests/http-edge/responses.hpp"

namespace ordem::http_edge {
namespace {

using namespace testing;
using namespace codec;

std::string line_of(std::string_view key, std::string_view order) {
  return R"({"idempotency_key":)" + std::string(key) + R"(,"order":)" + std::string(order) + "}";
}

read_line read(std::string_view line) {
  exchange with_server;
  padded_body::value_type padded;
  padded.append(line.data(), line.size());
  return read_batch_line(padded.view(), with_server.handler.line_parser());
}

refused_line refused(std::string_view line) {
  CAPTURE(line);
  auto result = read(line);
  REQUIRE(std::holds_alternative<refused_line>(result));
  return std::get<refused_line>(std::move(result));
}

std::string verdict_of(std::optional<std::string_view> key, const response& why) {
  std::string out;
  append_verdict(out, key, why);
  return out;
}

TEST_CASE("a line becomes the same message as a single create") {
  const auto made = std::get<message>(read(line_of(R"("g-1")", contract_json)));
  exchange with_server;
  const auto alone =
      with_server.accept(request(verb::post, orders_path).header("Idempotency-Key", "g-1").json(contract_json));
  CHECK(made.guid == alone.guid);
  CHECK(made.fingerprint == alone.fingerprint);
  CHECK(made.command == alone.command);
  CHECK_FALSE(made.target);
  CHECK_FALSE(made.expected_version);
}

TEST_CASE("a byte order mark before a line or a body is ignored") {
  const std::string mark = "\xEF\xBB\xBF";
  const std::string line = line_of(R"("g-1")", contract_json);
  CHECK(std::get<message>(read(mark + line)).fingerprint == std::get<message>(read(line)).fingerprint);
  exchange with_server;
  const auto create = [&](const std::string& body) {
    return with_server.accept(request(verb::post, orders_path).header("Idempotency-Key", "g-1").json(body)).fingerprint;
  };
  CHECK(create(mark + std::string(contract_json)) == create(std::string(contract_json)));
}

TEST_CASE("the order of a line may contain the same GUID as the line") {
  const std::string with_guid = R"({"guid":"g-1",)" + std::string(contract_json.substr(1));
  CHECK(std::get<message>(read(line_of(R"("g-1")", with_guid))).guid == guid_of("g-1"));
  const auto differs = refused(line_of(R"("g-2")", with_guid));
  CHECK(slug_of(differs.why) == "guid-mismatch");
  CHECK(differs.key == guid_of("g-2"));
}

TEST_CASE("a line without a valid key is refused without one") {
  const std::string order(contract_json);
  struct row {
    std::string line;
    std::string_view slug;
  };
  const row rows[] = {
      {"nonsense", "malformed-json"},
      {R"({"idempotency_key":"g")", "malformed-json"},
      {line_of(R"("g")", order) + "{}", "malformed-json"},
      {"5", "guid-missing"},
      {"[]", "guid-missing"},
      {"{}", "guid-missing"},
      {R"({"order":)" + order + "}", "guid-missing"},
      {R"({"order":{"guid":"g"}})", "guid-missing"},
      {line_of("5", order), "guid-malformed"},
      {line_of("null", order), "guid-malformed"},
      {line_of(R"("")", order), "guid-malformed"},
      {line_of(R"("a b")", order), "guid-malformed"},
      {line_of('"' + std::string(256, 'x') + '"', order), "guid-malformed"},
  };
  for (const auto& [line, slug] : rows) {
    const auto result = refused(line);
    CHECK_FALSE(result.key);
    CHECK(result.why.status == 400);
    CHECK(slug_of(result.why) == slug);
  }
}

TEST_CASE("a malformed guid in the order is refused as in a create") {
  const auto result = refused(line_of(R"("g")", R"({"guid":"a b"})"));
  CHECK(slug_of(result.why) == "guid-malformed");
  CHECK(result.key == guid_of("g"));
}

TEST_CASE("errors of the order are those of a single create") {
  for (const std::string_view order :
       {R"({"x":1})", "5", "null", R"({"customer_id":"","currency":"EUR","items":[{}]})"}) {
    CAPTURE(order);
    exchange with_server;
    const auto alone = with_server.answer(request(verb::post, orders_path).header("Idempotency-Key", "g").json(order));
    const auto result = refused(line_of(R"("g")", order));
    CHECK(result.key == guid_of("g"));
    CHECK(result.why.status == 422);
    CHECK(result.why.body == alone.body);
  }
}

TEST_CASE("unknown, repeated and missing members of a line are refused") {
  const auto errors_of = [](std::string_view line) {
    const std::string body = refused(line).why.body;
    return body.substr(body.find("\"errors\":"));
  };
  const std::string order(contract_json);
  CHECK(errors_of(R"({"idempotency_key":"g"})") == R"("errors":[{"pointer":"/order","detail":"is required"}]})");
  CHECK(errors_of(R"({"idempotency_key":"g","order":)" + order + R"(,"guid":"g"})") ==
        R"("errors":[{"pointer":"/guid","detail":"is not a member that this call knows"}]})");
  CHECK(errors_of(R"({"idempotency_key":"g","idempotency_key":"h","order":)" + order + "}") ==
        R"("errors":[{"pointer":"/idempotency_key","detail":"is given more than once"}]})");
}

TEST_CASE("the order of a line may be nested as deeply as a body, and no deeper") {
  const auto nested = [](std::size_t levels) {
    return R"({"x":)" + std::string(levels - 1, '[') + std::string(levels - 1, ']') + "}";
  };
  CHECK(slug_of(refused(line_of(R"("g")", nested(limits::json_depth_max))).why) == "invalid-order");
  CHECK(slug_of(refused(line_of(R"("g")", nested(limits::json_depth_max + 1))).why) == "malformed-json");
}

TEST_CASE("the verdict on a created order is one line with the order as in a single create") {
  executed done;
  done.order = shared(contract_order());
  done.expires_at = sample_time;
  std::string order;
  append_order(order, *done.order);
  std::string expires;
  append_rfc3339(expires, sample_time);
  std::string out = "before\n";
  append_verdict(out, "g\"1", done);
  CHECK(out == R"(before
{"idempotency_key":"g\"1","status":201,"replayed":false,"expires_at":")" +
                   expires + R"(","order":)" + order + "}\n");

  done.replayed = true;
  out.clear();
  append_verdict(out, "g", done);
  CHECK(out.starts_with(R"({"idempotency_key":"g","status":201,"replayed":true,"expires_at":")"));
}

TEST_CASE("the verdict on a refused line is one line with the problem of a single create") {
  const response why = problem_response(problem::overloaded, "too many");
  CHECK(verdict_of("g\\1", why) ==
        R"({"idempotency_key":"g\\1","status":503,"replayed":false,"problem":)" + why.body + "}\n");
  CHECK(verdict_of(std::nullopt, why).starts_with(R"({"idempotency_key":null,"status":503,)"));
}

// --- batches that are refused ---

request batch_of(std::string_view media_type) {
  request made(verb::post, "/api/v1/orders/batch");
  if (!media_type.empty()) made.header("Content-Type", media_type);
  return made;
}

TEST_CASE("a batch needs its media type") {
  exchange with_server;
  CHECK(with_server.read_head(batch_of("application/x-ndjson")));
  CHECK(with_server.read_head(batch_of("Application/X-NDJSON; charset=utf-8")));
  for (const std::string_view type :
       {"", "application/json", "application/ndjson", "application/x-ndjson; charset=utf-16"}) {
    const auto refusal = with_server.answer(batch_of(type));
    CHECK(slug_of(refusal) == "unsupported-media-type");
    CHECK(header_of(refusal, "Idempotency-Expires"));
  }
}

TEST_CASE("a batch with a query is refused before its body is read") {
  exchange with_server;
  for (const std::string_view query : {"atomic=true", "limit=1"}) {
    request made(verb::post, "/api/v1/orders/batch?" + std::string(query));
    const auto refusal = with_server.answer(made.header("Content-Type", "application/x-ndjson"));
    CHECK(slug_of(refusal) == "malformed-query");
    CHECK(header_of(refusal, "Idempotency-Expires"));
  }
}

TEST_CASE("a batch is refused while the server recovers, and from an HTTP/1.0 client") {
  exchange recovering(service_state::recovering);
  CHECK(slug_of(recovering.answer(batch_of("application/x-ndjson"))) == "recovering");

  exchange with_server;
  http_request old(batch_of("application/x-ndjson").get().base());
  old.version(10);
  CHECK(slug_of(with_server.handler.read_head(old, find_route(old.target())).error()) == "malformed-request");
}

}  // namespace
}  // namespace ordem::http_edge
