// order_answer: checks of answers about orders.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "bench/load/order_text.hpp"
#include "bench/load/workload.hpp"

namespace ordem::bench {

/// An order in the state of its last correct answer.
struct known_order {
  uuid id;
  std::uint64_t version = 0;
  std::uint64_t turn = 0;  // see order_text
};

struct expected_order {
  unsigned status = 200;
  std::string_view message;
  std::optional<uuid> id;  // nothing: any
  std::uint64_t version = 1;
  std::uint64_t turn = 0;
};

/// Checks status, ETag and the body's code, message, id, version, customer, total, last item and turn.
[[nodiscard]] verdict check_order(const answer& got, const expected_order& expected, const order_text& text);

/// Returns the id of the order in the answer.
[[nodiscard]] std::optional<uuid> order_id_of(const answer& got);

/// Checks that the write was refused as out of date: 409, code 3043, and that it names the versions. The caller
/// checks the current version.
[[nodiscard]] verdict judge_stale(const answer& got, std::uint64_t expected_version);

/// Whether the server did nothing because too many requests come: 503, or 429 for those of one tenant.
[[nodiscard]] bool is_refusal(const answer& got);

/// Checks that a refusal has the problem for its status, and Retry-After.
[[nodiscard]] verdict judge_refusal(const answer& got);

/// The current version that such a refusal names; 0 if none.
[[nodiscard]] std::uint64_t current_version_of(const answer& got);

/// Returns true if the answer is marked as a replay.
[[nodiscard]] bool is_replay(const answer& got);

}  // namespace ordem::bench
