// The live orders of one shard, under a bound, least recently used first to go. An order with work that is not yet
// durable is pinned. A plain class; Live is a handle whose destruction drops the order.
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
  // Keeps up to live_max orders. Pinned ones are kept whatever their number, which the bound on messages in flight
  // bounds.
  explicit live_orders(std::size_t live_max) : live_max_(live_max) {}

  // Returns the live order, made by make() if there is none yet, and pins it once more until unpin(). The reference is
  // valid as long as the order is pinned.
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

  // Takes one pin back. An order without pins is dropped once others were used more recently.
  void unpin(const order_id& id) {
    const auto found = places_.find(id);
    CHECK(found != places_.end() && found->second->pins > 0);
    if (--found->second->pins > 0) return;
    idle_.splice(idle_.begin(), pinned_, found->second);
    trim();
  }

  // Drops all of them.
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
