// A search among the orders of one tenant, newest first. It looks at orders one by one, so that a caller can bound how
// many. One thread at a time.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "engine/model/order.hpp"
#include "engine/model/order_id_generator.hpp"
#include "engine/model/time.hpp"
#include "engine/ports/readers.hpp"

namespace ordem {

// Which orders are searched for. What is absent does not matter. Times are those in the ids of orders, which are the
// times of their creation (order_id_generator.hpp).
struct order_filter {
  std::optional<std::string> customer_id = {};
  std::optional<std::string> external_id = {};
  std::optional<order_status> status = {};
  std::optional<timestamp> created_after = {};   // at this time or after it
  std::optional<timestamp> created_before = {};  // before this time

  bool matches(const order& what) const {
    return (!customer_id || what.content.customer_id == *customer_id) &&
           (!external_id || what.content.external_id == *external_id) && (!status || what.status == *status) &&
           (!created_after || time_in(what.id) >= *created_after) &&
           (!created_before || time_in(what.id) < *created_before);
  }
};

class order_search {
 public:
  // An order that was looked at.
  struct step {
    shared_order order;     // null at the end
    bool is_found = false;  // whether it matches; an order that does not may be of another tenant
  };

  // Looks at the orders of `among`, whose ids do not ascend.
  order_search(std::unique_ptr<order_list> among, std::string tenant, order_filter filter)
      : among_(std::move(among)), tenant_(std::move(tenant)), filter_(std::move(filter)) {}

  // Looks at the next order. May block for a read from disk. REQUIRES: no earlier call returned an error.
  read_result<step> next() {
    auto looked_at = among_->next();
    if (!looked_at) return tl::make_unexpected(looked_at.error());
    shared_order& order = *looked_at;
    if (order == nullptr) return step{};
    // All that follow are older.
    if (filter_.created_after && time_in(order->id) < *filter_.created_after) return step{};
    const bool is_found = order->origin.tenant == tenant_ && filter_.matches(*order);
    return step{std::move(order), is_found};
  }

 private:
  std::unique_ptr<order_list> among_;
  std::string tenant_;
  order_filter filter_;
};

}  // namespace ordem
