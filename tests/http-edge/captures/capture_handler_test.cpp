// The calls of captures: their requests to the engine, and the responses to its answers.
#include "http-edge/captures/capture_handler.hpp"

#include <catch2/catch.hpp>

#include "engine/model/tenant_key.hpp"
#include "http-edge/orders/rendering.hpp"
#include "tests/http-edge/exchange.hpp"
#include "tests/support_cpp/captures.hpp"
#include "tests/support_cpp/origins.hpp"

namespace ordem::http_edge {
namespace {

using namespace testing;

constexpr std::string_view captures_path = "/api/v2/captures";
constexpr std::string_view put_body = R"({"idempotency_key":"some-key"})";
constexpr std::string_view post_body = R"({"idempotency_key":"some-key","response":{"response_status":201}})";
constexpr std::string_view malformed_key =
    R"({"error":"Malformed idempotency key. Use URL safe base64 encoding without padding"})";

capture_request accepted(const request& what) {
  exchange with_server;
  auto made = with_server.handle(what);
  if (const auto* refused = std::get_if<response>(&made)) throw std::runtime_error(refused->body);
  return std::get<capture_request>(std::move(made));
}

std::string capture_path_of(std::string_view name) {
  return std::string(captures_path) + '/' + std::string(name);
}

class fake_captures final : public capture_reader {
 public:
  tenant_map<capture_key, shared_capture> kept;
  bool fails = false;

  read_result<shared_capture> find_capture(std::string_view tenant, const capture_key& key,
                                           const clock_reading& now) const override {
    if (fails) return tl::make_unexpected(read_error::storage_failed);
    const auto found = kept.find(tenant_key_view<capture_key>{tenant, key});
    return found == kept.end() || !found->second->is_kept_at(now) ? nullptr : found->second;
  }
};

struct capture_exchange : exchange {
  fake_captures captures;
  explicit capture_exchange(service_state state = service_state::ready) : exchange(state) {
    context.captures = &captures;
  }
  void keep(const origin& of, std::string_view key, const shared_capture& what) {
    auto made = std::make_shared<capture>(*what);
    made->origin = of;
    captures.kept.insert_or_assign({of.tenant, key_of(key)}, std::move(made));
  }
};

// --- reads ---

TEST_CASE("a GET shows a capture of the tenant and allocates nothing") {
  capture_exchange with_server;
  with_server.keep({}, "leased", allocated_at(sample_time));
  with_server.keep(shop_till, "done", recorded_at(sample_time, response_of("made", 201)));
  with_server.orders.show_up_to({7});

  const response leased = with_server.get(capture_path_of("leased"));
  CHECK(leased.status == 200);
  CHECK(header_of(leased, "Ordem-Position") == "7");
  CHECK(leased.body == R"({"idempotency_key":"leased","state":"allocated","allocated_at":")" + to_rfc3339(sample_time) +
                           R"(","lease_ends_at":")" + to_rfc3339(sample_time + sample_terms.lease) +
                           R"(","expires_at":")" + to_rfc3339(sample_time + sample_terms.ttl) +
                           R"(","response":null})");
  CHECK(with_server.answer(request(verb::head, capture_path_of("leased"))).status == 200);

  const response unknown = with_server.get(capture_path_of("done"));
  CHECK(unknown.status == 404);
  CHECK(unknown.body == R"({"error":"Capture has not been allocated"})");
  with_server.sender = shop_office;
  const response done = with_server.get(capture_path_of("done"));
  CHECK(done.status == 200);
  CHECK(member_of(done.body, "state") == R"("completed")");
  CHECK(member_of(done.body, "actor") == R"("till-7")");
  CHECK(member_of(done.body, "response_body") == R"("made")");
}

TEST_CASE("a GET of a capture that cannot be shown") {
  capture_exchange with_server;
  CHECK(with_server.get(capture_path_of("some=key")).body == malformed_key);
  CHECK(with_server.get(capture_path_of("some=key")).status == 422);
  CHECK(with_server.get(capture_path_of("some-key") + "?x=y").status == 400);
  with_server.captures.fails = true;
  const response failed = with_server.get(capture_path_of("some-key"));
  CHECK(failed.status == 503);
  CHECK(header_of(failed, "Retry-After") == "1");
  CHECK(capture_exchange(service_state::recovering).get(capture_path_of("some-key")).status == 503);
}

// --- accepted calls ---

TEST_CASE("a PUT allocates, a POST records, a DELETE releases") {
  const auto allocated = accepted(request(verb::put, captures_path).body(put_body));
  CHECK(allocated.key == key_of("some-key"));
  CHECK(std::holds_alternative<allocate_capture>(allocated.action));

  const auto recorded = accepted(request(verb::post, captures_path).body(post_body));
  CHECK(recorded.key == key_of("some-key"));
  CHECK(std::get<record_capture>(recorded.action).response->status == 201);

  const auto released = accepted(request(verb::delete_, capture_path_of("some-key")));
  CHECK(released.key == key_of("some-key"));
  CHECK(std::holds_alternative<release_capture>(released.action));
}

