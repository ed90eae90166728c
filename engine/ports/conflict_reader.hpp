// Reads the versions that a 3043 response speaks of.
#pragma once

#include <utility>

#include "engine/model/conflict.hpp"
#include "engine/model/outcome.hpp"
#include "engine/ports/readers.hpp"

namespace ordem {

// Returns the versions of a stale write, which are immutable, or a conflict without versions for any other outcome. Its
// reply comes after both versions became visible. Thread-safe; may block for reads from disk.
// `unmerged` is that of `executed`, and must outlive the result.
inline read_result<conflict> read_conflict(const order_lookup& orders, const outcome& decided,
                                           const command* unmerged) {
  const auto& asked = decided.expected_version;
  if (decided.verdict != verdict::stale_version || !asked || decided.version < asked->version) return conflict{};
  auto expected = orders.find_version(decided.order, asked->version);
  if (!expected) return tl::make_unexpected(expected.error());
  auto current = orders.find_version(decided.order, decided.version);
  if (!current) return tl::make_unexpected(current.error());
  if (*expected == nullptr || *current == nullptr) return conflict{};
  return conflict{std::move(*expected), std::move(*current), unmerged};
}

// As above, for a recorded message, which must outlive the result.
inline read_result<conflict> read_conflict(const order_lookup& orders, const message_record& of) {
  return read_conflict(orders, of.outcome, asks_for_merge(of.outcome) && of.command ? &*of.command : nullptr);
}

}  // namespace ordem
