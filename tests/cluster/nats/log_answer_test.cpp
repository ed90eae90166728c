#include "cluster/nats/log_answer.hpp"

#include <catch2/catch.hpp>
#include <limits>

namespace ordem::cluster {
namespace {

using Catch::Matchers::Contains;

template <class Answer>
Answer answer_as(const log_answer& answer) {
  REQUIRE(std::holds_alternative<Answer>(answer));
  return std::get<Answer>(answer);
}

TEST_CASE("an append that is stored has its sequence") {
  const auto stored = answer_as<record_stored>(parse_append_answer(R"({"stream":"ORDEM_A_LOG_0", "seq":17})"));
  CHECK(stored.sequence == 17);
  CHECK_FALSE(stored.duplicate);
  const auto again =
      answer_as<record_stored>(parse_append_answer(R"({"stream":"S","domain":"x","seq":3,"duplicate":true})"));
  CHECK(again.duplicate);
}

TEST_CASE("an append that expects another sequence has the last one") {
  const auto answer = parse_append_answer(
      R"({"error":{"code":400,"err_code":10071,"description":"wrong last sequence: 4711"},"stream":"S","seq":0})");
  CHECK(answer_as<wrong_last_sequence>(answer).last == 4711);
  CHECK(
      answer_as<wrong_last_sequence>(
          parse_append_answer(
              R"({"error":{"code":400,"err_code":10071,"description":"wrong last sequence: 0"},"stream":"S","seq":0})"))
          .last == 0);
}

TEST_CASE("an append that is refused has the code and the text of the server") {
  const auto refusal = answer_as<log_refusal>(parse_append_answer(
      R"({"error":{"code":503,"err_code":10077,"description":"maximum bytes exceeded"},"stream":"S","seq":0})"));
  CHECK(refusal.code == 10077);
  CHECK(refusal.text == "maximum bytes exceeded");
  // The text is what says which sequence is the last one.
  const auto odd = answer_as<log_refusal>(
      parse_append_answer(R"({"error":{"code":400,"err_code":10071,"description":"wrong last sequence"},"seq":0})"));
  CHECK(odd.code == 10071);
}

TEST_CASE("an answer that is not understood is a refusal, never a record that is stored") {
  const auto text = GENERATE(as<std::string>{}, "", "{}", "[]", "17", "null", R"({"stream":"S"})", R"({"seq":0})",
                             R"({"seq":-1})", R"({"seq":"17"})", R"({"seq":17)", R"({"error":{}})",
                             R"({"error":{"err_code":10071},"seq":9})", "\xFF\xFE");
  const auto refusal = answer_as<log_refusal>(parse_append_answer(text));
  CHECK(refusal.code == 0);
  CHECK_THAT(refusal.text, Contains("not understood"));
}

TEST_CASE("a look-up at the leader finds the record, or that it is missing") {
  const auto found = answer_as<record_found>(parse_get_answer(
      R"({"type":"x","message":{"subject":"s","seq":5,"data":"AAEC/w==","time":"2026-11-27T00:00:00Z"}})"));
  CHECK(found.sequence == 5);
  CHECK(found.bytes == std::string("\x00\x01\x02\xFF", 4));
  CHECK(answer_as<record_found>(parse_get_answer(R"({"message":{"subject":"s","seq":6}})")).bytes.empty());
  CHECK(std::holds_alternative<record_missing>(
      parse_get_answer(R"({"error":{"code":404,"err_code":10037,"description":"no message found"}})")));
  CHECK(answer_as<log_refusal>(parse_get_answer(R"({"error":{"code":503,"err_code":10008,"description":"no leader"}})"))
            .code == 10008);
  CHECK(answer_as<log_refusal>(parse_get_answer(R"({"message":{"seq":5,"data":"A"}})")).code == 0);
  CHECK(answer_as<log_refusal>(parse_get_answer(R"({"message":{"data":"AA=="}})")).code == 0);
}

TEST_CASE("the reply subject says which request an answer belongs to") {
  constexpr auto most = std::numeric_limits<std::uint64_t>::max();
  const auto question = GENERATE(log_question::append, log_question::get_from_leader, log_question::get_from_replica);
  const auto request =
      GENERATE(log_request{}, log_request{.epoch = 1, .sequence = 2, .generation = 3, .attempt = 4},
               log_request{.epoch = most, .sequence = most, .generation = 4'294'967'295, .attempt = most});
  const std::string subject = reply_subject("_INBOX.x.", question, request);
  const auto target = parse_reply_subject("_INBOX.x.", subject);
  REQUIRE(target);
  CHECK(target->question == question);
  CHECK(target->request == request);
  for (std::size_t size = 0; size < subject.size(); ++size) {
    const auto part = parse_reply_subject("_INBOX.x.", subject.substr(0, size));
    CHECK((!part || !(part->request == request)));
  }
  CHECK_FALSE(parse_reply_subject("_INBOX.y.", subject));
  CHECK_FALSE(parse_reply_subject("_INBOX.x.", subject + ".1"));
  CHECK_FALSE(parse_reply_subject("_INBOX.x.", subject + "x"));
}

TEST_CASE("a subject that is no reply subject is none") {
  const auto subject =
      GENERATE(as<std::string>{}, "", "p.", "p.a", "p.a.", "p.a.1.2.3", "p.a.1.2.3.", "p.x.1.2.3.4", "p.a.1.2.3.4.",
               "p.a.1..3.4", "p.a.-1.2.3.4", "p.a.1.4294967296.3.4", "p.a.1.2.18446744073709551616.4", "p.aa.1.2.3.4");
  CHECK_FALSE(parse_reply_subject("p.", subject));
}

}  // namespace
}  // namespace ordem::cluster
