#include "cluster/nats/log_answer.hpp"

#include <simdjson.h>

#include <array>
#include <charconv>

#include "auth/encoding/base64.hpp"
#include "engine/base/text.hpp"

namespace ordem::cluster {
namespace {

// JetStream's err_code (server/errors.json of nats-server).
constexpr std::int64_t error_wrong_last_sequence = 10071;
constexpr std::int64_t error_no_message_found = 10037;
constexpr std::string_view wrong_last_text = "wrong last sequence: ";

constexpr std::string_view question_letters = "alr";  // in the order of log_question

std::optional<std::uint64_t> leading_number(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() ? std::optional(number) : std::nullopt;
}

log_refusal not_understood(std::string_view json) {
  return {0, "an answer that was not understood: " + in_quotes(json)};
}

log_answer refusal_of(simdjson::dom::element error, std::string_view json) {
  std::int64_t code = 0;
  std::string_view text;
  if (error["err_code"].get(code) != simdjson::SUCCESS) code = 0;
  if (error["description"].get(text) != simdjson::SUCCESS) return not_understood(json);
  if (code == error_no_message_found) return record_missing{};
  if (code == error_wrong_last_sequence && text.starts_with(wrong_last_text)) {
    if (const auto last = leading_number(text.substr(wrong_last_text.size()))) return wrong_last_sequence{*last};
  }
  return log_refusal{static_cast<int>(code), std::string(text)};
}

// Takes "NUMBER" or "NUMBER." from the beginning of the text.
template <class Number>
bool take_number(std::string_view& text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  if (text.empty()) return true;
  if (text.front() != '.') return false;
  text.remove_prefix(1);
  return !text.empty();
}

}  // namespace

log_answer parse_append_answer(std::string_view json) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  simdjson::dom::element error;
  if (parser.parse(json.data(), json.size()).get(root) != simdjson::SUCCESS) return not_understood(json);
  if (root["error"].get(error) == simdjson::SUCCESS) return refusal_of(error, json);
  record_stored stored;
  if (root["seq"].get(stored.sequence) != simdjson::SUCCESS || stored.sequence == 0) return not_understood(json);
  if (root["duplicate"].get(stored.duplicate) != simdjson::SUCCESS) stored.duplicate = false;
  return stored;
}

log_answer parse_get_answer(std::string_view json) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  simdjson::dom::element error;
  simdjson::dom::element message;
  if (parser.parse(json.data(), json.size()).get(root) != simdjson::SUCCESS) return not_understood(json);
  if (root["error"].get(error) == simdjson::SUCCESS) return refusal_of(error, json);
  record_found found;
  std::string_view data;  // left out of an empty message
  if (root["message"].get(message) != simdjson::SUCCESS || message["seq"].get(found.sequence) != simdjson::SUCCESS) {
    return not_understood(json);
  }
  if (message["data"].get(data) != simdjson::SUCCESS) data = {};
  auto bytes = auth::decode_base64(data);
  if (!bytes) return not_understood(json);
  found.bytes = std::move(*bytes);
  return found;
}

std::string reply_subject(std::string_view prefix, log_question question, const log_request& request) {
  std::string out(prefix);
  out += question_letters[static_cast<std::size_t>(question)];
  const auto add = [&out](std::uint64_t number) {
    out += '.';
    append_number(out, number);
  };
  add(request.epoch);
  add(request.generation);
  add(request.sequence);
  add(request.attempt);
  return out;
}

std::optional<reply_target> parse_reply_subject(std::string_view prefix, std::string_view subject) {
  if (!subject.starts_with(prefix)) return std::nullopt;
  subject.remove_prefix(prefix.size());
  if (subject.size() < 2 || subject[1] != '.') return std::nullopt;
  const auto letter = question_letters.find(subject.front());
  if (letter == std::string_view::npos) return std::nullopt;
  subject.remove_prefix(2);
  reply_target target;
  target.question = static_cast<log_question>(letter);
  log_request& request = target.request;
  // After each but the last one there is more, and after the last one nothing.
  const bool is_whole = take_number(subject, request.epoch) && !subject.empty() &&
                        take_number(subject, request.generation) && !subject.empty() &&
                        take_number(subject, request.sequence) && !subject.empty() &&
                        take_number(subject, request.attempt) && subject.empty();
  return is_whole ? std::optional(target) : std::nullopt;
}

}  // namespace ordem::cluster
