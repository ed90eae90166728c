#include "http-edge/feed/feed_request.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <string_view>
#include <variant>

#include "tests/http-edge/exchange.hpp"
#include "tests/http-edge/feed/fake_changes.hpp"

namespace ordem::http_edge {
namespace {

using namespace testing;

struct feed_request_test : exchange {
  fake_changes changes;

  feed_request_test() {
    context.changes = &changes;
    for (int i = 0; i < 10; ++i) changes.append("a");
    changes.show();
  }
  feed_request accept(const request& what) { return std::get<feed_request>(handle(what)); }
  std::string refusal(const request& what) {
    const auto refused = std::get<response>(handle(what));
    return slug_of(refused);
  }
};

request of_feed(std::string_view query = "") {
  return {verb::get, "/api/v1/changes" + std::string(query)};
}
request stream(std::string_view query = "") {
  return of_feed(query).header("Accept", "text/event-stream");
}

TEST_CASE("Accept selects the form") {
  struct row {
    std::string_view accept;
    feed_form form;
  };
  constexpr row rows[] = {
      {"", feed_form::page},
      {"*/*", feed_form::page},
      {"application/json", feed_form::page},
      {"text/html,application/xhtml+xml;q=0.9", feed_form::page},
      {"application/x-ndjson", feed_form::lines},
      {"APPLICATION/X-NDJSON", feed_form::lines},
      {"text/event-stream", feed_form::event_stream},
      {"text/*", feed_form::event_stream},
      {"application/*", feed_form::page},
      {" text/event-stream ; q=0.5 , application/json;q=0.4", feed_form::event_stream},
      {"text/event-stream;q=0.3, application/x-ndjson;q=0.31", feed_form::lines},
      {"application/json;q=0.8, application/x-ndjson", feed_form::lines},
      {"application/json;q=0, */*;q=0.1", feed_form::lines},
      {"text/event-stream;q=0", feed_form::page},
      {"text/event-stream;charset=utf-8;q=1.000", feed_form::event_stream},
      {";;;,,,=;q", feed_form::page},
  };
  for (const auto& [accept, form] : rows) {
    CAPTURE(accept);
    CHECK(preferred_form(accept) == form);
  }
}

TEST_CASE_METHOD(feed_request_test, "a request without parameters begins at the end, with a page of 100") {
  const feed_request made = accept(of_feed());
  CHECK(made.form == feed_form::page);
  CHECK(made.after == position{10});
  CHECK(made.events_max == 100);
  CHECK(made.wait == std::chrono::seconds(0));
  CHECK(made.filter.tenant.empty());
  CHECK_FALSE(made.filter.customer_id);
  CHECK(made.filter.verdicts == feed_filter::all_verdicts);
}

TEST_CASE_METHOD(feed_request_test, "every parameter is taken") {
  sender = {"shop", "till"};
  const feed_request made =
      accept(of_feed("?after=3&limit=7&wait=60&customer_id=c%20d&type=order.created,order.updated"));
  CHECK(made.after == position{3});
  CHECK(made.events_max == 7);
  CHECK(made.wait == std::chrono::seconds(60));
  CHECK(made.filter.tenant == "shop");
  CHECK(made.filter.customer_id == "c d");
  CHECK(made.filter.takes(verdict::order_created));
  CHECK(made.filter.takes(verdict::content_changed));
  CHECK_FALSE(made.filter.takes(verdict::status_changed));
}

TEST_CASE_METHOD(feed_request_test, "Last-Event-ID beats the query, of an event stream alone") {
  CHECK(accept(stream("?after=3").header("Last-Event-ID", "7")).after == position{7});
  CHECK(accept(stream("?after=3").header("Last-Event-ID", "0")).after == position{0});
  CHECK(accept(stream("?after=3").header("Last-Event-ID", "")).after == position{3});
  CHECK(accept(of_feed("?after=3").header("Last-Event-ID", "7")).after == position{3});
  CHECK(refusal(stream().header("Last-Event-ID", "x")) == "malformed-query");
}

TEST_CASE_METHOD(feed_request_test, "bad parameters are refused") {
  for (const char* query : {"?after=", "?after=x", "?after=01", "?after=-1", "?after=9007199254740992", "?limit=0",
                            "?limit=1001", "?wait=61", "?wait=1.5", "?type=", "?type=order", "?type=order.created,",
                            "?type=,order.created", "?customer_id=", "?x=1"}) {
    CAPTURE(query);
    CHECK(refusal(of_feed(query)) == "malformed-query");
  }
  CHECK(refusal(stream("?limit=1")) == "malformed-query");
  CHECK(refusal(stream("?wait=1")) == "malformed-query");
}

TEST_CASE_METHOD(feed_request_test, "a position that the log no longer holds is gone") {
  changes.trim({5});
  CHECK(accept(of_feed("?after=4")).after == position{4});
  for (const auto& what : {of_feed("?after=3"), stream("?after=3")}) {
    const auto refused = std::get<response>(handle(what));
    CHECK(refused.status == 410);
    CHECK(slug_of(refused) == "position-trimmed");
    CHECK(refused.body.find("\"oldest_position\":4") != refused.body.npos);
  }
}

TEST_CASE_METHOD(feed_request_test, "a position behind the end is taken") {
  CHECK(accept(of_feed("?after=500")).after == position{500});
}

TEST_CASE_METHOD(feed_request_test, "while the server drains a page does not wait, and no stream begins") {
  status.set_draining();
  CHECK(accept(of_feed("?wait=60")).wait == std::chrono::seconds(0));
  CHECK(refusal(stream()) == "draining");
}

TEST_CASE("the feed needs the data") {
  exchange recovering(service_state::recovering);
  CHECK(slug_of(recovering.answer(of_feed())) == "recovering");
}

}  // namespace
}  // namespace ordem::http_edge
