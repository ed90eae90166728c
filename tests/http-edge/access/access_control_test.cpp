// What is refused before anything else about a request is told.
#include "http-edge/access/access_control.hpp"

#include <array>
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "auth/scope_names.hpp"
#include "tests/http-edge/access/fake_authenticator.hpp"
#include "tests/http-edge/exchange.hpp"

namespace ordem::http_edge {
namespace {

using namespace testing;
using auth::scope;

constexpr std::array<scope, auth::scopes> each_scope = {scope::orders_read, scope::orders_write, scope::messages_read,
                                                        scope::captures, scope::operations};

std::unique_ptr<fake_authenticator> some_identities() {
  auto made = std::make_unique<fake_authenticator>();
  for (const scope each : each_scope) made->add(auth::to_string(each), "shop", {each});
  made->add("all", "shop", all_scopes);
  made->add("nothing", "shop", {});
  return made;
}

struct secured : exchange {
  std::vector<std::string> denials;

  explicit secured(const access_settings& rules = {}, service_state state = service_state::ready)
      : exchange(state, rules, some_identities(),
                 {[this](const denied_request& what) {
                    denials.push_back(std::string(what.reason) + ' ' + std::string(what.address) + ' ' +
                                      std::string(what.name));
                  },
                  [](std::uint64_t) {}}) {
    connection.peer_address = "10.0.0.1";
  }

