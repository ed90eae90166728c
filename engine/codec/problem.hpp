// The table of all errors of the HTTP interface, with one row for each. Responses and the pages that explain errors are
// made from it. Pure functions; thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace ordem::codec {

enum class problem : std::uint8_t {
  guid_missing,
  guid_malformed,
  guid_mismatch,
  guid_reused,
  request_in_flight,
  version_required,
  version_malformed,
  version_mismatch,
  stale_version,
  status_not_allowed,
  order_closed,
  malformed_json,
  not_ndjson,
  invalid_order,
  malformed_query,
  unsupported_media_type,
  body_too_large,
  order_not_found,
  version_not_found,
  message_not_found,
  position_trimmed,
  not_found,
  method_not_allowed,
  malformed_request,
  expectation_failed,
  headers_too_large,
  request_timeout,
  unauthenticated,
  forbidden,
  forbidden_origin,
  misdirected,
  rate_limited,
  backup_running,
  backup_refused,
  recovering,
  overloaded,
  too_many_connections,
  read_only,
  storage_failed,
  persistence_behind,
  no_owner,
  draining,
};

// The number of problems.
inline constexpr std::size_t problem_count = static_cast<std::size_t>(problem::draining) + 1;

// What a client does after a problem: whether another attempt can succeed, and with which key (GUID). Whatever is not
// recorded leaves its key free; a recorded outcome is returned to every repeat of its key.
enum class retry : std::uint8_t {
  later,           // nothing was recorded: the same request with the same key, later
  for_outcome,     // it may have been executed, or will be: the same request with the same key returns the outcome
  corrected,       // nothing was recorded: the request must be corrected, and may keep its key
  with_valid_key,  // the request has no valid key: it needs another one
  with_new_key,    // the key has an outcome, or belongs to another request: a changed request needs a new key
  never,           // no request for this can succeed, with any key
};

// The members retry and retry_reason of a problem's body.
struct retry_advice {
  std::string_view key;          // "same-key", "new-key" or "never"
  std::string_view reason;       // "temporary", "outcome-unknown", "correct-request", "key-used" or "final"
  std::string_view explanation;  // for the page
};
retry_advice advice_of(retry what) noexcept;

struct problem_row {
  problem which;
  std::string_view slug;  // the last part of the type, /problems/<slug>
  unsigned status;
  unsigned code;  // in the body: the status, or the number that the replaced services used
  codec::retry retry;
  std::string_view title;
  std::string_view explanation;  // for the page: what happened and what to do
};

std::span<const problem_row> problem_table() noexcept;
const problem_row& row_of(problem which) noexcept;
// Returns nullptr if there is no problem with this slug.
const problem_row* find_problem(std::string_view slug) noexcept;

// Returns the body of an application/problem+json response (RFC 9457). `status` replaces the status of the row. `more`
// is the JSON text of additional members, each with a leading comma.
std::string problem_body(const problem_row& row, unsigned status, std::string_view detail, std::string_view more = {});

}  // namespace ordem::codec
