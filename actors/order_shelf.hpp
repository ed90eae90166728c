// The live orders of one keeper, under a bound: which exist, which have work that is not yet durable, which was used
// least recently. A plain class; Live is a handle whose destruction lets the order go.
#pragma once

#include <cstddef>
#include <list>
#include <unordered_map>

#include "engine/check.hpp"
#include "engine/ids.hpp"

namespace ordem::actors {

template <class Live>
class order_shelf {
 public:
  // Keeps up to live_max orders. Those with work are kept whatever their number, which the bound on messages in flight
  // bounds.
  explicit order_shelf(std::size_t live_max) : live_max_(live_max) {}

  // The live order, made by make() if it is not on the shelf; it has one more piece of work until release().
  template <class Make>
  Live& hold(const order_id& id, Make make) {
    auto found = places_.find(id);
    if (found == places_.end()) {
      busy_.push_front({id, make(), 0});
      found = places_.emplace(id, busy_.begin()).first;
    } else if (found->second->work == 0) {
      busy_.splice(busy_.begin(), idle_, found->second);
    }
    ++found->second->work;
    trim();
    return found->second->live;
  }

  // One piece of work is done. The order goes once it has none and others were used more recently.
  void release(const order_id& id) {
    const auto found = places_.find(id);
    CHECK(found != places_.end() && found->second->work > 0);
    if (--found->second->work > 0) return;
    idle_.splice(idle_.begin(), busy_, found->second);
    trim();
  }

  std::size_t size() const noexcept { return places_.size(); }

 private:
  struct place {
    order_id id;
    Live live;
    std::size_t work;
  };

  void trim() {
    while (places_.size() > live_max_ && !idle_.empty()) {
      places_.erase(idle_.back().id);
      idle_.pop_back();
    }
  }

  const std::size_t live_max_;
  std::list<place> busy_;
  std::list<place> idle_;  // most recently used first
  std::unordered_map<order_id, typename std::list<place>::iterator> places_;
};

}  // namespace ordem::actors
