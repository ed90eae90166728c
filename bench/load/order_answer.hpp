// order_answer: whether an answer about an order says what it has to.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "bench/load/order_text.hpp"
#include "bench/load/workload.hpp"

namespace ordem::bench {

/// An order as its last right answer told it.
struct known_order {
  uuid id;
  std::uint64_t version = 0;
  std::uint64_t turn = 0;  // see order_text
};

struct order_wanted {
  unsigned status = 200;
  std::string_view message;
  std::optional<uuid> id;  // nothing: any
  std::uint64_t version = 1;
  std::uint64_t turn = 0;
};

/// Checks status, ETag and the body's code, message, id, version, customer, total, last item and turn.
[[nodiscard]] verdict check_order(const answer& got, const order_wanted& wanted, const order_text& text);

/// The id of the order that the answer shows.
[[nodiscard]] std::optional<uuid> order_id_of(const answer& got);

/// Checks that the write was refused as out of date: 409, code 3043, and that it names the versions. What the current
/// version has to be is the caller's business.
[[nodiscard]] verdict judge_stale(const answer& got, std::uint64_t expected_version);

/// The current version that such a refusal names; 0 if none.
[[nodiscard]] std::uint64_t current_version_of(const answer& got);

/// True if the answer says that it is a repeated one.
[[nodiscard]] bool is_replay(const answer& got);

}  // namespace ordem::bench
