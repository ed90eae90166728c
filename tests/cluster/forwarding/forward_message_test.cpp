#include "cluster/forwarding/forward_message.hpp"

#include <catch2/catch.hpp>
#include <string>

#include "cluster/forwarding/read_index_gate.hpp"
#include "tests/cluster/forwarding/bodies.hpp"
#include "tests/cluster/forwarding/support.hpp"

namespace ordem::cluster {
namespace {

using namespace testing;

std::string text_of(const engine_request& what) {
  std::string text;
  encode_submission(text, what);
  return text;
}

TEST_CASE("every submission arrives as it was sent, with its origin") {
  const auto arrived = decode_forward_request(request_body());
  REQUIRE(arrived);
  CHECK(arrived->id == forward_id{0x0123456789ABCDEF, 300});
  CHECK(arrived->oldest == 299);
  const auto sent = all_submissions();
  REQUIRE(arrived->submissions.size() == sent.size());
  for (std::size_t i = 0; i < sent.size(); ++i) {
    CAPTURE(i);
    CHECK(text_of(arrived->submissions[i]) == text_of(sent[i]));
    CHECK(decode_submission(text_of(sent[i])));
    const auto* asked = std::get_if<message>(&arrived->submissions[i]);
    if (asked == nullptr) continue;
    const auto& original = std::get<message>(sent[i]);
    CHECK(asked->guid == original.guid);
    CHECK(asked->fingerprint == original.fingerprint);
    CHECK(asked->target == original.target);
    CHECK(asked->expected_version == original.expected_version);
    CHECK(asked->command == original.command);
    CHECK(asked->origin == original.origin);
  }
  const auto& recorded = std::get<capture_request>(arrived->submissions[5]);
  CHECK(*std::get<record_capture>(recorded.action).response ==
        *std::get<record_capture>(std::get<capture_request>(sent[5]).action).response);
  CHECK(std::get<capture_request>(arrived->submissions[4]).origin == origin{"shop", "proxy"});
}

TEST_CASE("every answer arrives as it was given") {
  const auto arrived = decode_forward_answer(answer_body());
  REQUIRE(arrived);
  CHECK(arrived->epoch == 7);
  CHECK(arrived->visible == position{70'000});
  REQUIRE(arrived->answers.size() == all_answers().size());
  CHECK(encode_forward_answer(*arrived, 1 << 20) == answer_body());
  const auto& made = std::get<executed>(*arrived->answers[0]);
  CHECK(made.replayed);
  CHECK(made.outcome == created_answer(1).outcome);
  CHECK(made.order->content == created_answer(1).order->content);
  CHECK(made.expires_at == created_answer(1).expires_at);
  const auto& stale = std::get<executed>(*arrived->answers[1]);
  CHECK(stale.order == nullptr);
  CHECK(std::get<replace_content>(*stale.unmerged).content == content_of());
  CHECK_FALSE(arrived->answers[2]);
  CHECK(std::get<invalid_content>(std::get<refusal>(*arrived->answers[4])).violations[1].detail == "odd");
  CHECK(is_refused_by(*arrived->answers[7], unavailability::backlog_full));
  CHECK(std::get<capture_answer>(*arrived->answers[9]).response->body == "made");
  for (const auto status : {forward_status::not_owner, forward_status::in_progress, forward_status::overloaded,
                            forward_status::malformed}) {
    const auto other = decode_forward_answer(encode_forward_answer({status, 3, {4}, {}}, 100));
    REQUIRE(other);
    CHECK(other->status == status);
    CHECK(other->epoch == 3);
  }
}

TEST_CASE("an answer that does not fit leaves out large ones, and never the first one or a small one") {
  std::vector<std::optional<answer>> answers;
  for (int i = 0; i < 3; ++i)
    answers.push_back(capture_answer{capture_verdict::completed, key_of("aw"), response_of(std::string(5'000, 'x'))});
  answers.push_back(capture_answer{capture_verdict::allocated, key_of("ax"), nullptr});
  const auto arrived = decode_forward_answer(encode_forward_answer({forward_status::answered, 1, {1}, answers}, 1'000));
  REQUIRE(arrived);
  REQUIRE(arrived->answers.size() == 4);
  CHECK(arrived->answers[0]);
  CHECK_FALSE(arrived->answers[1]);
  CHECK_FALSE(arrived->answers[2]);
  CHECK(arrived->answers[3]);
}

TEST_CASE("bytes that are cut, longer, or of another format are not decoded") {
  for (std::size_t i = 0; i < request_body().size(); ++i)
    CHECK_FALSE(decode_forward_request(request_body().substr(0, i)));
  for (std::size_t i = 0; i < answer_body().size(); ++i) CHECK_FALSE(decode_forward_answer(answer_body().substr(0, i)));
  CHECK_FALSE(decode_forward_request(request_body() + '\0'));
  CHECK_FALSE(decode_forward_answer(answer_body() + '\0'));
  for (std::string other : {request_body(), answer_body()}) {
    other[0] = 2;
    CHECK_FALSE(decode_forward_request(other));
    CHECK_FALSE(decode_forward_answer(other));
  }
}

// What the engine takes for granted about a message is checked where it comes from outside.
TEST_CASE("a create with a target, and an update without one, are not decoded") {
  message odd = creation(guid_of("g"));
  odd.target = order_id_of(1);
  CHECK_FALSE(decode_submission(text_of(odd)));
  odd = replacement(guid_of("g"), order_id_of(1), {1});
  odd.target.reset();
  CHECK_FALSE(decode_submission(text_of(odd)));
  odd = replacement(guid_of("g"), order_id_of(1), {1});
  odd.expected_version.reset();
  CHECK_FALSE(decode_submission(text_of(odd)));
}

TEST_CASE("a read index arrives as it was given") {
  for (const read_index_answer& each : {read_index_answer{position{70'000}, 7}, read_index_answer{std::nullopt, 300}}) {
    const std::string body = encode_read_index_answer(each);
    CHECK(decode_read_index_answer(body) == each);
    CHECK_FALSE(decode_read_index_answer(body + '\0'));
    CHECK_FALSE(decode_read_index_answer(body.substr(0, body.size() - 1)));
  }
  CHECK(is_read_index_request(encode_read_index_request()));
  CHECK_FALSE(is_read_index_request("x"));
}

}  // namespace
}  // namespace ordem::cluster
