#include "engine/codec/change_json.hpp"

#include <catch2/catch.hpp>
#include <string>

#include "engine/codec/order_json.hpp"
#include "tests/support_cpp/samples.hpp"

namespace ordem::codec {
namespace {

using namespace testing;

TEST_CASE("each accepted verdict has its type of event") {
  CHECK(event_type(verdict::order_created) == "order.created");
  CHECK(event_type(verdict::content_changed) == "order.updated");
  CHECK(event_type(verdict::status_changed) == "order.status_changed");
  for (const auto what : {verdict::order_created, verdict::content_changed, verdict::status_changed})
    CHECK(parse_event_type(event_type(what)) == what);
  CHECK_FALSE(parse_event_type("order.deleted"));
  CHECK_FALSE(parse_event_type(""));
}

TEST_CASE("an event is a CloudEvent with the order as a read shows it") {
  order made = sample_order(1, {2});
  made.origin = {"shop", "till \"7\""};
  const order_change change{{42}, guid_of("g\"1"), verdict::content_changed, sample_time, shared(made)};
  std::string order_text;
  append_order(order_text, made);
  std::string text = "before";
  append_event(text, change, "0190b3f2-9f6c-7cc0-8000-5f3a1c2d4e6f");
  CHECK(
      text ==
      R"(before{"specversion":"1.0","id":"0190b3f2-9f6c-7cc0-8000-5f3a1c2d4e6f:42",)"
      R"("source":"urn:uuid:0190b3f2-9f6c-7cc0-8000-5f3a1c2d4e6f","type":"order.updated","subject":")" +
          made.id.to_string() + R"(","time":")" + to_rfc3339(sample_time) +
          R"(","datacontenttype":"application/json","data":{"position":42,"message":"g\"1","actor":"till \"7\"","order":)" +
          order_text + "}}");
}

}  // namespace
}  // namespace ordem::codec
