#include "http-edge/protocol/route.hpp"

#include <catch2/catch.hpp>

namespace ordem::http_edge {
namespace {

using boost::beast::http::verb;

constexpr resource every_resource[] = {
    resource::orders,  resource::order,          resource::order_status,  resource::order_batch,
    resource::batch,   resource::order_versions, resource::order_version, resource::message,
    resource::changes, resource::captures,       resource::capture,       resource::ping,
    resource::ready,   resource::ready_reads,    resource::live,          resource::position,
    resource::metrics, resource::openapi,        resource::openapi_json,  resource::problems,
    resource::problem, resource::backup,         resource::state,         resource::settings,
    resource::console, resource::console_file,   resource::unknown,
};

constexpr verb every_method[] = {verb::get,     verb::head,    verb::post,  verb::put,     verb::patch,
                                 verb::delete_, verb::options, verb::trace, verb::connect, verb::unknown};

TEST_CASE("a path names its resource and its variable parts") {
  struct row {
    std::string_view target;
    resource expected;
    std::string_view name;
    std::string_view version;
  };
  constexpr row rows[] = {
      {"/api/v1/orders", resource::orders, "", ""},
      {"/api/v1/orders?customer_id=c", resource::orders, "", ""},
      {"/api/v1/orders/abc", resource::order, "abc", ""},
      {"/api/v1/orders/abc/status", resource::order_status, "abc", ""},
      {"/api/v1/orders/batch", resource::order_batch, "batch", ""},
      {"/api/v1/orders/b%61tch", resource::order_batch, "batch", ""},
      {"/api/v1/batch", resource::batch, "", ""},
      {"/api/v1/orders/batch/status", resource::order_status, "batch", ""},
      {"/api/v1/orders/abc/versions", resource::order_versions, "abc", ""},
      {"/api/v1/orders/abc/versions?limit=5", resource::order_versions, "abc", ""},
      {"/api/v1/orders/abc/versions/7", resource::order_version, "abc", "7"},
      {"/api/v1/messages/guid-1", resource::message, "guid-1", ""},
      {"/api/v1/changes", resource::changes, "", ""},
      {"/api/v1/changes?after=7", resource::changes, "", ""},
      {"/api/v2/captures", resource::captures, "", ""},
      {"/api/v2/captures?x=y", resource::captures, "", ""},
      {"/api/v2/captures/some-key", resource::capture, "some-key", ""},
      {"/-/ping", resource::ping, "", ""},
      {"/-/ready", resource::ready, "", ""},
      {"/-/ready/reads", resource::ready_reads, "", ""},
      {"/-/live", resource::live, "", ""},
      {"/-/position", resource::position, "", ""},
      {"/-/backup", resource::backup, "", ""},
      {"/-/state", resource::state, "", ""},
      {"/-/settings", resource::settings, "", ""},
      {"/console", resource::console, "", ""},
      {"/console/", resource::console, "", ""},
      {"/console/app.js", resource::console_file, "app.js", ""},
      {"/metrics", resource::metrics, "", ""},
      {"/openapi.yaml", resource::openapi, "", ""},
      {"/openapi.json", resource::openapi_json, "", ""},
      {"/problems", resource::problems, "", ""},
      {"/problems/guid-reused", resource::problem, "guid-reused", ""},
      {"http://example.org/api/v1/orders", resource::orders, "", ""},
      {"http://example.org:8080/api/v1/orders/abc", resource::order, "abc", ""},
      {"https://example.org/-/ping?x=y", resource::ping, "", ""},
  };
  for (const auto& [target, expected, name, version] : rows) {
    CAPTURE(target);
    const auto found = find_route(target);
    REQUIRE(found);
    CHECK(found->resource == expected);
    CHECK(found->name == name);
    CHECK(found->version == version);
  }
}

TEST_CASE("the parts of a path are percent-decoded after it is split") {
  struct row {
    std::string_view target;
    resource expected;
    std::string_view name;
  };
  constexpr row rows[] = {
      {"/api/v1/messages/a%2Fb", resource::message, "a/b"},
      {"/api/v1/messages/%22quoted%22", resource::message, "\"quoted\""},
      {"/api/v1/messages/100%25", resource::message, "100%"},
      {"/api/v1/messages/a+b", resource::message, "a+b"},
      {"/api/v1/messages/a%3Fb", resource::message, "a?b"},
      {"/api/v1/messages/caf%c3%a9", resource::message, "caf\xC3\xA9"},
      {"/%61pi/v1/orders/abc", resource::order, "abc"},
      {"/api/v2/captures/a%2Fb", resource::capture, "a/b"},
      {"/api/v2/captures/some%2dkey", resource::capture, "some-key"},
      {"/api/v2/capture%73", resource::captures, ""},
      {"/api/v1/ord%65rs", resource::orders, ""},
      {"/api%2Fv1/orders", resource::unknown, ""},
      {"/api/v1/orders%2Fabc", resource::unknown, ""},
  };
  for (const auto& [target, expected, name] : rows) {
    CAPTURE(target);
    const auto found = find_route(target);
    REQUIRE(found);
    CHECK(found->resource == expected);
    CHECK(found->name == name);
  }
}

TEST_CASE("other paths are unknown") {
  constexpr std::string_view unknown[] = {
      "/",
      "//",
      "/api",
      "/api/v1",
      "/api/v1/",
      "/api/v2/orders",
      "/api/v2",
      "/api/v2/",
      "/api/v2/capture",
      "/api/v1/captures",
      "/api/v1/captures/some-key",
      "/api/v2/messages/a",
      "/api/v2/captures/some-key/x",
      "/api/captures",
      "/API/v1/orders",
      "/api/v1/Orders",
      "/api/v1/order",
      "/api/v1/orders/abc/stat",
      "/api/v1/orders/abc/versions/1/2",
      "/api/v1/messages",
      "/api/v1/messages/a/b",
      "/-",
      "/-/",
      "/-/pong",
      "/-/positions",
      "/openapi.yml",
      "/api/v1/../v1/orders",
      "/api/v1//orders",
      "/api/v1/orders//",
      "/api/v1/orders//status",
      "/api/v1/messages/",
      "/api/v2/captures//",
      "/problems//",
      "/-/ping//",
  };
  for (const std::string_view target : unknown) {
    CAPTURE(target);
    const auto found = find_route(target);
    REQUIRE(found);
    CHECK(found->resource == resource::unknown);
  }
}

TEST_CASE("a slash at the end of a path is ignored") {
  for (const std::string_view path :
       {"/api/v1/orders", "/api/v1/orders/abc", "/api/v1/orders/abc/status", "/api/v1/orders/batch", "/api/v1/batch",
        "/api/v1/orders/abc/versions", "/api/v1/orders/abc/versions/7", "/api/v1/messages/guid-1", "/api/v2/captures",
        "/api/v2/captures/some-key", "/-/ping", "/-/position", "/metrics", "/openapi.yaml", "/openapi.json",
        "/problems", "/problems/guid-reused", "http://example.org/api/v1/orders"}) {
    CAPTURE(path);
    const auto without = find_route(path);
    REQUIRE(without);
    CHECK(without->resource != resource::unknown);
    for (const std::string_view behind : {"/", "/?limit=5"}) {
      const auto with = find_route(std::string(path) + std::string(behind));
      REQUIRE(with);
      CHECK(with->resource == without->resource);
      CHECK(with->name == without->name);
      CHECK(with->version == without->version);
    }
  }
}

// Browsers, curl and Node send them.
TEST_CASE("characters that a client does not encode are data") {
  constexpr std::string_view raw[] = {"acme|17", "m\xC3\xBCller", "{a}",  "[a]", "a^b",
                                      "a`b",     "\"a\"",         "a\\b", "<a>", "a\xFFz"};
  for (const std::string_view text : raw) {
    CAPTURE(text);
    for (const std::string_view host : {"", "http://example.org", "http://[::1]:8080"}) {
      const auto listed = find_route(std::string(host) + "/api/v1/orders?customer_id=" + std::string(text));
      REQUIRE(listed);
      CHECK(listed->resource == resource::orders);
      CHECK(listed->query_value("customer_id") == text);
      const auto message = find_route(std::string(host) + "/api/v1/messages/" + std::string(text) + "%7C?x[" +
                                      std::string(text) + "]=1");
      REQUIRE(message);
      CHECK(message->resource == resource::message);
      CHECK(message->name == std::string(text) + '|');
      CHECK(message->query_value("x[" + std::string(text) + ']') == "1");
    }
  }
}

TEST_CASE("an invalid target has no route") {
  constexpr std::string_view garbage[] = {
      "",
      "*",
      "api/v1/orders",
      "/api/v1/orders/%",
      "/api/v1/orders/%4",
      "/api/v1/orders/%zz",
      "/api/v1/orders?limit=%",
      "/api/v1/orders#fragment",
      "/api/v1/orders/a b",
      "http://",
      "http://exa mple.org/metrics",
      "http://exa|mple.org/metrics",
      "http://[::1/metrics",
      "/metrics?a|b%",
  };
  for (const std::string_view target : garbage) {
    CAPTURE(target);
    const auto found = find_route(target);
    CHECK((!found || (target == "http://" && found->resource == resource::unknown)));
  }
  CHECK_FALSE(find_route(std::string_view("/api/v1/orders\0", 15)));
}

TEST_CASE("an absolute target needs a host, so that paths of other schemes name no resource") {
  for (const std::string_view target : {"mailto:metrics", "x:metrics", "urn:-/ping", "localhost:metrics"}) {
    CAPTURE(target);
    const auto found = find_route(target);
    CHECK((!found || found->resource == resource::unknown));
  }
}

TEST_CASE("query parameters are decoded, in order") {
  using parameters = std::vector<std::pair<std::string, std::string>>;
  struct row {
    std::string_view query;
    parameters expected;
  };
  const row rows[] = {
      {"?customer_id=c-1&limit=5&cursor=x", {{"customer_id", "c-1"}, {"limit", "5"}, {"cursor", "x"}}},
      {"?customer_id=a%20b%26c%3Dd", {{"customer_id", "a b&c=d"}}},
      {"?customer_id=a+b", {{"customer_id", "a b"}}},
      {"?customer_id=a%2Bb", {{"customer_id", "a+b"}}},
      {"?customer_id=caf%C3%A9", {{"customer_id", "caf\xC3\xA9"}}},
      {"?%6Cimit=5", {{"limit", "5"}}},
      {"?limit", {{"limit", ""}}},
      {"?limit=", {{"limit", ""}}},
      {"?a=b=c", {{"a", "b=c"}}},
      {"?a=/?", {{"a", "/?"}}},
      {"?limit=1&limit=2", {{"limit", "1"}, {"limit", "2"}}},
      {"?limit=1&", {{"limit", "1"}}},
      {"?=1&a", {{"", "1"}, {"a", ""}}},
  };
  for (const auto& [query, expected] : rows) {
    CAPTURE(query);
    const auto found = find_route("/api/v1/orders" + std::string(query));
    REQUIRE(found);
    CHECK(found->query == expected);
  }
}

// Some HTTP clients always send it.
TEST_CASE("an empty query has no parameters") {
  for (const std::string_view target :
       {"/api/v1/orders?", "/api/v1/orders/abc?", "/-/ping?", "/-/ping?&", "/-/ping?&&"}) {
    CAPTURE(target);
    const auto found = find_route(target);
    REQUIRE(found);
    CHECK(found->query.empty());
  }
}

TEST_CASE("a query value is looked up by its key") {
  const auto found = find_route("/api/v1/orders?a=1&b=&a=2");
  REQUIRE(found);
  CHECK(found->query_value("a") == "1");
  CHECK(found->query_value("b") == "");
  CHECK_FALSE(found->query_value("c"));
}

TEST_CASE("each resource has its methods") {
  struct row {
    resource what;
    std::string_view allowed;
  };
  constexpr row rows[] = {
      {resource::orders, "GET, HEAD, POST"},
      {resource::order, "GET, HEAD, PATCH, PUT"},
      {resource::order_status, "POST"},
      {resource::order_versions, "GET, HEAD"},
      {resource::order_version, "GET, HEAD"},
      {resource::message, "GET, HEAD"},
      {resource::changes, "GET, HEAD"},
      {resource::captures, "POST, PUT"},
      {resource::capture, "DELETE, GET, HEAD"},
      {resource::ping, "GET, HEAD"},
      {resource::ready, "GET, HEAD"},
      {resource::ready_reads, "GET, HEAD"},
      {resource::live, "GET, HEAD"},
      {resource::metrics, "GET, HEAD"},
      {resource::position, "GET, HEAD"},
      {resource::openapi, "GET, HEAD"},
      {resource::openapi_json, "GET, HEAD"},
      {resource::problems, "GET, HEAD"},
      {resource::problem, "GET, HEAD"},
      {resource::backup, "GET, HEAD, POST"},
      {resource::state, "GET, HEAD"},
      {resource::settings, "GET, HEAD"},
      {resource::console, "GET, HEAD"},
      {resource::console_file, "GET, HEAD"},
      {resource::unknown, ""},
  };
  for (const auto& [what, allowed] : rows) {
    CAPTURE(static_cast<int>(what));
    CHECK(allowed_methods(what) == allowed);
  }
}

TEST_CASE("Allow lists exactly the allowed methods") {
  for (const resource what : every_resource) {
    const std::string allowed = ", " + std::string(allowed_methods(what)) + ",";
    for (const verb method : every_method) {
      const std::string name(to_string(method));
      CAPTURE(static_cast<int>(what), name);
      CHECK(allows(what, method) == (allowed.find(", " + name + ",") != std::string::npos));
    }
  }
}

TEST_CASE("is_of_captures holds for captures and capture only") {
  for (const resource what : every_resource) {
    CAPTURE(static_cast<int>(what));
    CHECK(is_of_captures(what) == (what == resource::captures || what == resource::capture));
  }
}

TEST_CASE("is_write holds for create, replace, merge, change of status and batches") {
  std::vector<std::pair<resource, verb>> writes;
  for (const resource what : every_resource) {
    for (const verb method : every_method) {
      if (is_write(what, method)) writes.emplace_back(what, method);
    }
  }
  CHECK(writes == std::vector<std::pair<resource, verb>>{{resource::orders, verb::post},
                                                         {resource::order, verb::put},
                                                         {resource::order, verb::patch},
                                                         {resource::order_status, verb::post},
                                                         {resource::order_batch, verb::post},
                                                         {resource::batch, verb::post}});
}

TEST_CASE("the template of a path is one of its resource") {
  for (const resource what : every_resource) {
    CAPTURE(path_template(what));
    if (what == resource::unknown) {
      CHECK(path_template(what) == "unknown");
    } else {
      CHECK(find_route(path_template(what))->resource == what);
    }
  }
}

TEST_CASE("is_of_batches holds for batches only") {
  for (const resource what : every_resource) {
    CAPTURE(static_cast<int>(what));
    CHECK(is_of_batches(what) == (what == resource::order_batch || what == resource::batch));
  }
}

}  // namespace
}  // namespace ordem::http_edge
