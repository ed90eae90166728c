// Submissions on their way from a node to the owner of the log, and the answers to them: the bodies of requests with
// submit_subject and of their answers. forward_message.cpp draws the format. Pure functions, any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/model/ids.hpp"
#include "engine/model/outcome.hpp"
#include "engine/ports/engine_port.hpp"

namespace ordem::cluster {

// Names one request. The owner executes a request that arrives twice once.
struct forward_id {
  std::uint64_t sender = 0;  // drawn at random by each forwarding_port
  std::uint64_t number = 0;  // 1, 2, 3, ... of the sender
  friend auto operator<=>(const forward_id&, const forward_id&) = default;
};

struct forward_request {
  forward_id id;
  // The least number of a request of the sender that still waits: the owner may forget the answers to earlier ones.
  std::uint64_t oldest = 0;
  std::vector<engine_request> submissions;
};

// Appends one submission of a request. Its trace is not carried.
void encode_submission(std::string& out, const engine_request& what);
// Returns the body of a request. `submissions`: the texts of `count` calls of encode_submission(), one after the other.
std::string encode_forward_request(forward_id id, std::uint64_t oldest, std::size_t count,
                                   std::string_view submissions);
// Returns nullopt for bytes that encode_forward_request() can't have written.
std::optional<forward_request> decode_forward_request(std::string_view body);
// Returns the submission in the text of one encode_submission(), or nullopt.
std::optional<engine_request> decode_submission(std::string_view text);

// Kept on the wire: do not renumber.
enum class forward_status : std::uint8_t {
  answered = 1,     // `answers` has an element for each submission
  not_owner = 2,    // nothing was done: the node that got the request does not own the log
  in_progress = 3,  // the request has arrived before and is being executed
  overloaded = 4,   // nothing was done: too many requests of others are being executed
  malformed = 5,    // nothing was done: the request cannot be decoded, by a node of another release perhaps
};

struct forward_answer {
  forward_status status = forward_status::answered;
  std::uint64_t epoch = 0;  // of the owner that the answering node knows; 0 if it knows none
  // Once a view has this position, it shows everything that the answers speak of.
  position visible = {};
  // Absent: nothing may have been done, or the answer did not fit: the submission is to be sent again.
  std::vector<std::optional<answer>> answers = {};
};

// Returns the body. Answers that do not fit into `bytes_max` are left out, as if they were absent, but for the first
// one and for small ones: an allocation of a capture that is asked for again gets another answer.
std::string encode_forward_answer(const forward_answer& what, std::size_t bytes_max);
// Returns nullopt for bytes that encode_forward_answer() can't have written.
std::optional<forward_answer> decode_forward_answer(std::string_view body);

}  // namespace ordem::cluster
