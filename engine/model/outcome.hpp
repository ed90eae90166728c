// The engine's decision about a message. An outcome is recorded and replayed; a refusal is not recorded, so the client
// can retry with the same GUID.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "engine/model/capture.hpp"
#include "engine/model/message.hpp"
#include "engine/model/order.hpp"
#include "engine/model/origin.hpp"
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

// The names are used in metrics and in Postgres: do not change them.
std::string_view to_string(verdict what) noexcept;
std::optional<verdict> parse_verdict(std::string_view text) noexcept;

constexpr bool is_accepted(verdict what) noexcept {
  switch (what) {
    case verdict::order_created:
    case verdict::content_changed:
    case verdict::status_changed: return true;
    case verdict::stale_version:
    case verdict::status_not_allowed:
    case verdict::order_closed: return false;
  }
  return false;
}

// The body of the response is not part of it: it is rendered again from the version of the order.
struct outcome {
  ordem::verdict verdict = verdict::order_created;
  order_id order;
  // The version that an accepted message created; the current version at the time of a rejection.
  ordem::version version;
  // The order's status after an accepted message, or at the time of a rejection.
  order_status status = order_status::fresh;
  // Only for status_not_allowed.
  std::optional<order_status> requested_status;
  std::optional<ordem::expected_version> expected_version;
  friend bool operator==(const outcome&, const outcome&) = default;
};

// Returns whether the client asked that the update be merged if its version is an old one. A stale one that did
// clashed, or had no base.
inline bool asks_for_merge(const outcome& what) noexcept {
  return what.expected_version && what.expected_version->merges;
}

struct order_not_found {};
struct invalid_content {
  std::vector<violation> violations;
};
struct guid_reused {};
struct request_in_flight {};
enum class unavailability : std::uint8_t {
  overloaded,
  read_only,
  draining,
  storage_failed,
  backlog_full,
  no_owner,  // of a cluster: no node has answered for the log; the request may have been executed
};

using refusal = std::variant<order_not_found, invalid_content, guid_reused, request_in_flight, unavailability>;

// A recorded outcome with the data of its response.
struct executed {
  ordem::outcome outcome;
  shared_order order;    // at outcome.version; null if the outcome is a rejection
  timestamp expires_at;  // a repeat gets this outcome until then
  bool replayed = false;
  // What a stale update asked for that was to be merged: its response names the fields that clash. Else null.
  std::shared_ptr<const ordem::command> unmerged = nullptr;
};

// The decision about a capture.
struct capture_answer {
  capture_verdict verdict = capture_verdict::unknown;
  capture_key key;
  shared_captured_response response;  // the recorded response, for `completed`
};

using answer = std::variant<executed, refusal, capture_answer>;

// A message as the store keeps it.
struct message_record {
  ordem::fingerprint fingerprint;
  ordem::outcome outcome;
  timestamp created_at;
  timestamp expires_at;
  // Only for merge patches and rejected messages: other commands can be derived from the versions of the order.
  std::optional<ordem::command> command;
  ordem::origin origin = {};  // of the message; its tenant is that of the GUID
  friend bool operator==(const message_record&, const message_record&) = default;
};

}  // namespace ordem
