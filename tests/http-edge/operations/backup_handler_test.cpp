// The calls of /-/backup, through the handler.
#include "http-edge/operations/backup_handler.hpp"

#include <catch2/catch.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/http-edge/access/fake_authenticator.hpp"
#include "tests/http-edge/exchange.hpp"

namespace ordem::http_edge {
namespace {

using namespace testing;

class fake_backups final : public backup_port {
 public:
  std::vector<std::string> asked;
  backup_state now;
  std::optional<backup_refusal> refusal;

  tl::expected<backup_state, backup_refusal> begin(std::string_view to) override {
    asked.emplace_back(to);
    if (refusal) return tl::make_unexpected(*refusal);
    return now;
  }
  backup_state state() const override { return now; }
};

struct backup_exchange : exchange {
  fake_backups backups;

  explicit backup_exchange(service_state state = service_state::ready,
                           std::unique_ptr<auth::authenticator> authenticator = nullptr)
      : exchange(state, {}, std::move(authenticator)) {
    context.backups = &backups;
  }
  response post(std::string_view body) { return answer(request(verb::post, "/-/backup").json(body)); }
};

const timestamp began = sample_time;

TEST_CASE("a back-up is begun by its name, and answered with its state") {
  backup_exchange with_server;
  with_server.backups.now = {backup_status::running, "/b/\"monday\"", began, {}, 10, 0, 2, {}, {}};
  const response got = with_server.post(R"({"to":"monday"})");
  CHECK(got.status == 202);
  CHECK(header_of(got, "Location") == "/-/backup");
  CHECK(with_server.backups.asked == std::vector<std::string>{"monday"});
  const std::string begun = "\"began_at\":\"" + to_rfc3339(began) + '"';
  CHECK(got.body == "{\"status\":\"running\",\"folder\":\"/b/\\\"monday\\\"\"," + begun + ",\"files\":2,\"bytes\":10}");
  CHECK(with_server.get("/-/backup").body == got.body);
  CHECK(with_server.get("/-/backup").status == 200);
  CHECK(with_server.answer(request(verb::head, "/-/backup")).status == 200);
}

TEST_CASE("the state of a back-up has what is known of it") {
  backup_exchange with_server;
  CHECK(with_server.get("/-/backup").body == R"({"status":"none"})");
  with_server.backups.now = {backup_status::made, "/b/a", began, began + milliseconds(5), 10, 7, 2, {17}, {}};
  const std::string times =
      "\"began_at\":\"" + to_rfc3339(began) + "\",\"ended_at\":\"" + to_rfc3339(began + milliseconds(5)) + '"';
  CHECK(with_server.get("/-/backup").body == "{\"status\":\"made\",\"folder\":\"/b/a\"," + times +
                                                 ",\"files\":2,\"bytes\":10,\"bytes_linked\":7,\"position\":17}");
  with_server.backups.now.status = backup_status::failed;
  with_server.backups.now.reason = "no space";
  CHECK(with_server.get("/-/backup").body ==
        "{\"status\":\"failed\",\"folder\":\"/b/a\"," + times + ",\"files\":2,\"bytes\":10,\"reason\":\"no space\"}");
}

TEST_CASE("a back-up that is refused has the problem and its detail") {
  backup_exchange with_server;
  with_server.backups.refusal = {codec::problem::backup_running, "it goes to /b/a"};
  response got = with_server.post(R"({"to":"b"})");
  CHECK(got.status == 409);
  CHECK(slug_of(got) == "backup-running");
  CHECK(member_of(got.body, "detail") == R"("it goes to /b/a")");
  with_server.backups.refusal->which = codec::problem::backup_refused;
  got = with_server.post(R"({"to":"b"})");
  CHECK(got.status == 422);
  CHECK(slug_of(got) == "backup-refused");
}

TEST_CASE("a body that does not name a back-up begins none") {
  backup_exchange with_server;
  for (const char* body : {"{}", "[]", "\"a\"", R"({"to":1})", R"({"to":"a","x":1})", R"({"to":"a","to":"b"})"}) {
    CAPTURE(body);
    CHECK(slug_of(with_server.post(body)) == "backup-refused");
  }
  for (const char* body : {"", "{",
                           R"({"to":"a"})"
                           " x"}) {
    CAPTURE(body);
    CHECK(slug_of(with_server.post(body)) == "malformed-json");
  }
  const auto typed = [&](std::string_view type) {
    return slug_of(
        with_server.answer(request(verb::post, "/-/backup").header("Content-Type", type).body(R"({"to":"a"})")));
  };
  CHECK(typed("text/plain") == "unsupported-media-type");
  CHECK(slug_of(with_server.answer(request(verb::post, "/-/backup").body(R"({"to":"a"})"))) ==
        "unsupported-media-type");
  CHECK(slug_of(with_server.answer(
            request(verb::post, "/-/backup").header("Content-Encoding", "gzip").json(R"({"to":"a"})"))) ==
        "unsupported-media-type");
  CHECK(slug_of(with_server.answer(request(verb::post, "/-/backup?x=y").json(R"({"to":"a"})"))) == "malformed-query");
  CHECK(with_server.backups.asked.empty());
}

TEST_CASE("no back-up is begun while the server recovers or drains; a read-only one makes some") {
  const auto [state, slug] = GENERATE(table<service_state, std::string>(
      {{service_state::recovering, "recovering"}, {service_state::draining, "draining"}}));
  backup_exchange stopped(state);
  CHECK(slug_of(stopped.post(R"({"to":"a"})")) == slug);
  CHECK(stopped.backups.asked.empty());
  backup_exchange read_only(service_state::read_only);
  CHECK(read_only.post(R"({"to":"a"})").status == 202);
}

// It writes to the disk, so it is not open to all who reach that port, as metrics are; nor to a web page.
TEST_CASE("the operations listener needs an identity for a back-up, and refuses web pages") {
  auto known = std::make_unique<fake_authenticator>();
  known->add("operator", "", {auth::scope::operations});
  known->add("clerk", "", {auth::scope::orders_write});
  backup_exchange with_server(service_state::ready, std::move(known));
  with_server.context.listeners.has_operations = true;
  with_server.connection.listener = listener_kind::operations;
  const auto post_as = [&](std::string_view name) {
    return with_server.answer(
        request(verb::post, "/-/backup").header("Authorization", "Bearer " + std::string(name)).json(R"({"to":"a"})"));
  };
  CHECK(with_server.post(R"({"to":"a"})").status == 401);
  CHECK(post_as("nobody").status == 401);
  CHECK(post_as("clerk").status == 403);
  CHECK(with_server.backups.asked.empty());
  CHECK(with_server.get("/-/backup").status == 200);
  CHECK(post_as("operator").status == 202);

  backup_exchange open;
  open.connection.listener = listener_kind::operations;
  open.context.listeners.has_operations = true;
  const response foreign = open.answer(request(verb::post, "/-/backup")
                                           .header("Host", "127.0.0.1:8081")
                                           .header("Origin", "http://evil.example")
                                           .json(R"({"to":"a"})"));
  CHECK(slug_of(foreign) == "forbidden-origin");
  CHECK(open.backups.asked.empty());
}

}  // namespace
}  // namespace ordem::http_edge
