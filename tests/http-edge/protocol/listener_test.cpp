#include "http-edge/protocol/listener.hpp"

#include <catch2/catch.hpp>
#include <string>

#include "http-edge/protocol/route.hpp"

namespace ordem::http_edge {
namespace {

// Who serves a path: the main listener if it is alone, the main listener beside one for operations, and the two others.
struct row {
  std::string target;
  bool main_alone;
  bool main_beside_operations;
  bool operations;
  bool captures;
};

TEST_CASE("which resources a listener serves") {
  const auto [target, main_alone, main_beside_operations, operations, captures] = GENERATE(values<row>({
      {"/api/v1/orders", true, true, false, false},
      {"/api/v1/orders/0190b3f2-9f6c-7cc0-8000-5f3a1c2d4e6f", true, true, false, false},
      {"/api/v1/orders/0190b3f2-9f6c-7cc0-8000-5f3a1c2d4e6f/status", true, true, false, false},
      {"/api/v1/orders/0190b3f2-9f6c-7cc0-8000-5f3a1c2d4e6f/versions", true, true, false, false},
      {"/api/v1/orders/0190b3f2-9f6c-7cc0-8000-5f3a1c2d4e6f/versions/1", true, true, false, false},
      {"/api/v1/orders/batch", true, true, false, false},
      {"/api/v1/batch", true, true, false, false},
      {"/api/v1/messages/m-1", true, true, false, false},
      {"/api/v1/changes", true, true, false, false},
      {"/api/v2/captures", true, true, false, true},
      {"/api/v2/captures/aw", true, true, false, true},
      {"/-/ping", true, true, true, true},
      {"/-/live", true, true, true, true},
      {"/-/ready", true, true, true, true},
      {"/-/ready/reads", true, true, true, true},
      {"/-/position", true, false, true, false},
      {"/-/backup", true, false, true, false},
      {"/-/state", true, false, false, false},
      {"/-/settings", true, false, false, false},
      {"/metrics", true, false, true, false},
      {"/console/", true, false, true, false},
      {"/console/app.js", true, false, true, false},
      {"/openapi.yaml", true, true, true, false},
      {"/openapi.json", true, true, true, false},
      {"/problems", true, true, true, false},
      {"/problems/order-not-found", true, true, true, false},
      {"/nothing", false, false, false, false},
  }));
  CAPTURE(target);
  const resource what = resource_of(find_route(target));
  constexpr auto post = boost::beast::http::verb::post;
  CHECK((what == resource::unknown) == (target == "/nothing"));
  CHECK(serves(listener_kind::main, {}, what, post) == main_alone);
  CHECK(serves(listener_kind::main, {true, false}, what, post) == main_beside_operations);
  CHECK(serves(listener_kind::operations, {true, false}, what, post) == operations);
  CHECK(serves(listener_kind::captures, {}, what, post) == captures);
  CHECK(serves(listener_kind::captures, {true, true}, what, post) == captures);
}

TEST_CASE("which calls the operations listener serves for the console") {
  using boost::beast::http::verb;
  struct call {
    std::string target;
    verb method;
    bool served;
  };
  const std::string order = "/api/v1/orders/0190b3f2-9f6c-7cc0-8000-5f3a1c2d4e6f";
  const auto [target, method, served] = GENERATE_COPY(values<call>({
      {"/api/v1/orders", verb::get, true},
      {"/api/v1/orders", verb::post, false},
      {order, verb::get, true},
      {order, verb::head, true},
      {order, verb::put, false},
      {order, verb::patch, false},
      {order + "/status", verb::post, false},
      {order + "/status", verb::get, false},
      {order + "/versions", verb::get, true},
      {order + "/versions/1", verb::get, true},
      {"/api/v1/orders/batch", verb::post, false},
      {"/api/v1/batch", verb::post, false},
      {"/api/v1/messages/m-1", verb::get, true},
      {"/api/v1/messages/m-1", verb::post, false},
      {"/api/v2/captures", verb::put, false},
      {"/api/v2/captures", verb::post, false},
      {"/api/v2/captures/aw", verb::get, true},
      {"/api/v2/captures/aw", verb::delete_, true},
      {"/api/v2/captures/aw", verb::put, false},
  }));
  CAPTURE(target, method);
  const resource what = resource_of(find_route(target));
  CHECK(is_console_call(what, method) == served);
  CHECK(serves(listener_kind::operations, {true, true}, what, method) == served);
  CHECK_FALSE(serves(listener_kind::operations, {true, false}, what, method));
}

TEST_CASE("the operations listener serves state and settings where it serves data") {
  const resource what = GENERATE(resource::state, resource::settings);
  CHECK(serves(listener_kind::operations, {true, true}, what, boost::beast::http::verb::get));
  CHECK_FALSE(serves(listener_kind::operations, {true, false}, what, boost::beast::http::verb::get));
  CHECK_FALSE(serves(listener_kind::main, {true, true}, what, boost::beast::http::verb::get));
}

TEST_CASE("each listener has a name of its own") {
  CHECK(to_string(listener_kind::main) == "main");
  CHECK(to_string(listener_kind::operations) == "operations");
  CHECK(to_string(listener_kind::captures) == "captures");
}

}  // namespace
}  // namespace ordem::http_edge
