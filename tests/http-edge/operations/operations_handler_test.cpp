// The calls about the state of the server, its API description and its problem pages, through the handler.
#include "http-edge/operations/operations_handler.hpp"

#include <catch2/catch.hpp>

#include "http-edge/operations/problem_pages.hpp"
#include "tests/http-edge/exchange.hpp"

namespace ordem::http_edge {
namespace {

using namespace testing;
using namespace codec;

TEST_CASE("ping, live, metrics, the API's description and the problems are served, even while the server recovers") {
  struct row {
    std::string_view target;
    std::string_view type;
    std::string_view begin;
  };
  constexpr row rows[] = {
      {"/-/ping", "application/json", R"({"message":"pong"})"},
      {"/-/live", "application/json", R"({"status":"live"})"},
      {"/metrics", "text/plain; version=0.0.4; charset=utf-8", "ordem_up 1\n"},
      {"/openapi.yaml", "application/yaml", "openapi: 3."},
      {"/openapi.json", "application/json", R"({"openapi":"3.)"},
      {"/problems/", "text/html; charset=utf-8", "<!doctype html>"},
      {"/problems/guid-reused", "text/html; charset=utf-8", "<!doctype html>"},
  };
  for (const service_state state : {service_state::recovering, service_state::ready, service_state::draining}) {
    exchange with_server(state);
    for (const auto& [target, type, begin] : rows) {
      CAPTURE(target);
      const response got = with_server.get(target);
      CHECK(got.status == 200);
      CHECK(got.content_type == type);
      CHECK(got.body.starts_with(begin));
      CHECK(with_server.answer(request(verb::head, target)).status == 200);
    }
  }
}

TEST_CASE("/-/ready says whether the server takes writes, and if not, why") {
  struct row {
    service_state state;
    unsigned status;
    std::string_view name;
  };
  constexpr row rows[] = {
      {service_state::recovering, 503, "recovering"}, {service_state::ready, 200, "ready"},
      {service_state::no_owner, 503, "no-owner"},     {service_state::read_only, 503, "read-only"},
      {service_state::draining, 503, "draining"},
  };
  for (const auto& [state, status, name] : rows) {
    CAPTURE(name);
    exchange with_server(state);
    const response got = with_server.get("/-/ready");
    CHECK(got.status == status);
    CHECK(got.content_type == "application/json");
    CHECK(member_of(got.body, "status") == '"' + std::string(name) + '"');
    CHECK((member_of(got.body, "reason").size() > 2) == (status == 503));
    CHECK(header_of(got, "Retry-After").has_value() == (status == 503));
  }
}

TEST_CASE("/-/ready/reads says whether the server serves reads, which a read-only one does, and one without an owner") {
  struct row {
    service_state state;
    unsigned status;
    std::string_view name;
  };
  constexpr row rows[] = {
      {service_state::recovering, 503, "recovering"}, {service_state::ready, 200, "ready"},
      {service_state::no_owner, 200, "no-owner"},     {service_state::read_only, 200, "read-only"},
      {service_state::draining, 503, "draining"},
  };
  for (const auto& [state, status, name] : rows) {
    CAPTURE(name);
    exchange with_server(state);
    const response got = with_server.get("/-/ready/reads");
    CHECK(got.status == status);
    CHECK(member_of(got.body, "status") == '"' + std::string(name) + '"');
    CHECK((member_of(got.body, "reason").size() > 2) == (state != service_state::ready));
    CHECK(header_of(got, "Retry-After").has_value() == (status == 503));
    CHECK(with_server.answer(request(verb::head, "/-/ready/reads")).status == status);
  }
}

TEST_CASE("/-/position returns the positions of the log, with null without Postgres") {
  exchange with_server;
  const response alone = with_server.get("/-/position");
  CHECK(alone.status == 200);
  CHECK(alone.content_type == "application/json");
  CHECK(alone.headers.empty());
  CHECK(alone.body == R"({"decided":5,"durable":4,"persisted":null})");
  with_server.positions = {{9'007'199'254'740'993}, {3}, position{0}};
  CHECK(with_server.get("/-/position").body == R"({"decided":9007199254740993,"durable":3,"persisted":0})");
  CHECK(with_server.answer(request(verb::head, "/-/position")).body == with_server.get("/-/position").body);
}

TEST_CASE("/-/position works while the server is read-only or draining, not while it recovers") {
  for (const service_state state : {service_state::read_only, service_state::draining}) {
    exchange with_server(state);
    CHECK(with_server.get("/-/position").status == 200);
  }
  exchange with_server(service_state::recovering);
  with_server.context.positions = nullptr;  // as while recovering
  for (const verb method : {verb::get, verb::head}) {
    const response refused = with_server.answer(request(method, "/-/position"));
    CHECK(refused.status == 503);
    CHECK(slug_of(refused) == "recovering");
    CHECK(header_of(refused, "Retry-After").has_value());
  }
}

TEST_CASE("the state of the service") {
  service_status status;
  CHECK(status.now() == service_state::recovering);

  SECTION("is read-only from a failed write until writes work again") {
    status.set_ready();
    status.stop_writes();
    CHECK(status.now() == service_state::read_only);
    status.resume_writes();
    CHECK(status.now() == service_state::ready);
  }
  SECTION("is not ready before the start is done, whatever becomes of writes meanwhile") {
    status.stop_writes();
    CHECK(status.now() == service_state::read_only);
    status.resume_writes();
    CHECK(status.now() == service_state::recovering);
  }
  SECTION("keeps a failure that comes before the start is done") {
    status.stop_writes();
    status.set_ready();
    CHECK(status.now() == service_state::read_only);
  }
  SECTION("of a node follows whether it reaches an owner, once the start is done") {
    status.set_routes(false);
    CHECK(status.now() == service_state::recovering);
    status.set_ready();
    CHECK(status.now() == service_state::no_owner);
    status.stop_writes();
    CHECK(status.now() == service_state::read_only);
    status.resume_writes();
    status.set_routes(true);
    CHECK(status.now() == service_state::ready);
  }
  SECTION("stays draining") {
    status.set_draining();
    status.stop_writes();
    status.resume_writes();
    CHECK(status.now() == service_state::draining);
  }
}

TEST_CASE("the type of every problem leads to its page") {
  exchange with_server;
  for (const problem_row& row : problem_table()) {
    CAPTURE(row.slug);
    const response got = with_server.get("/problems/" + std::string(row.slug));
    CHECK(got.status == 200);
    CHECK(got.body == problem_page(row));
  }
  CHECK(slug_of(with_server.get("/problems/no-such-problem")) == "not-found");
}

}  // namespace
}  // namespace ordem::http_edge
