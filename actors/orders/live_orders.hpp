// The live orders of one order shard: an LRU list with a bound. An order with work that is not durable is pinned, and
// not evicted. A plain class, owned by the shard. Not thread-safe. Live is a handle; destroying it evicts the order.
#pragma once

#include <cstddef>
#include <list>
#include <unordered_map>

#include "engine/base/check.hpp"
#include "engine/model/ids.hpp"

namespace ordem::actors {

template <class Live>
class live_orders {
 public:
  // Keeps up to live_max orders, or all pinned ones if they are more. The bound on messages in flight bounds these.
  explicit live_orders(std::size_t live_max) : live_max_(live_max) {}

  // Returns the order, made by make() if it is not live, and adds a pin. The reference is valid until the last unpin().
  template <class Make>
  Live& pin(const order_id& id, Make make) {
    auto found = places_.find(id);
    if (found == places_.end()) {
      pinned_.push_front({id, make(), 0});
      found = places_.emplace(id, pinned_.begin()).first;
    } else if (found->second->pins == 0) {
      pinned_.splice(pinned_.begin(), idle_, found->second);
    }
    ++found->second->pins;
    trim();
    return found->second->live;
  }

  // Removes one pin. An order without pins may be evicted.
  // REQUIRES: the order is pinned.
  void unpin(const order_id& id) {
    const auto found = places_.find(id);
    ORDEM_CHECK(found != places_.end() && found->second->pins > 0);
    if (--found->second->pins > 0) return;
    idle_.splice(idle_.begin(), pinned_, found->second);
    trim();
  }

  // Evicts all orders, pinned ones too.
  void clear() noexcept {
    places_.clear();
    pinned_.clear();
    idle_.clear();
  }

  std::size_t size() const noexcept { return places_.size(); }

 private:
  struct place {
    order_id id;
    Live live;
    std::size_t pins;
  };

  void trim() {
    while (places_.size() > live_max_ && !idle_.empty()) {
      places_.erase(idle_.back().id);
      idle_.pop_back();
    }
  }

  const std::size_t live_max_;
  std::list<place> pinned_;
  std::list<place> idle_;  // most recently used first
  std::unordered_map<order_id, typename std::list<place>::iterator> places_;
};

}  // namespace ordem::actors
