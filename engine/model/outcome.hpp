// What the engine decided about a message. An outcome is recorded and repeated; a refusal is not, the client may try
// again.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "engine/model/capture.hpp"
#include "engine/model/message.hpp"
#include "engine/model/order.hpp"
#include "engine/model/violation.hpp"

namespace ordem {

// Kept on disk: do not renumber.
enum class verdict : std::uint8_t {
  order_created = 1,
  content_changed = 2,
  status_changed = 3,
  stale_version = 4,       // 3043, data is out of date
  status_not_allowed = 5,  // 3044
  order_closed = 6,        // 3045
};

// Its name here, in metrics and in Postgres: never to change.
std::string_view to_string(verdict what) noexcept;
std::optional<verdict> parse_verdict(std::string_view text) noexcept;

constexpr bool is_accepted(verdict what) noexcept {
  return what <= verdict::status_changed;
}

// Compact: the body of the answer is rendered again from the order's version.
struct outcome {
  ordem::verdict verdict = verdict::order_created;
  order_id order;
  // Accepted: the version that the message made. Rejected: the order's version at that moment.
  ordem::version version;
  // The order's status after an accepted message, at the moment of a rejected one.
  order_status status = order_status::fresh;
  // Only for status_not_allowed: the status that was asked for.
  std::optional<order_status> requested_status;
  std::optional<ordem::expected_version> expected_version;
  friend bool operator==(const outcome&, const outcome&) = default;
};

struct order_not_found {};
struct invalid_content {
  std::vector<violation> violations;
};
struct guid_reused {};
struct request_in_flight {};
enum class unavailability : std::uint8_t { overloaded, read_only, draining, storage_failed, backlog_full };

using refusal = std::variant<order_not_found, invalid_content, guid_reused, request_in_flight, unavailability>;

// A recorded outcome with what is needed to answer it.
struct executed {
  ordem::outcome outcome;
  shared_order order;    // at outcome.version; null if the outcome is a rejection
  timestamp expires_at;  // until when a repeat gets this outcome
  bool replayed = false;
};

// What was decided about a capture.
struct capture_answer {
  capture_verdict verdict = capture_verdict::unknown;
  capture_key key;
  shared_captured_response response;  // what is recorded, if that was asked for
};

using answer = std::variant<executed, refusal, capture_answer>;

// A message as the store keeps it.
struct message_record {
  ordem::fingerprint fingerprint;
  ordem::outcome outcome;
  timestamp created_at;
  timestamp expires_at;
  // The command, where it can't be told from the order's versions: merge patches and rejected messages.
  std::optional<ordem::command> command;
  friend bool operator==(const message_record&, const message_record&) = default;
};

}  // namespace ordem
