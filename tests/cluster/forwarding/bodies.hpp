// A forwarded request and an answer with every kind of content.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cluster/forwarding/forward_message.hpp"
#include "tests/cluster/forwarding/support.hpp"

namespace ordem::testing {

using namespace cluster;

inline std::vector<engine_request> all_submissions() {
  message of_tenant = creation(guid_of("g-1"));
  of_tenant.origin = {"shop", "till"};
  message merged = replacement(guid_of("g-2"), order_id_of(7), {3});
  merged.expected_version->by_if_match = true;
  merged.expected_version->merges = true;
  merge_content change;
  change.customer_id = "c-2";
  change.attributes = merge_content::remove_attributes{};
  change.external_id = std::string("PO-1");
  return {of_tenant,
          merged,
          message{guid_of("g-3"), {1, 2}, order_id_of(8), expected_version{{4}}, change},
          message{guid_of("g-4"), {3, 4}, order_id_of(9), expected_version{{5}}, change_status{order_status::shipped}},
          capture_request{key_of("aw"), allocate_capture{}, {"shop", "proxy"}},
          capture_request{key_of("ax"), record_capture{std::make_shared<const captured_response>(captured_response{
                                            201, "made", {{"k", "v"}, {"l", std::vector<std::string>{"a", "b"}}}})}},
          capture_request{key_of("ay"), release_capture{}}};
}

inline std::vector<std::optional<answer>> all_answers() {
  executed stale;
  stale.outcome = {verdict::stale_version,  order_id_of(3), {5},
                   order_status::confirmed, std::nullopt,   expected_version{{4}, true, true}};
  stale.expires_at = sample_time;
  stale.unmerged = std::make_shared<const command>(replace_content{content_of()});
  return {created_answer(1, true),
          stale,
          std::nullopt,
          refusal{order_not_found{}},
          refusal{invalid_content{{{"/items", "too many"}, {"", "odd"}}}},
          refusal{guid_reused{}},
          refusal{request_in_flight{}},
          refusal{unavailability::backlog_full},
          capture_answer{capture_verdict::allocated, key_of("aw"), nullptr},
          capture_answer{capture_verdict::completed, key_of("ax"), response_of("made", 201)}};
}

inline std::string request_body() {
  std::string texts;
  const auto all = all_submissions();
  for (const engine_request& each : all) encode_submission(texts, each);
  return encode_forward_request({0x0123456789ABCDEF, 300}, 299, all.size(), texts);
}

inline std::string answer_body(std::size_t bytes_max = 1 << 20) {
  return encode_forward_answer({forward_status::answered, 7, {70'000}, all_answers()}, bytes_max);
}

}  // namespace ordem::testing
