#include "http-edge/orders/rendering.hpp"

#include <utility>

#include "engine/codec/canonical_request.hpp"
#include "engine/codec/message_json.hpp"
#include "engine/codec/order_json.hpp"
#include "engine/model/json_value.hpp"
#include "engine/ports/conflict_reader.hpp"
#include "http-edge/protocol/headers.hpp"

namespace ordem::http_edge {
namespace {

std::string errors_member(const std::vector<violation>& violations) {
  std::string member = ",\"errors\":[";
  for (std::size_t i = 0; i < violations.size(); ++i) {
    member += i == 0 ? "{\"pointer\":" : ",{\"pointer\":";
    append_json_string(member, violations[i].pointer);
    member += ",\"detail\":";
    append_json_string(member, violations[i].detail);
    member += '}';
  }
  return member + ']';
}

struct refusal_renderer {
  response operator()(const order_not_found&) const {
    return problem_response(problem::order_not_found, "no order has this id");
  }
  response operator()(const invalid_content& invalid) const { return invalid_order_response(invalid.violations); }
  response operator()(const guid_reused&) const {
    return problem_response(problem::guid_reused, "the GUID names an earlier request that was not this one");
  }
  response operator()(const request_in_flight&) const {
    return problem_response(problem::request_in_flight, "the first request with this GUID has not been answered yet");
  }
  response operator()(unavailability why) const {
    const auto reason = reason_of(why);
    return problem_response(reason.which, reason.detail);
  }
};

}  // namespace

response invalid_order_response(const std::vector<violation>& violations) {
  response made = problem_response(problem::invalid_order,
                                   violations.size() == 1 ? "the body has an error" : "the body has several errors",
                                   errors_member(violations));
  if (!violations.empty()) made.detail = violations.front().pointer + ": " + violations.front().detail;
  return made;
}

response outcome_response(const outcome& what, const shared_order& order, const conflict& of) {
  codec::recorded_response recorded = codec::recorded_response_of(what, order, of);
  response made;
  made.status = recorded.status;
  made.body = std::move(recorded.body);
  if (asks_for_merge(what)) made.add_header("Preference-Applied", "merge");
  if (!is_accepted(what.verdict)) {
    made.content_type = problem_media_type;
    made.problem = recorded.problem;
    made.detail = std::move(recorded.detail);
    return made;
  }
  made.add_header("ETag", entity_tag(order->version));
  if (what.verdict == verdict::order_created) made.add_header("Location", codec::order_path(order->id));
  return made;
}

response refusal_response(const refusal& why) {
  return std::visit(refusal_renderer{}, why);
}

response write_response(const answer& what, timestamp now, std::optional<position> visible,
                        const order_lookup& orders) {
  const auto* done = std::get_if<executed>(&what);
  const auto of = done != nullptr ? read_conflict(orders, done->outcome, done->unmerged.get()) : conflict{};
  if (!of) return write_response(refusal{unavailability::storage_failed}, now, visible, orders);
  response made =
      done != nullptr ? outcome_response(done->outcome, done->order, *of) : refusal_response(std::get<refusal>(what));
  add_write_headers(made, done != nullptr ? done->expires_at : now, visible);
  if (done != nullptr && done->replayed) made.add_header("Idempotency-Replayed", "true");
  return made;
}

void add_write_headers(response& to, timestamp expires_at, std::optional<position> visible) {
  to.add_header("Idempotency-Expires", to_rfc3339(expires_at));
  add_position(to, visible);
}

response storage_failed_response() {
  return problem_response(problem::storage_failed, "the data could not be read");
}

response order_response(const order& what) {
  response made = json_response(200, codec::order_body(200, "ok", what));
  made.add_header("ETag", entity_tag(what.version));
  return made;
}

response message_response(const guid& id, const message_record& record, const shared_order& order, const conflict& of) {
  return json_response(200, codec::message_body(id, record, order, of));
}

}  // namespace ordem::http_edge