TEST_CASE("a call has the origin of its request") {
  exchange with_server;
  with_server.sender = shop_till;
  for (const request& what :
       {request(verb::put, captures_path).body(put_body), request(verb::post, captures_path).body(post_body),
        request(verb::delete_, capture_path_of("some-key"))}) {
    CHECK(std::get<capture_request>(with_server.handle(what)).origin == shop_till);
  }
}

TEST_CASE("the key in a DELETE's path is percent-decoded") {
  CHECK(accepted(request(verb::delete_, capture_path_of("some%2dkey"))).key == key_of("some-key"));
  CHECK(accepted(request(verb::delete_, capture_path_of("%73ome-key?"))).key == key_of("some-key"));
}

TEST_CASE("a Content-Encoding or Content-Range is refused in the form of captures") {
  exchange with_server;
  for (const verb method : {verb::put, verb::post}) {
    const response coded =
        with_server.answer(request(method, captures_path).header("Content-Encoding", "gzip").body(put_body));
    CHECK(coded.status == 415);
    CHECK(coded.body == R"({"error":"the body has a Content-Encoding, and none is taken"})");
    CHECK(header_of(coded, "Accept-Encoding") == "identity");
    CHECK(header_of(coded, "Ordem-Position"));
  }
  const response part =
      with_server.answer(request(verb::put, captures_path).header("Content-Range", "bytes 0-1/2").body(put_body));
  CHECK(part.status == 400);
  CHECK(part.close);
  // A DELETE has no body.
  CHECK(accepted(request(verb::delete_, capture_path_of("some-key")).header("Content-Encoding", "gzip")).key ==
        key_of("some-key"));
}

TEST_CASE("no Content-Type is needed, and any is accepted but those that every web page may send") {
  CHECK(accepted(request(verb::put, captures_path).body(put_body)).key == key_of("some-key"));
  for (const std::string_view type : {"text/plain", "application/x-www-form-urlencoded", "multipart/form-data"}) {
    CAPTURE(type);
    exchange with_server;
    const response refused =
        with_server.answer(request(verb::put, captures_path).header("Content-Type", type).body(put_body));
    CHECK(refused.status == 415);
    CHECK(refused.body.starts_with("{\"error\":\"the Content-Type is one"));
  }
  for (const std::string_view type : {"application/json", "application/octet-stream", ""}) {
    CAPTURE(type);
    CHECK(accepted(request(verb::put, captures_path).header("Content-Type", type).body(put_body)).key ==
          key_of("some-key"));
  }
}

// --- refused calls ---

TEST_CASE("errors have the form of captures") {
  struct row {
    verb method;
    std::string path;
    std::string body;
    unsigned status;
    std::string_view expected_body;
  };
  const std::string path(captures_path);
  const std::string too_large = R"({"idempotency_key":"some-key","response":{"response_status":200,"response_body":")" +
                                std::string(server_settings().captured_bytes_max + 1, 'x') + "\"}}";
  const row rows[] = {
      {verb::put, path, "", 400, R"({"error":"Malformed payload"})"},
      {verb::put, path, "{", 400, R"({"error":"Malformed payload"})"},
      {verb::put, path, "{}", 422, malformed_key},
      {verb::put, path, R"({"idempotency_key":""})", 422, malformed_key},
      {verb::put, path, R"({"idempotency_key":"a=="})", 422, malformed_key},
      {verb::post, path, std::string(put_body), 400, R"({"error":"Malformed payload"})"},
      {verb::post, path, R"({"idempotency_key":"a==","response":{"response_status":201}})", 422, malformed_key},
      {verb::post, path, too_large, 413, R"({"error":"The response is larger than --capture-max"})"},
      {verb::put, path + "?x=y", std::string(put_body), 400, R"({"error":"'x' is not a parameter of this call"})"},
      {verb::post, path + "?limit=1", "", 400, R"({"error":"'limit' is not a parameter of this call"})"},
      {verb::delete_, path + "/some-key?a", "", 400, R"({"error":"'a' is not a parameter of this call"})"},
      {verb::delete_, path + "/a", "", 422, malformed_key},
      {verb::delete_, path + "/abc=", "", 422, malformed_key},
      {verb::delete_, path + "/some%2Fkey", "", 422, malformed_key},
      {verb::delete_, path + "/some%00key", "", 422, malformed_key},
  };
  for (const auto& [method, target, body, status, expected_body] : rows) {
    CAPTURE(target, body.substr(0, 80));
    exchange with_server;
    with_server.orders.show_up_to({17});
    const response answer = with_server.answer(request(method, target).body(body));
    CHECK(answer.status == status);
    CHECK(answer.body == expected_body);
    CHECK(answer.content_type == "application/json");
    CHECK(header_of(answer, "Ordem-Position") == "17");
    CHECK_FALSE(header_of(answer, "Retry-After"));
    CHECK_FALSE(header_of(answer, "Idempotency-Expires"));
    CHECK_FALSE(answer.close);
  }
}

