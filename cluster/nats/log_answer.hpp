// What the servers of NATS answer to an append and to a look-up of one record, and the reply subject by which an answer
// finds its request. The formats are those of JetStream's API (ADR-1, ADR-31 of NATS). Pure functions, any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace ordem::cluster {

// Names one request to the log. It travels in the reply subject, so that an answer that comes late, or twice, is told
// from that of another request. Chosen by the caller.
struct log_request {
  std::uint64_t epoch = 0;
  std::uint64_t sequence = 0;    // that the record is predicted to get, or that is looked up
  std::uint32_t generation = 0;  // of the connections, say
  std::uint64_t attempt = 0;

  bool operator==(const log_request&) const = default;
};

enum class log_question : std::uint8_t { append, get_from_leader, get_from_replica };

// The record is in the stream, with this sequence. `duplicate` is set if the server has dropped it as one that it has
// already, which it does only for records with a message id.
struct record_stored {
  std::uint64_t sequence = 0;
  bool duplicate = false;
};
// The stream's last sequence is another one than was expected.
struct wrong_last_sequence {
  std::uint64_t last = 0;
};
// The stream has no leader, or there is no such stream.
struct no_responders {};
// Refused for another reason: the stream is full or has no quorum, say.
struct log_refusal {
  int code = 0;  // JetStream's err_code; 0 if the answer could not be read
  std::string text;
};
struct record_found {
  std::uint64_t sequence = 0;
  std::string bytes;
};
// That server does not have the sequence: it has been trimmed, was never written, or the server is behind.
struct record_missing {};

using log_answer =
    std::variant<record_stored, wrong_last_sequence, no_responders, log_refusal, record_found, record_missing>;

// Each parses the body of an answer. Anything that is not understood becomes a log_refusal with code 0.
log_answer parse_append_answer(std::string_view json);
log_answer parse_get_answer(std::string_view json);  // of STREAM.MSG.GET

// Returns "PREFIX.q.epoch.generation.sequence.attempt", q standing for the question.
std::string reply_subject(std::string_view prefix, log_question question, const log_request& request);

struct reply_target {
  log_question question = log_question::append;
  log_request request;
};
// Returns what reply_subject() was made of, or nullopt for any other subject.
std::optional<reply_target> parse_reply_subject(std::string_view prefix, std::string_view subject);

}  // namespace ordem::cluster
