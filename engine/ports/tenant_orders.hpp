// The orders and messages of one tenant: all that its clients may read. An order of another tenant is not found. Any
// thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "engine/ports/conflict_reader.hpp"
#include "engine/ports/order_search.hpp"
#include "engine/ports/readers.hpp"

namespace ordem {

class tenant_orders {
 public:
  // Both must outlive it. Its functions are as those of order_reader.
  tenant_orders(const order_reader& all, std::string_view tenant) noexcept : all_(all), tenant_(tenant) {}

  read_result<shared_order> find_order(order_id id) const { return own(all_.find_order(id)); }
  read_result<shared_order> find_version(order_id id, version which) const { return own(all_.find_version(id, which)); }
  // Returns all versions of an order that find_order() returned.
  order_search find_versions(const order& of, std::optional<version> before) const {
    return {all_.list_versions(of.id, before), std::string(tenant_), {}};
  }
  // Returns the search for the orders that match, beginning after (older than) `after`.
  order_search find_orders(order_filter filter, std::optional<order_id> after) const {
    if (filter.created_before) {
      const order_id end = lowest_id_at(*filter.created_before);
      if (!after || end < *after) after = end;
    }
    auto among = filter.external_id   ? all_.list_external(tenant_, *filter.external_id, after)
                 : filter.customer_id ? all_.list_orders(tenant_, *filter.customer_id, after)
                                      : all_.list_all(after);
    return {std::move(among), std::string(tenant_), std::move(filter)};
  }
  read_result<std::optional<message_record>> find_message(const guid& id, const clock_reading& now) const {
    return all_.find_message(tenant_, id, now);
  }

  // Returns the versions that a message found here was rejected for; see read_conflict().
  read_result<conflict> find_conflict(const message_record& of) const { return read_conflict(all_, of); }

 private:
  read_result<shared_order> own(read_result<shared_order> found) const {
    if (found && *found != nullptr && (*found)->origin.tenant != tenant_) found->reset();
    return found;
  }

  const order_reader& all_;
  const std::string_view tenant_;
};

}  // namespace ordem
