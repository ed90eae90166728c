// The parts of `ordem relay`.
#include <catch2/catch.hpp>
#include <chrono>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "app/relay/feed_page.hpp"
#include "app/relay/position_file.hpp"
#include "app/relay/retry_delay.hpp"
#include "app/relay/webhook.hpp"
#include "tests/support_cpp/temp_folder.hpp"

namespace ordem::app {
namespace {

using Catch::Matchers::Contains;
using std::chrono::milliseconds;
using testing::temp_folder;

using headers = std::vector<std::pair<std::string, std::string>>;

// The example of the standard's libraries.
constexpr std::string_view sample_secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

TEST_CASE("a webhook is signed as the standard says") {
  const auto keys = parse_webhook_secrets(sample_secret);
  REQUIRE(keys);
  CHECK(webhook_headers(*keys, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, R"({"test": 2432232314})") ==
        headers{{"webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"},
                {"webhook-timestamp", "1614265330"},
                {"webhook-signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="}});
}

TEST_CASE("each secret makes a signature") {
  const auto keys = parse_webhook_secrets(std::string(sample_secret) + "\r\n\n" + std::string(sample_secret) + "\n");
  REQUIRE(keys);
  CHECK(keys->size() == 2);
  const auto made = webhook_headers(*keys, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, R"({"test": 2432232314})");
  CHECK(made.back().second ==
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE= v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

TEST_CASE("what is no secret is refused, without being quoted") {
  for (const char* text : {"", "\n\n", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_", "whsec_c2hvcnQ=",
                           "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS*", "whsk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}) {
    CAPTURE(text);
    const auto keys = parse_webhook_secrets(text);
    REQUIRE_FALSE(keys);
    CHECK(keys.error().find("MfKQ") == std::string::npos);
  }
  std::string five;
  for (int i = 0; i < 5; ++i) five += std::string(sample_secret) + "\n";
  CHECK_FALSE(parse_webhook_secrets(five));
}

TEST_CASE("a file of positions has what was written last") {
  const temp_folder folder;
  const auto path = folder.path() / "position";
  {
    auto file = position_file::open(path);
    REQUIRE(file);
    CHECK_FALSE(file->now());
    REQUIRE(file->write({"log \"1\"", {7}}));
    REQUIRE(file->write({"log \"1\"", {8}}));
    CHECK(file->now() == relay_position{"log \"1\"", {8}});
  }
  const auto again = position_file::open(path);
  REQUIRE(again);
  CHECK(again->now() == relay_position{"log \"1\"", {8}});
}

TEST_CASE("a file of positions is used by one relay at a time") {
  const temp_folder folder;
  const auto path = folder.path() / "position";
  auto first = position_file::open(path);
  REQUIRE(first);
  const auto second = position_file::open(path);
  REQUIRE_FALSE(second);
  CHECK_THAT(second.error(), Contains("another relay"));
}

TEST_CASE("what is no file of positions is refused") {
  const temp_folder folder;
  const auto path = folder.path() / "position";
  for (const char* text : {"", "{}", "x", R"({"log_id":"a","position":-1})", R"({"log_id":"","position":1})",
                           R"({"log_id":1,"position":1})"}) {
    CAPTURE(text);
    std::ofstream(path) << text;
    const auto file = position_file::open(path);
    REQUIRE_FALSE(file);
    CHECK_THAT(file.error(), Contains("position"));
  }
  CHECK_FALSE(position_file::open(folder.path() / "nowhere" / "position"));
}

TEST_CASE("a page of the feed is read with the bytes of its events") {
  const auto page =
      parse_feed_page(R"({"code":200,"message":"ok","log_id":"L","events":[)"
                      R"({"id":"L:3","data":{"position":3,"order":{"attributes":{"n":1.50,"s":"\u00e4 }]"}}}},)"
                      R"({"id":"L:5","data":{"position":5}}],"next":9})",
                      {2});
  if (!page) FAIL(page.error());
  CHECK(page->log_id == "L");
  CHECK(page->next == position{9});
  REQUIRE(page->events.size() == 2);
  CHECK(page->events[0].id == "L:3");
  CHECK(page->events[0].position == position{3});
  CHECK(page->events[0].json ==
        R"({"id":"L:3","data":{"position":3,"order":{"attributes":{"n":1.50,"s":"\u00e4 }]"}}}})");
  CHECK(page->events[1].json == R"({"id":"L:5","data":{"position":5}})");
}

TEST_CASE("a page without events is read") {
  const auto page = parse_feed_page(R"({"code":200,"message":"ok","log_id":"L","events":[],"next":4})", {4});
  REQUIRE(page);
  CHECK(page->events.empty());
  CHECK(page->next == position{4});
}

TEST_CASE("what is no page of the feed is refused") {
  for (const char* body : {
           "",
           "x",
           "[]",
           "{}",
           R"({"log_id":"L","events":[]})",
           R"({"events":[],"next":9})",
           R"({"log_id":"L","events":{},"next":9})",
           R"({"log_id":"L","events":[{}],"next":9})",
           R"({"log_id":"L","events":[{"id":"a","data":{"position":2}}],"next":9})",    // not behind 2
           R"({"log_id":"L","events":[{"id":"a.b","data":{"position":3}}],"next":9})",  // no id of a webhook
           R"({"log_id":"L","events":[{"id":"a","data":{"position":5}}],"next":4})",    // it goes back
           R"({"log_id":"L","events":[{"id":"a","data":{"position":"3"}}],"next":9})",
           R"({"log_id":"L","events":[],"next":1})",
       }) {
    CAPTURE(body);
    CHECK_FALSE(parse_feed_page(body, {2}));
  }
}

TEST_CASE("pauses are doubled up to the longest, and shortened by up to half") {
  retry_delay delay(milliseconds(100), milliseconds(450), 1);
  for (const int most : {100, 200, 400, 450, 450}) {
    const auto pause = delay.next();
    CHECK(pause >= milliseconds(most / 2));
    CHECK(pause <= milliseconds(most));
  }
  delay.reset();
  CHECK(delay.next() <= milliseconds(100));
  CHECK(delay.next(milliseconds(5000)) == milliseconds(5000));
  CHECK(delay.next(milliseconds(0)) >= milliseconds(200));
}

TEST_CASE("pauses differ") {
  retry_delay one(milliseconds(10'000), milliseconds(10'000), 1);
  retry_delay other(milliseconds(10'000), milliseconds(10'000), 2);
  CHECK(one.next() != other.next());
}

}  // namespace
}  // namespace ordem::app