TEST_CASE("other methods are refused with Allow") {
  struct row {
    std::string path;
    std::vector<verb> refused;
    std::string_view allowed;
  };
  const row rows[] = {
      {std::string(captures_path), {verb::get, verb::head, verb::patch, verb::delete_, verb::options}, "POST, PUT"},
      {std::string(captures_path) + '/', {verb::get, verb::delete_}, "POST, PUT"},
      {capture_path_of("some-key"), {verb::put, verb::post, verb::patch}, "DELETE, GET, HEAD"},
  };
  for (const auto& [path, refused, allowed] : rows) {
    for (const verb method : refused) {
      CAPTURE(path, std::string(to_string(method)));
      exchange with_server;
      const response answer = with_server.answer(request(method, path).body(put_body));
      CHECK(answer.status == 405);
      CHECK(answer.body == R"({"error":"Method not allowed"})");
      CHECK(header_of(answer, "Allow") == allowed);
    }
  }
}

TEST_CASE("a path below a capture is not found") {
  exchange with_server;
  CHECK(slug_of(with_server.answer(request(verb::delete_, capture_path_of("some-key/x")))) == "not-found");
}

TEST_CASE("every call gets 503 with Retry-After while the server recovers") {
  const request calls[] = {request(verb::put, captures_path).body(put_body),
                           request(verb::post, captures_path).body(post_body),
                           request(verb::delete_, capture_path_of("some-key")),
                           // as while recovering
                           request(verb::put, captures_path).body("{")};
  for (const request& each : calls) {
    exchange with_server(service_state::recovering);
    const response answer = with_server.answer(each);
    CHECK(answer.status == 503);
    CHECK(answer.body == R"({"error":"the data is being read"})");
    CHECK(header_of(answer, "Retry-After") == "1");
    CHECK_FALSE(header_of(answer, "Ordem-Position"));
  }
}

TEST_CASE("an incomplete request is refused in the form of captures, and its connection closed") {
  for (const auto& [method, path] :
       {std::pair(verb::put, std::string(captures_path)), std::pair(verb::delete_, capture_path_of("some-key")),
        std::pair(verb::get, std::string(captures_path))}) {
    exchange with_server;
    with_server.orders.show_up_to({17});
    const response refused = refused_request(problem::body_too_large, "too large", method,
                                             resource_of(find_route(path)), with_server.context);
    CHECK(refused.status == 413);
    CHECK(refused.body == R"({"error":"too large"})");
    CHECK(refused.close);
    CHECK(header_of(refused, "Ordem-Position") == "17");
    CHECK_FALSE(header_of(refused, "Idempotency-Expires"));
  }
}

// --- answers of the engine ---

TEST_CASE("each verdict has its status and body") {
  struct row {
    capture_verdict verdict;
    unsigned status;
    std::string_view body;
  };
  constexpr std::string_view not_open = R"({"error":"Capture has been completed or has not been allocated"})";
  constexpr row rows[] = {
      {capture_verdict::allocated, 202, ""},
      {capture_verdict::in_flight, 409, ""},
      {capture_verdict::completed, 200,
       R"({"idempotency_key":"some-key","response":{"response_status":201,"response_body":"\"",)"
       R"("response_headers":[]}})"},
      {capture_verdict::recorded, 200, ""},
      {capture_verdict::not_recordable, 403, not_open},
      {capture_verdict::released, 204, ""},
      {capture_verdict::not_releasable, 403, not_open},
      {capture_verdict::unknown, 404, R"({"error":"Capture has not been allocated"})"},
  };
  REQUIRE(std::size(rows) == capture_verdicts);
  for (const auto& [verdict, status, body] : rows) {
    CAPTURE(verdict);
    const bool completed = verdict == capture_verdict::completed;
    const capture_answer decided{verdict, key_of("some-key"), completed ? response_of("\"", 201) : nullptr};
    const response answer = capture_response(decided, position{17});
    CHECK(answer.status == status);
    CHECK(answer.body == body);
    CHECK(header_of(answer, "Ordem-Position") == "17");
    CHECK_FALSE(header_of(answer, "Retry-After"));
    CHECK_FALSE(answer.close);
    CHECK_FALSE(header_of(capture_response(decided, std::nullopt), "Ordem-Position"));
  }
}

TEST_CASE("an unavailability of the engine is a 503 with its reason and Retry-After") {
  for (const auto why : {unavailability::overloaded, unavailability::read_only, unavailability::draining,
                         unavailability::storage_failed, unavailability::backlog_full, unavailability::no_owner}) {
    CAPTURE(static_cast<int>(why));
    const response answer = capture_response(refusal{why}, position{17});
    CHECK(answer.status == 503);
    CHECK(answer.body == "{\"error\":\"" + std::string(reason_of(why).detail) + "\"}");
    CHECK(answer.content_type == "application/json");
    CHECK(header_of(answer, "Retry-After") == "1");
    CHECK(header_of(answer, "Ordem-Position") == "17");
  }
}

}  // namespace
}  // namespace ordem::http_edge
