// Which shard owns what. Pure; the gateway, the dedupe shards and the log syncer must agree on it.
#pragma once

#include <cstddef>
#include <functional>

#include "engine/model/ids.hpp"

namespace ordem::actors {

// Returns the number of the dedupe shard that owns the hash slot.
inline std::size_t dedupe_shard_of(hash_slot slot, std::size_t dedupe_shards) noexcept {
  return slot.number % dedupe_shards;
}

// Returns the number of the order shard that is the parent of the order's actor.
inline std::size_t order_shard_of(const order_id& id, std::size_t order_shards) noexcept {
  return std::hash<order_id>{}(id) % order_shards;
}

}  // namespace ordem::actors
