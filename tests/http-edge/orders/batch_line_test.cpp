// A line of a batch becomes the message of a single request, or gets the verdict of one.
#include "http-edge/orders/batch_line.hpp"

#include <catch2/catch.hpp>

#include "engine/base/limits.hpp"
#include "http-edge/orders/order_handler.hpp"
#include "http-edge/orders/rendering.hpp"
#include "tests/engine/codec/bodies.hpp"
#include "tests/http-edge/exchange.hpp"
#include "tests/http-edge/responses.hpp"
#include "tests/support_cpp/origins.hpp"

namespace ordem::http_edge {
namespace {

using namespace testing;
using namespace codec;

std::string line_of(std::string_view key, std::string_view order) {
  return R"({"idempotency_key":)" + std::string(key) + R"(,"order":)" + std::string(order) + "}";
}

constexpr line_form create = line_form::create;

read_line read(std::string_view line, line_form form = create, generated_keys* generated = nullptr) {
  exchange with_server;
  padded_body::value_type padded;
  padded.append(line.data(), line.size());
  return read_batch_line(form, padded.view(), shop_till, generated, with_server.handler.line_parser());
}

refused_line refused(std::string_view line, line_form form = create) {
  CAPTURE(line);
  auto result = read(line, form);
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

TEST_CASE("the verdict on a changed order has its status, and that on a rejection its problem") {
  executed done;
  done.outcome.verdict = verdict::content_changed;
  done.order = shared(contract_order());
  done.expires_at = sample_time;
  std::string out;
  append_verdict(out, "g", done);
  CHECK(out.starts_with(R"({"idempotency_key":"g","status":200,"replayed":false,"expires_at":")"));
  CHECK(out.find(R"(","order":{"order_id":)") != std::string::npos);

  executed rejected;
  rejected.outcome = {verdict::stale_version, contract_id(), {5},
                      order_status::fresh,    std::nullopt,  expected_version{{3}, false}};
  rejected.expires_at = sample_time;
  rejected.replayed = true;
  std::string expires;
  append_rfc3339(expires, sample_time);
  out.clear();
  append_verdict(out, "g", rejected);
  CHECK(out == R"({"idempotency_key":"g","status":409,"replayed":true,"expires_at":")" + expires + R"(","problem":)" +
                   outcome_response(rejected.outcome, nullptr).body + "}\n");
}

TEST_CASE("the verdict on a refused line is one line with the problem of a single create") {
  const response why = problem_response(problem::overloaded, "too many");
  CHECK(verdict_of("g\\1", why) ==
        R"({"idempotency_key":"g\\1","status":503,"replayed":false,"problem":)" + why.body + "}\n");
  CHECK(verdict_of(std::nullopt, why).starts_with(R"({"idempotency_key":null,"status":503,)"));
}

// --- lines of every kind ---

const std::string line_begin = R"({"idempotency_key":"g-1","op":)";
const std::string update_begin = R"(,"order_id":")" + std::string(contract_id_text) + "\"";
constexpr std::string_view patch_json = R"({"currency":"USD"})";

struct kind_of_line {
  std::string line;  // at version 3, if it is an update
  request alone;
};

std::vector<kind_of_line> every_kind() {
  const auto alone = [](verb method, const std::string& path, std::string_view json) {
    return request(method, path).header("Idempotency-Key", "g-1").json(json);
  };
  const auto with_version = [](std::string_view json) { return R"({"version":3,)" + std::string(json.substr(1)); };
  const std::string status_json = R"({"status":"confirmed"})";
  return {
      {line_begin + R"("create","order":)" + std::string(contract_json) + "}",
       alone(verb::post, std::string(orders_path), contract_json)},
      {line_begin + R"("replace")" + update_begin + R"(,"version":3,"order":)" + std::string(contract_json) + "}",
       alone(verb::put, contract_path, with_version(contract_json))},
      {line_begin + R"("merge")" + update_begin + R"(,"version":3,"order":)" + std::string(patch_json) + "}",
       alone(verb::patch, contract_path, with_version(patch_json))},
      {line_begin + R"("status")" + update_begin + R"(,"version":3,"status":"confirmed"})",
       alone(verb::post, contract_path + "/status", with_version(status_json))},
  };
}

TEST_CASE("a line of each kind becomes the same message as the single request") {
  for (const auto& [line, request] : every_kind()) {
    CAPTURE(line);
    const auto made = std::get<message>(read(line, line_form::command));
    exchange with_server;
    const auto alone = with_server.accept(request);
    CHECK(made.guid == alone.guid);
    CHECK(made.fingerprint == alone.fingerprint);
    CHECK(made.command == alone.command);
    CHECK(made.target == alone.target);
    CHECK(made.expected_version == alone.expected_version);
  }
}

TEST_CASE("the members of a line may have any order, and version may be in the order too") {
  const std::string order = R"({"version":3,"guid":"g-1",)" + std::string(patch_json.substr(1));
  const auto expected = std::get<message>(read(every_kind()[2].line, line_form::command));
  for (const std::string& line : {
           R"({"order":)" + order + update_begin + R"(,"op":"merge","idempotency_key":"g-1"})",
           line_begin + R"("merge")" + update_begin + R"(,"order":)" + order + R"(,"version":3.0})",
       }) {
    CAPTURE(line);
    const auto made = std::get<message>(read(line, line_form::command));
    CHECK(made.fingerprint == expected.fingerprint);
    CHECK(made.expected_version == expected.expected_version);
  }
}

TEST_CASE("a line is refused as the single request would be") {
  struct row {
    std::string rest;  // of the line, after the name of its kind
    unsigned status;
    std::string_view slug;
  };
  const std::string order(contract_json);
  const row rows[] = {
      {R"("replace")" + update_begin + R"(,"order":)" + order, 428, "version-required"},
      {R"("status")" + update_begin + R"(,"status":"confirmed")", 428, "version-required"},
      {R"("merge")" + update_begin + R"(,"version":3,"order":{"version":4})", 400, "version-mismatch"},
      {R"("merge")" + update_begin + R"(,"version":3,"order":{"guid":"g-2"})", 400, "guid-mismatch"},
      {R"("merge","order_id":"no id","version":3,"order":{})", 404, "order-not-found"},
      {R"("merge","order_id":"no id","order":{})", 428, "version-required"},
      {R"("replace")" + update_begin + R"(,"version":3,"order":{})", 422, "invalid-order"},
  };
  for (const auto& [rest, status, slug] : rows) {
    const auto result = refused(line_begin + rest + "}", line_form::command);
    CHECK(result.key == guid_of("g-1"));
    CHECK(result.why.status == status);
    CHECK(slug_of(result.why) == slug);
  }
}

TEST_CASE("errors of a line's own members are listed by their place") {
  const auto errors_of = [](const std::string& line) {
    const auto result = refused(line, line_form::command);
    CHECK(result.key == guid_of("g-1"));
    return result.why.body.substr(result.why.body.find("\"errors\":"));
  };
  const std::string which = R"("errors":[{"pointer":"/op","detail":"must be create, replace, merge or status"}]})";
  CHECK(errors_of(line_begin + R"("delete","x":1})") == which);
  CHECK(errors_of(line_begin + "5}") == which);
  CHECK(errors_of(R"({"idempotency_key":"g-1","order":{}})") ==
        R"("errors":[{"pointer":"/op","detail":"is required"}]})");
  CHECK(errors_of(line_begin + R"("create")" + update_begin + R"(,"order":)" + std::string(contract_json) + "}") ==
        R"("errors":[{"pointer":"/order_id","detail":"is not a member that this call knows"}]})");
  CHECK(errors_of(line_begin + R"("merge","order_id":5,"version":0})") ==
        R"("errors":[{"pointer":"/order_id","detail":"must be a string"},)"
        R"({"pointer":"/version","detail":"must be an integer from 1 to 9007199254740991"},)"
        R"({"pointer":"/order","detail":"is required"}]})");
  CHECK(errors_of(line_begin + R"("status","status":"lost","order":{}})") ==
        R"("errors":[{"pointer":"/status","detail":"must be new, confirmed, shipped, delivered or cancelled"},)"
        R"({"pointer":"/order","detail":"is not a member that this call knows"},)"
        R"({"pointer":"/order_id","detail":"is required"}]})");
  CHECK(errors_of(R"({"idempotency_key":"g-1","op":"create","op":"create","order":)" + std::string(contract_json) +
                  "}") == R"("errors":[{"pointer":"/op","detail":"is given more than once"}]})");
}

// --- lines without a key ---

TEST_CASE("the verdict on a line without a key says what to do") {
  for (const line_form form : {line_form::create, line_form::command}) {
    const auto result = refused(R"({"op":"create","order":)" + std::string(contract_json) + "}", form);
    CHECK(slug_of(result.why) == "guid-missing");
    CHECK(result.why.body.find("give it one, or send ?keys=generated") != std::string::npos);
  }
}

TEST_CASE("with generated keys each line without one gets its own, and other lines keep theirs") {
  generated_keys keys;
  const std::string keyless = R"({"order":)" + std::string(contract_json) + "}";
  const auto first = std::get<message>(read(keyless, create, &keys));
  const auto second = std::get<message>(read(keyless, create, &keys));
  CHECK(first.guid.view().starts_with("generated-"));
  CHECK(first.guid != second.guid);
  CHECK(first.fingerprint == second.fingerprint);
  CHECK(std::get<message>(read(line_of(R"("g-1")", contract_json), create, &keys)).guid == guid_of("g-1"));
  generated_keys others;
  CHECK(std::get<message>(read(keyless, create, &others)).guid != first.guid);
  for (const std::string_view bad : {"5", "{}", R"({"idempotency_key":null})"}) {
    CHECK(std::holds_alternative<refused_line>(read(bad, create, &keys)));
    CHECK(std::holds_alternative<refused_line>(read(bad, line_form::command, &keys)));
  }
}

// --- batches that are refused ---

constexpr std::string_view every_batch[] = {"/api/v1/orders/batch", "/api/v1/batch"};

request batch_of(std::string_view target, std::string_view media_type = "application/x-ndjson") {
  request made(verb::post, target);
  if (!media_type.empty()) made.header("Content-Type", media_type);
  return made;
}

TEST_CASE("a batch needs its media type") {
  exchange with_server;
  for (const auto target : every_batch) {
    CHECK(with_server.read_head(batch_of(target)));
    CHECK(with_server.read_head(batch_of(target, "Application/X-NDJSON; charset=utf-8")));
    for (const std::string_view type :
         {"", "application/json", "application/ndjson", "application/x-ndjson; charset=utf-16"}) {
      const auto refusal = with_server.answer(batch_of(target, type));
      CHECK(slug_of(refusal) == "unsupported-media-type");
      CHECK(header_of(refusal, "Idempotency-Expires"));
    }
  }
}

TEST_CASE("a batch has the parameter keys with one value; other queries are refused before its body is read") {
  exchange with_server;
  for (const auto target : every_batch) {
    const auto with_query = [&](std::string_view query) {
      return batch_of(std::string(target) + "?" + std::string(query));
    };
    for (const std::string_view query : {"atomic=true", "limit=1", "keys=", "keys", "keys=Generated", "keys=none",
                                         "keys=generated&keys=generated", "keys=generated&x=1"}) {
      CAPTURE(query);
      const auto refusal = with_server.answer(with_query(query));
      CHECK(slug_of(refusal) == "malformed-query");
      CHECK(header_of(refusal, "Idempotency-Expires"));
    }
    CHECK_FALSE(batch_request_of(*with_server.read_head(batch_of(target))).generates_keys);
    CHECK(batch_request_of(*with_server.read_head(with_query("keys=generated"))).generates_keys);
  }
  CHECK(batch_request_of({*find_route(every_batch[0]), std::nullopt}).lines == create);
  CHECK(batch_request_of({*find_route(every_batch[1]), std::nullopt}).lines == line_form::command);
}

TEST_CASE("every line of a batch has the origin of its request") {
  CHECK(batch_request_of({*find_route(every_batch[0]), std::nullopt, shop_till}).origin == shop_till);
  CHECK(std::get<message>(read(line_of(R"("k-1")", R"({"customer_id":"c","currency":"EUR","items":[)"
                                                   R"({"sku":"A-1","quantity":1,"unit_price":1}]})")))
            .origin == shop_till);
}

TEST_CASE("a batch is refused while the server recovers, and from an HTTP/1.0 client") {
  for (const auto target : every_batch) {
    exchange recovering(service_state::recovering);
    CHECK(slug_of(recovering.answer(batch_of(target))) == "recovering");

    exchange with_server;
    http_request old(batch_of(target).get().base());
    old.version(10);
    CHECK(slug_of(with_server.handler.read_head(old, find_route(old.target()), {}, {}).error()) == "malformed-request");
  }
}

}  // namespace
}  // namespace ordem::http_edge
