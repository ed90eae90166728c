// Writes before the engine sees them: each becomes a message, or gets the first of its errors.
#include <catch2/catch.hpp>

#include "tests/engine/codec/bodies.hpp"
#include "tests/http-edge/exchange.hpp"

namespace ordem::http_edge {
namespace {

using namespace testing;

constexpr std::string_view now_text = "2026-11-22T10:15:30.123Z";
const std::string status_path = contract_path + "/status";

// Each kind of write in its smallest form.
struct call {
  verb method;
  std::string path;
  std::string_view json;  // without guid and version
  bool has_target;
};

const call every_call[] = {
    {verb::post, std::string(orders_path), contract_json, false},
    {verb::put, contract_path, contract_json, true},
    {verb::patch, contract_path, R"({"currency":"USD"})", true},
    {verb::post, status_path, R"({"status":"confirmed"})", true},
};

request whole(const call& what) {
  request made(what.method, what.path);
  made.header("Idempotency-Key", "\"g-1\"").json(what.json);
  if (what.has_target) made.header("If-Match", "\"3\"");
  return made;
}

// Returns the JSON object with one more member at its front.
std::string with_member(std::string_view json, std::string_view member) {
  const bool is_empty = json == "{}";
  return '{' + std::string(member) + (is_empty ? "" : ",") + std::string(json.substr(1));
}

std::string refused_as(const request& what) {
  exchange with_server;
  return slug_of(with_server.answer(what));
}

message accepted(const request& what) {
  exchange with_server;
  return with_server.accept(what);
}

// --- accepted writes ---

TEST_CASE("a create becomes a message without target and version") {
  const auto made = accepted(whole(every_call[0]));
  CHECK(made.guid == guid_of("g-1"));
  CHECK_FALSE(made.target);
  CHECK_FALSE(made.expected_version);
  CHECK(made.command == command{create_order{contract_content()}});
}

TEST_CASE("each change of an order becomes a message with its target and version") {
  merge_content patch;
  patch.currency = currency_code{'U', 'S', 'D'};
  const command expected[] = {create_order{}, replace_content{contract_content()}, patch,
                              change_status{order_status::confirmed}};
  for (std::size_t i = 1; i < std::size(every_call); ++i) {
    CAPTURE(i);
    const auto made = accepted(whole(every_call[i]));
    CHECK(made.target == contract_id());
    CHECK(made.expected_version == ordem::expected_version{{3}, true});
    CHECK(made.command == expected[i]);
  }
}

TEST_CASE("the GUID is in the header, in the body, or in both if they agree") {
  const std::string with_guid = with_member(contract_json, R"("guid":"g-1")");
  CHECK(accepted(request(verb::post, orders_path).json(with_guid)).guid == guid_of("g-1"));
  CHECK(accepted(request(verb::post, orders_path).header("Idempotency-Key", "\"g-1\"").json(with_guid)).guid ==
        guid_of("g-1"));
  CHECK(accepted(request(verb::post, orders_path).header("idempotency-key", "g-1").json(with_guid)).guid ==
        guid_of("g-1"));
}

TEST_CASE("the version is in the body, in If-Match, or in both if they agree, which counts as If-Match") {
  const auto put = [](std::string_view json) {
    return request(verb::put, contract_path).header("Idempotency-Key", "g").json(json);
  };
  const std::string with_version = with_member(contract_json, R"("version":3)");
  CHECK(accepted(put(with_version)).expected_version == ordem::expected_version{{3}, false});
  CHECK(accepted(put(contract_json).header("If-Match", "\"3\"")).expected_version ==
        ordem::expected_version{{3}, true});
  CHECK(accepted(put(with_version).header("If-Match", "\"3\"")).expected_version == ordem::expected_version{{3}, true});
}

TEST_CASE("the media type of JSON may have parameters and any case, and a merge may be a merge patch") {
  const auto sent_as = [](const call& what, std::string_view type) {
    request made(what.method, what.path);
    made.header("Idempotency-Key", "g").header("Content-Type", type).body(what.json);
    if (what.has_target) made.header("If-Match", "\"3\"");
    return made;
  };
  for (const call& each : every_call) {
    for (const std::string_view type :
         {"application/json", "application/json; charset=utf-8", "Application/JSON;charset=UTF-8"}) {
      CHECK(accepted(sent_as(each, type)).guid == guid_of("g"));
    }
    const bool merges = each.method == verb::patch;
    CHECK(refused_as(sent_as(each, "application/problem+json")) == "unsupported-media-type");
    if (merges) {
      CHECK(accepted(sent_as(each, "application/merge-patch+json")).guid == guid_of("g"));
    } else {
      CHECK(refused_as(sent_as(each, "application/merge-patch+json")) == "unsupported-media-type");
    }
  }
}

// --- refused writes ---

TEST_CASE("each error of a write has its problem") {
  const auto put = [] { return request(verb::put, contract_path); };
  const auto keyed_put = [] { return request(verb::put, contract_path).header("Idempotency-Key", "g"); };
  const std::string with_guid = with_member(contract_json, R"("guid":"g")");
  const std::string with_version = with_member(contract_json, R"("version":3)");
  struct row {
    std::string_view expected;
    request what;
  };
  const row rows[] = {
      {"unsupported-media-type", keyed_put().body(with_version)},
      {"unsupported-media-type", keyed_put().header("Content-Type", "text/plain").body(with_version)},
      {"unsupported-media-type", keyed_put().header("Content-Type", "").body(with_version)},
      {"unsupported-media-type",
       keyed_put().header("Content-Type", "application/json; charset=utf-16").body(with_version)},
      {"unsupported-media-type", keyed_put().header("Content-Type", "application/json").json(with_version)},
      {"unsupported-media-type", keyed_put().header("Content-Encoding", "gzip").json(with_version)},
      {"guid-malformed", put().header("Idempotency-Key", "").json(with_version)},
      {"guid-malformed", put().header("Idempotency-Key", "a b").json(with_version)},
      {"guid-malformed", put().header("Idempotency-Key", "\"open").json(with_version)},
      {"guid-malformed", put().header("Idempotency-Key", std::string(256, 'g')).json(with_version)},
      {"guid-malformed", keyed_put().header("Idempotency-Key", "g").json(with_version)},
      {"guid-malformed", keyed_put().json(with_member(with_version, R"("guid":"")"))},
      {"guid-malformed", keyed_put().json(with_member(with_version, R"("guid":5)"))},
      {"guid-malformed", put().json(with_member(with_version, R"("guid":"a b")"))},
      {"guid-malformed", put().json(with_member(with_version, R"("guid":null)"))},
      {"malformed-json", keyed_put().json("{")},
      {"malformed-json", keyed_put().json("")},
      {"guid-missing", put().json(with_version)},
      {"guid-mismatch", put().header("Idempotency-Key", "other").json(with_member(with_guid, R"("version":3)"))},
      {"invalid-order", keyed_put().json(R"({"version":3})")},
      {"invalid-order", keyed_put().json("[]")},
      {"version-required", keyed_put().json(contract_json)},
      {"version-malformed", keyed_put().header("If-Match", "*").json(contract_json)},
      {"version-malformed", keyed_put().header("If-Match", "").json(with_version)},
      {"version-malformed", keyed_put().header("If-Match", "W/\"3\"").json(with_version)},
      {"version-malformed", keyed_put().header("If-Match", "\"3\", \"4\"").json(contract_json)},
      {"version-malformed", keyed_put().header("If-Match", "\"3\"").header("If-Match", "\"3\"").json(contract_json)},
      {"version-mismatch", keyed_put().header("If-Match", "\"4\"").json(with_version)},
      {"order-not-found",
       request(verb::put, "/api/v1/orders/no-uuid").header("Idempotency-Key", "g").json(with_version)},
  };
  for (const auto& [expected, what] : rows) {
    CAPTURE(expected, std::string(what.get().body().view()));
    exchange with_server;
    with_server.orders.show_up_to({17});
    const response refused = with_server.answer(what);
    CHECK(slug_of(refused) == expected);
    CHECK(header_of(refused, "Idempotency-Expires") == now_text);
    CHECK(header_of(refused, "Ordem-Position") == "17");
    CHECK_FALSE(refused.close);
  }
}

TEST_CASE("a write with any query parameter is refused") {
  for (const call& each : every_call) {
    for (const std::string_view query : {"dry_run=true", "version=3", "limit=1", "customer_id=c", "force"}) {
      CAPTURE(each.path, query);
      exchange with_server;
      with_server.orders.show_up_to({17});
      call queried = each;
      queried.path += '?' + std::string(query);
      const response refused = with_server.answer(whole(queried));
      CHECK(slug_of(refused) == "malformed-query");
      CHECK(refused.body.find(query.substr(0, query.find('='))) != std::string::npos);
      CHECK(header_of(refused, "Idempotency-Expires") == now_text);
      CHECK(header_of(refused, "Ordem-Position") == "17");
      CHECK_FALSE(refused.close);
    }
  }
}

TEST_CASE("of several errors of a write, the first in the order of the contract is reported") {
  // A request with every error that its method allows, then with one error less at a time.
  struct fixes {
    std::string_view expected;
    std::string_view path;
    verb method;
    std::string_view type;
    std::string_view key;
    std::string_view json;
    std::string_view if_match;
  };
  constexpr std::string_view no_id = "/api/v1/orders/no-uuid";
  const fixes steps[] = {
      {"not-found", "/api/v1/order", verb::delete_, "text/plain", "a b", "{", "*"},
      {"method-not-allowed", no_id, verb::delete_, "text/plain", "a b", "{", "*"},
      {"malformed-query", "/api/v1/orders/no-uuid?x=1", verb::put, "text/plain", "a b", "{", "*"},
      {"unsupported-media-type", no_id, verb::put, "text/plain", "a b", "{", "*"},
      {"guid-malformed", no_id, verb::put, "application/json", "a b", "{", "*"},
      {"malformed-json", no_id, verb::put, "application/json", "g", "{", "*"},
      {"guid-malformed", no_id, verb::put, "application/json", "g", R"({"guid":"a b","version":0})", "*"},
      {"guid-mismatch", no_id, verb::put, "application/json", "g", R"({"guid":"h","version":0})", "*"},
      {"invalid-order", no_id, verb::put, "application/json", "g", R"({"guid":"g","version":0})", "*"},
      {"version-malformed", no_id, verb::put, "application/json", "g", contract_json, "*"},
      {"order-not-found", no_id, verb::put, "application/json", "g", contract_json, "\"3\""},
  };
  for (const auto& [expected, path, method, type, key, json, if_match] : steps) {
    CAPTURE(expected);
    CHECK(refused_as(request(method, path)
                         .header("Content-Type", type)
                         .header("Idempotency-Key", key)
                         .header("If-Match", if_match)
                         .body(json)) == expected);
  }
}

TEST_CASE("a missing GUID is reported before errors of members, and these before a missing version") {
  CHECK(refused_as(request(verb::put, contract_path).json("[]")) == "guid-missing");
  CHECK(refused_as(request(verb::put, contract_path).json("{}")) == "guid-missing");
  CHECK(refused_as(request(verb::put, contract_path).header("Idempotency-Key", "g").json("{}")) == "invalid-order");
}

TEST_CASE("an invalid body lists all its errors") {
  exchange with_server;
  const response refused =
      with_server.answer(request(verb::post, orders_path).header("Idempotency-Key", "g").json(R"({"x":1})"));
  CHECK(refused.status == 422);
  CHECK(refused.body.ends_with(
      R"("errors":[{"pointer":"/x","detail":"is not a member that this call knows"},)"
      R"({"pointer":"/customer_id","detail":"is required"},{"pointer":"/currency","detail":"is required"},)"
      R"({"pointer":"/items","detail":"is required"}]})"));
}

TEST_CASE("only a merge of an unsupported type gets Accept-Patch") {
  exchange with_server;
  const auto as_text = [](verb method) { return request(method, contract_path).header("Content-Type", "text/plain"); };
  CHECK(header_of(with_server.answer(as_text(verb::patch)), "Accept-Patch") == "application/merge-patch+json");
  CHECK_FALSE(header_of(with_server.answer(as_text(verb::put)), "Accept-Patch"));
}

TEST_CASE("every write with a Content-Encoding is refused, with Accept-Encoding") {
  for (const call& each : every_call) {
    exchange with_server;
    const response refused = with_server.answer(whole(each).header("Content-Encoding", "gzip"));
    CHECK(slug_of(refused) == "unsupported-media-type");
    CHECK(header_of(refused, "Accept-Encoding") == "identity");
    CHECK_FALSE(header_of(refused, "Accept-Patch"));
    CHECK(accepted(whole(each).header("Content-Encoding", "identity")).guid == guid_of("g-1"));
  }
  exchange with_server;
  CHECK_FALSE(header_of(with_server.answer(request(verb::put, contract_path)), "Accept-Encoding"));
}

TEST_CASE("a PUT with Content-Range is refused; other methods ignore the field") {
  for (const call& each : every_call) {
    exchange with_server;
    const auto part = whole(each).header("Content-Range", "bytes 0-10/20");
    if (each.method != verb::put) {
      CHECK(with_server.accept(part).guid == guid_of("g-1"));
      continue;
    }
    const response refused = with_server.answer(part);
    CHECK(slug_of(refused) == "malformed-request");
    CHECK(refused.close);
    CHECK(header_of(refused, "Idempotency-Expires"));
  }
}

TEST_CASE("errors of the header are found before 100 Continue is sent") {
  exchange with_server;
  const auto found = [&](request what) -> std::string {
    auto head = with_server.read_head(what);
    if (!head) return slug_of(head.error());
    const auto refused = with_server.handler.refuse_unsent_body(what.get(), *head);
    return refused ? slug_of(*refused) : "";
  };
  const auto put = [](std::string_view path) {
    return request(verb::put, path).header("Content-Type", "application/json").header("Idempotency-Key", "g");
  };
  CHECK(found(put(contract_path).header("If-Match", "*")) == "version-malformed");
  CHECK(found(put("/api/v1/orders/no-uuid").header("If-Match", "\"3\"")) == "order-not-found");
  CHECK(found(put(contract_path).header("If-Match", "\"3\"")).empty());
  CHECK(found(put(contract_path)).empty());  // its body may name the version
  CHECK(found(request(verb::put, contract_path).header("Content-Type", "application/json")).empty());  // and the GUID
  CHECK(found(request(verb::put, contract_path).header("Idempotency-Key", "g")) == "unsupported-media-type");
  CHECK(found(put(contract_path).header("Idempotency-Key", "g")) == "guid-malformed");
  CHECK(found(put("/api/v1/nothing")) == "not-found");
  CHECK(found(put(orders_path)) == "method-not-allowed");
  CHECK(found(request(verb::post, orders_path).header("Content-Type", "application/json").header("If-Match", "*"))
            .empty());
  CHECK(found(request(verb::get, "/api/v1/orders/no-uuid").header("If-Match", "*")).empty());
}

TEST_CASE("a body nested 64 levels deep is read, and a deeper one is malformed JSON") {
  const auto nested = [](std::size_t levels) {  // including the body itself and the attributes
    return json_with_attributes("{\"a\":" + std::string(levels - 2, '[') + std::string(levels - 2, ']') + "}");
  };
  const auto create = [](std::string_view json) {
    return request(verb::post, orders_path).header("Idempotency-Key", "g").json(json);
  };
  CHECK(accepted(create(nested(63))).guid == guid_of("g"));
  CHECK(accepted(create(nested(64))).guid == guid_of("g"));
  for (const std::size_t levels : {65u, 66u, 100u, 1'000u, 100'000u}) {
    CAPTURE(levels);
    CHECK(refused_as(create(nested(levels))) == "malformed-json");
  }
}

TEST_CASE("one handler handles valid and invalid, large and small requests in turn") {
  exchange with_server;
  for (int i = 0; i < 3; ++i) {
    CHECK(with_server.accept(whole(every_call[0])).command == command{create_order{contract_content()}});
    CHECK(slug_of(with_server.answer(request(verb::post, orders_path).header("Idempotency-Key", "g").json("{"))) ==
          "malformed-json");
    const std::string large = with_member(contract_json, "\"x\":\"" + std::string(300'000, 'x') + '"');
    CHECK(slug_of(with_server.answer(request(verb::post, orders_path).header("Idempotency-Key", "g").json(large))) ==
          "invalid-order");
  }
}

// --- responses that do not depend on the body ---

TEST_CASE("while the server recovers every write gets 503, and nothing is recorded") {
  for (const call& each : every_call) {
    exchange with_server(service_state::recovering);
    with_server.context.orders = nullptr;  // as while recovering
    const response refused = with_server.answer(whole(each));
    CHECK(refused.status == 503);
    CHECK(slug_of(refused) == "recovering");
    CHECK(header_of(refused, "Retry-After").has_value());
    CHECK(header_of(refused, "Idempotency-Expires") == now_text);
    CHECK_FALSE(header_of(refused, "Ordem-Position"));
  }
}

TEST_CASE("a server that is read-only or draining passes writes to the engine") {
  for (const service_state state : {service_state::read_only, service_state::draining}) {
    exchange with_server(state);
    for (const call& each : every_call) CHECK(with_server.accept(whole(each)).guid == guid_of("g-1"));
  }
}

TEST_CASE("a method that a path does not support gets 405 with Allow") {
  struct row {
    verb method;
    std::string path;
    std::string_view allowed;
  };
  const row rows[] = {
      {verb::put, std::string(orders_path), "GET, HEAD, POST"},
      {verb::delete_, std::string(orders_path), "GET, HEAD, POST"},
      {verb::post, contract_path, "GET, HEAD, PATCH, PUT"},
      {verb::delete_, contract_path, "GET, HEAD, PATCH, PUT"},
      {verb::get, status_path, "POST"},
      {verb::head, status_path, "POST"},
      {verb::put, status_path, "POST"},
      {verb::get, "/api/v1/orders/batch", "POST"},
      {verb::put, "/api/v1/orders/batch", "POST"},
      {verb::get, "/api/v1/batch", "POST"},
      {verb::patch, "/api/v1/batch", "POST"},
      {verb::post, contract_path + "/versions", "GET, HEAD"},
      {verb::put, "/api/v1/messages/g", "GET, HEAD"},
      {verb::post, "/-/ping", "GET, HEAD"},
      {verb::options, "/metrics", "GET, HEAD"},
      {verb::unknown, std::string(orders_path), "GET, HEAD, POST"},
  };
  for (const auto& [method, path, allowed] : rows) {
    CAPTURE(path, allowed);
    exchange with_server;
    const response refused = with_server.answer(request(method, path));
    CHECK(refused.status == 405);
    CHECK(slug_of(refused) == "method-not-allowed");
    CHECK(header_of(refused, "Allow") == allowed);
  }
}

TEST_CASE("an incomplete request is refused and its connection closed") {
  exchange with_server;
  with_server.orders.show_up_to({17});
  struct row {
    verb method;
    std::string target;
    bool writes;
  };
  const row rows[] = {
      {verb::post, std::string(orders_path), true},
      {verb::put, contract_path, true},
      {verb::patch, contract_path, true},
      {verb::post, status_path, true},
      {verb::get, contract_path, false},
      {verb::delete_, contract_path, false},
      {verb::post, "/nowhere", false},
      {verb::post, "no target", false},
      {verb::unknown, "", false},
  };
  for (const auto& [method, target, writes] : rows) {
    CAPTURE(target, writes);
    const response refused = refused_request(problem::body_too_large, "the body is too large", method,
                                             resource_of(find_route(target)), with_server.context);
    CHECK(refused.status == 413);
    CHECK(slug_of(refused) == "body-too-large");
    CHECK(refused.close);
    CHECK(header_of(refused, "Idempotency-Expires") == (writes ? std::optional<std::string>(now_text) : std::nullopt));
    CHECK(header_of(refused, "Ordem-Position") == (writes ? std::optional<std::string>("17") : std::nullopt));
  }
}

TEST_CASE("an incomplete write is refused without a position while the server recovers") {
  exchange with_server(service_state::recovering);
  with_server.context.orders = nullptr;  // as while recovering
  const response refused =
      refused_request(problem::request_timeout, "too slow", verb::post, resource::orders, with_server.context);
  CHECK(slug_of(refused) == "request-timeout");
  CHECK(header_of(refused, "Idempotency-Expires") == now_text);
  CHECK_FALSE(header_of(refused, "Ordem-Position"));
}

TEST_CASE("a refusal expires at the moment of the response") {
  exchange with_server;
  with_server.clock.advance(milliseconds{1'000});
  const response refused = with_server.answer(request(verb::post, orders_path).json(contract_json));
  CHECK(header_of(refused, "Idempotency-Expires") == "2026-11-22T10:15:31.123Z");
}

TEST_CASE("an update may be merged by a preference or by its body, and no other write") {
  for (const call& each : every_call) {
    CAPTURE(each.path);
    const bool can_merge = each.method == verb::put || each.method == verb::patch;
    const auto merges = [](const message& made) { return made.expected_version && made.expected_version->merges; };
    CHECK_FALSE(merges(accepted(whole(each))));
    CHECK(merges(accepted(whole(each).header("Prefer", "respond-async, merge"))) == can_merge);
    if (!can_merge) continue;
    const call in_body{each.method, each.path, each.json, each.has_target};
    request made(each.method, each.path);
    made.header("Idempotency-Key", "\"g-1\"").header("If-Match", "\"3\"");
    made.json(with_member(in_body.json, R"("on_conflict":"merge")"));
    CHECK(merges(accepted(made)));
  }
}

}  // namespace
}  // namespace ordem::http_edge