  response refusal_of(const request& what) {
    auto head = read_head(what);
    if (head) throw std::runtime_error("the request was accepted");
    return std::move(head.error());
  }
};

request with_token(verb method, std::string_view target, std::string_view token) {
  return request(method, target).header("Authorization", "Bearer " + std::string(token));
}

// The scopes that a path needs; nullopt: any identity is enough.
struct path_rule {
  std::string target;
  std::optional<scope> to_read;
  std::optional<scope> to_write;
};

std::vector<path_rule> path_rules() {
  const auto orders = [](std::string target) {
    return path_rule{std::move(target), scope::orders_read, scope::orders_write};
  };
  const auto always = [](std::string target, std::optional<scope> needed) {
    return path_rule{std::move(target), needed, needed};
  };
  return {orders("/api/v1/orders"),
          orders(contract_path),
          orders(contract_path + "/status"),
          orders(contract_path + "/versions"),
          orders(contract_path + "/versions/1"),
          orders("/api/v1/orders/batch"),
          orders("/api/v1/batch"),
          always("/api/v1/messages/g", scope::messages_read),
          orders("/api/v1/changes"),
          always("/api/v2/captures", scope::captures),
          always("/api/v2/captures/YQ", scope::captures),
          always("/-/position", scope::operations),
          always("/-/backup", scope::operations),
          always("/-/state", scope::operations),
          always("/-/settings", scope::operations),
          always("/metrics", scope::operations),
          always("/nowhere", std::nullopt),
          always("/%zz", std::nullopt),
          always("*", std::nullopt)};
}

constexpr verb each_method[] = {verb::get,   verb::head,    verb::post,   verb::put,
                                verb::patch, verb::delete_, verb::options};

TEST_CASE("every path and method needs its scope, whatever else is wrong with the request") {
  secured with_server;
  for (const path_rule& rule : path_rules()) {
    for (const verb method : each_method) {
      const bool reads = method == verb::get || method == verb::head;
      const auto needed = reads ? rule.to_read : rule.to_write;
      CAPTURE(rule.target, method);
      const response without = with_server.refusal_of(request(method, rule.target));
      CHECK(without.status == 401);
      CHECK(header_of(without, "WWW-Authenticate") == "Bearer");
      for (const scope given : each_scope) {
        CAPTURE(auth::to_string(given));
        const auto head = with_server.read_head(with_token(method, rule.target, auth::to_string(given)));
        const bool is_denied = !head && header_of(head.error(), "WWW-Authenticate");
        CHECK(is_denied == (needed && *needed != given));
        if (is_denied) {
          CHECK(head.error().status == 403);
          CHECK(header_of(head.error(), "WWW-Authenticate") ==
                "Bearer error=\"insufficient_scope\", scope=\"" + std::string(auth::to_string(*needed)) + '"');
        }
      }
      const auto all = with_server.read_head(with_token(method, rule.target, "all"));
      CHECK((all || !header_of(all.error(), "WWW-Authenticate")));
      const auto nothing = with_server.read_head(with_token(method, rule.target, "nothing"));
      CHECK((!nothing && header_of(nothing.error(), "WWW-Authenticate")) == needed.has_value());
    }
  }
}

TEST_CASE("health, documentation and problem pages are open to all") {
  secured with_server;
  for (const std::string_view target : {"/-/ping", "/-/live", "/-/ready", "/-/ready/reads", "/openapi.yaml",
                                        "/openapi.json", "/problems/", "/problems/not-found"}) {
    CAPTURE(target);
    CHECK(with_server.get(target).status == 200);
    CHECK(with_server.answer(with_token(verb::get, target, "no such key")).status == 200);
  }
  CHECK(with_server.denials.empty());
}

TEST_CASE("without an identity nothing else about a request is told, in any state of the server") {
  for (const auto state : {service_state::recovering, service_state::ready, service_state::read_only}) {
    secured with_server({}, state);
    with_server.orders.add(contract_order(order_status::fresh, {1}));
    const request requests[] = {
        request(verb::get, contract_path),
        request(verb::get, "/api/v1/orders/none"),
        request(verb::get, "/api/v1/orders?limit=x"),
        request(verb::delete_, contract_path),
        request(verb::get, "/nowhere"),
        request(verb::get, "/%zz"),
        request(verb::post, "/api/v1/orders").body("{"),
        request(verb::post, "/api/v1/orders").json("{"),
        request(verb::post, "/api/v1/orders").header("Idempotency-Key", "a b").json("{}"),
        request(verb::put, contract_path).header("Content-Range", "bytes 0-1/2").json("{}"),
        request(verb::post, "/api/v1/batch?keys=x"),
        request(verb::get, "/api/v1/messages/g"),
        request(verb::get, "/metrics"),
        request(verb::get, "/-/position"),
        request(verb::post, "/api/v1/orders").header("Origin", "http://evil.example").json("{}"),
    };
    for (const request& each : requests) {
      CAPTURE(std::string(each.get().target()));
      const response refused = with_server.refusal_of(each);
      CHECK(refused.status == 401);
      CHECK(slug_of(refused) == "unauthenticated");
      CHECK(refused.headers == "WWW-Authenticate: Bearer\r\n");
      CHECK_FALSE(refused.close);
    }
  }
}

TEST_CASE("a missing scope is named, and nothing else is told") {
  secured with_server;
  const response refused = with_server.refusal_of(with_token(verb::post, "/api/v1/orders?x=1", "orders:read"));
  CHECK(refused.status == 403);
  CHECK(slug_of(refused) == "forbidden");
  CHECK(member_of(refused.body, "scope") == "\"orders:write\"");
  CHECK(refused.headers == "WWW-Authenticate: Bearer error=\"insufficient_scope\", scope=\"orders:write\"\r\n");
}

TEST_CASE("a token that is refused is an invalid token; credentials of another scheme are none") {
  secured with_server;
  const auto challenge = [&](std::string_view authorization) {
    const response refused =
        with_server.refusal_of(request(verb::get, contract_path).header("Authorization", authorization));
    CHECK(refused.status == 401);
    return header_of(refused, "WWW-Authenticate").value();
  };
  CHECK(challenge("Bearer unknown") == "Bearer error=\"invalid_token\"");
  CHECK(challenge("bearer unknown") == "Bearer error=\"invalid_token\"");
  CHECK(challenge("Basic YTpi") == "Bearer");
  CHECK(challenge("Bearer") == "Bearer");
  CHECK(challenge("Bearerer x") == "Bearer");
  const response twice =
      with_server.refusal_of(with_token(verb::get, contract_path, "all").header("Authorization", "Bearer all"));
  CHECK(twice.status == 401);
  const response thrice = with_server.refusal_of(
      with_token(verb::get, contract_path, "all").header("Authorization", "").header("Authorization", "Bearer all"));
  CHECK(thrice.status == 401);
}

TEST_CASE("captures keep the form of their errors") {
  secured with_server;
  const response without = with_server.refusal_of(request(verb::put, "/api/v2/captures"));
  CHECK(without.status == 401);
  CHECK(without.content_type == "application/json");
  CHECK(without.body == "{\"error\":\"the request has no API key and no token\"}");
  CHECK(header_of(without, "WWW-Authenticate") == "Bearer");
  const response forbidden = with_server.refusal_of(with_token(verb::put, "/api/v2/captures", "orders:write"));
  CHECK(forbidden.status == 403);
  CHECK(forbidden.body == "{\"error\":\"the identity does not have the scope that this call needs\"}");
  CHECK(header_of(forbidden, "WWW-Authenticate") == "Bearer error=\"insufficient_scope\", scope=\"captures\"");
}

TEST_CASE("captures can be open while everything else needs an identity") {
  access_settings rules;
  rules.captures_are_open = true;
  secured with_server(rules);
  const auto head = with_server.read_head(request(verb::put, "/api/v2/captures"));
  REQUIRE(head);
  CHECK(head->origin == origin());
  CHECK(with_server.read_head(with_token(verb::delete_, "/api/v2/captures/YQ", "no such key")));
  CHECK(with_server.refusal_of(request(verb::get, contract_path)).status == 401);
}

TEST_CASE("captures with a listener of their own are open there alone") {
  access_settings rules;
  rules.captures_are_open = true;
  access_state shared(rules, hosts_by_listener(), {}, true);
  access_control control(shared, std::make_unique<fake_authenticator>());
  const auto is_open_by = [&control](listener_kind listener) {
    const request call(verb::put, "/api/v2/captures");
    return control.authorize(call.get(), resource::captures, {listener, "192.0.2.1", {}}).has_value();
  };
  CHECK(is_open_by(listener_kind::captures));
  CHECK_FALSE(is_open_by(listener_kind::main));
}

TEST_CASE("a request has the origin of its identity") {
  secured with_server;
  const auto by_key = with_server.read_head(with_token(verb::get, contract_path, "orders:read"));
  REQUIRE(by_key);
  CHECK(by_key->origin == origin{"shop", "orders:read"});
  const auto write = with_server.read_head(
      with_token(verb::put, contract_path, "orders:write").header("Idempotency-Key", "g").json("{}"));
  REQUIRE(write);
  CHECK(write->origin == origin{"shop", "orders:write"});
  with_server.connection.certificate_subject = "CN=captures";
  const auto by_certificate = with_server.read_head(request(verb::put, "/api/v2/captures"));
  REQUIRE(by_certificate);
  CHECK(by_certificate->origin == origin{"shop", "captures"});
}

TEST_CASE("without identities everything is open, and has no origin") {
  exchange with_server;
  const auto head = with_server.read_head(request(verb::get, contract_path));
  REQUIRE(head);
  CHECK(head->origin == origin());
  CHECK(with_server.get("/metrics").status == 200);
}

TEST_CASE("the operations listener needs no identity") {
  secured with_server;
  with_server.context.listeners.has_operations = true;
  with_server.connection.listener = listener_kind::operations;
  CHECK(with_server.get("/metrics").status == 200);
  CHECK(with_server.get("/-/position").status == 200);
  CHECK(with_server.get("/console/").status == 200);
  CHECK(with_server.refusal_of(request(verb::post, orders_path)).status == 404);
}

TEST_CASE("the operations listener needs an identity for what the console reads of data, settings and failures") {
  access_settings rules;
  rules.captures_are_open = true;
  secured with_server(rules);
  with_server.context.listeners = {true, true};
  with_server.connection.listener = listener_kind::operations;
  const std::string capture = "/api/v2/captures/YQ";
  const std::pair<std::string, scope> each_call[] = {{contract_path, scope::orders_read},
                                                     {"/api/v1/messages/g", scope::messages_read},
                                                     {capture, scope::captures},
                                                     {"/-/state", scope::operations},
                                                     {"/-/settings", scope::operations}};
  for (const auto& [target, needed] : each_call) {
    CAPTURE(target);
    CHECK(with_server.refusal_of(request(verb::get, target)).status == 401);
    CHECK(with_server.read_head(with_token(verb::get, target, auth::to_string(needed))));
    const scope other = needed == scope::captures ? scope::operations : scope::captures;
    CHECK(with_server.refusal_of(with_token(verb::get, target, auth::to_string(other))).status == 403);
  }
  CHECK(with_server.refusal_of(request(verb::delete_, capture)).status == 401);
  CHECK(with_server.refusal_of(with_token(verb::delete_, capture, "captures").header("Origin", "http://evil.example"))
            .status == 403);
}

TEST_CASE("denied requests are counted and logged with address, name and reason") {
  secured with_server;
  with_server.refusal_of(request(verb::get, contract_path));
  with_server.refusal_of(with_token(verb::get, contract_path, "unknown"));
  with_server.refusal_of(with_token(verb::get, contract_path, "captures"));
  with_server.refusal_of(with_token(verb::put, contract_path, "all").header("Origin", "http://evil.example"));
  CHECK(with_server.denials == std::vector<std::string>{"missing 10.0.0.1 ", "unknown_key 10.0.0.1 ",
                                                        "insufficient_scope 10.0.0.1 captures",
                                                        "foreign_origin 10.0.0.1 all"});
  CHECK(with_server.access.denials.count(auth::denial::missing) == 1);
  CHECK(with_server.access.denials.count(denial_cause::insufficient_scope) == 1);
}

TEST_CASE("no web page of another origin can write, with or without identities") {
  exchange with_server;
  with_server.orders.add(contract_order(order_status::fresh, {1}));
  struct header {
    std::string_view name;
    std::string_view value;
  };
  const header foreign[] = {{"Origin", "http://evil.example"},
                            {"Origin", "null"},
                            {"Sec-Fetch-Site", "cross-site"},
                            {"sec-fetch-site", "same-site"}};
  const std::pair<verb, std::string> writes[] = {
      {verb::post, "/api/v1/orders"},        {verb::put, contract_path},
      {verb::patch, contract_path},          {verb::post, contract_path + "/status"},
      {verb::post, "/api/v1/orders/batch"},  {verb::post, "/api/v1/batch"},
      {verb::put, "/api/v2/captures"},       {verb::post, "/api/v2/captures"},
      {verb::delete_, "/api/v2/captures/YQ"}};
  for (const auto& [name, value] : foreign) {
    for (const auto& [method, target] : writes) {
      CAPTURE(name, value, method, target);
      const auto head = with_server.read_head(request(method, target)
                                                  .header("Host", "127.0.0.1:8080")
                                                  .header(name, value)
                                                  .header("Content-Type", "application/json"));
      REQUIRE_FALSE(head);
      CHECK(head.error().status == 403);
      if (target.starts_with("/api/v1")) CHECK(slug_of(head.error()) == "forbidden-origin");
    }
    CHECK(with_server.answer(request(verb::get, contract_path).header("Host", "a").header(name, value)).status == 200);
  }
  const auto own = with_server.read_head(request(verb::put, contract_path)
                                             .header("Host", "127.0.0.1:8080")
                                             .header("Origin", "http://127.0.0.1:8080")
                                             .header("Sec-Fetch-Site", "same-origin")
                                             .header("Idempotency-Key", "g")
                                             .json("{}"));
  CHECK(own);
}

TEST_CASE("types that any web page may send are refused on every write") {
  exchange with_server;
  for (const std::string_view type : {"text/plain", "Text/Plain;charset=utf-8", "application/x-www-form-urlencoded",
                                      "multipart/form-data; boundary=x"}) {
    for (const auto& [method, target] :
         {std::pair(verb::post, std::string("/api/v1/orders")), std::pair(verb::put, contract_path),
          std::pair(verb::post, std::string("/api/v1/batch")), std::pair(verb::put, std::string("/api/v2/captures")),
          std::pair(verb::post, std::string("/api/v2/captures")),
          std::pair(verb::delete_, std::string("/api/v2/captures/YQ"))}) {
      CAPTURE(type, method, target);
      const auto head = with_server.read_head(request(method, target).header("Content-Type", type));
      REQUIRE_FALSE(head);
      CHECK(head.error().status == 415);
    }
  }
  CHECK(with_server.read_head(request(verb::put, "/api/v2/captures")));
}

TEST_CASE("a name in Host that is not allowed is misdirected, before the identity is looked at") {
  access_settings rules;
  rules.hosts = {"orders.example.com"};
  secured with_server(rules);
  const response refused =
      with_server.refusal_of(with_token(verb::get, contract_path, "all").header("Host", "evil.example"));
  CHECK(refused.status == 421);
  CHECK(slug_of(refused) == "misdirected-request");
  CHECK(with_server.denials == std::vector<std::string>{"misdirected_host 10.0.0.1 "});
  CHECK(with_server.read_head(with_token(verb::get, contract_path, "all").header("Host", "orders.example.com:8080")));
  CHECK(with_server.read_head(with_token(verb::get, contract_path, "all")));  // HTTP/1.0 has no Host
  CHECK(with_server.answer(request(verb::get, "/-/ready").header("Host", "evil.example")).status == 200);
}

TEST_CASE("each listener has its own names") {
  access_settings rules;
  rules.hosts = {"orders.example.com"};
  secured with_server(rules);
  with_server.context.listeners.has_operations = true;
  const request scrape = request(verb::get, "/metrics").header("Host", "ordem-operations:9090");
  with_server.connection.listener = listener_kind::operations;
  CHECK(with_server.answer(scrape).status == 200);
  with_server.connection.listener = listener_kind::main;
  CHECK(with_server.refusal_of(scrape).status == 421);
}

TEST_CASE("a request beyond the bounds of its tenant gets 429 before anything else is told") {
  access_settings rules;
  rules.tenants.rate = 1;
  secured with_server(rules);
  CHECK(with_server.read_head(with_token(verb::get, contract_path, "all")));
  const response refused = with_server.refusal_of(with_token(verb::get, "/nowhere", "all"));
  CHECK(refused.status == 429);
  CHECK(slug_of(refused) == "rate-limited");
  CHECK(header_of(refused, "Retry-After") == "1");
  const response of_capture = with_server.refusal_of(with_token(verb::put, "/api/v2/captures", "all"));
  CHECK(of_capture.status == 429);
  CHECK(of_capture.body.starts_with("{\"error\":\"the tenant sends more requests"));
  CHECK(header_of(of_capture, "Retry-After") == "1");
  CHECK(with_server.get("/-/ping").status == 200);
  CHECK(with_server.read_head(with_token(verb::get, "/metrics", "all")));
}

TEST_CASE("a request that is not authorised takes nothing of its tenant's bounds") {
  access_settings rules;
  rules.tenants.rate = 1;
  secured with_server(rules);
  for (int i = 0; i < 3; ++i) with_server.refusal_of(with_token(verb::get, contract_path, "captures"));
  CHECK(with_server.read_head(with_token(verb::get, contract_path, "all")));
}

}  // namespace
}  // namespace ordem::http_edge
