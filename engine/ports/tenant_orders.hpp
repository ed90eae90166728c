// The orders and messages of one tenant: all that its clients may read. An order of another tenant is not found. Any
// thread.
#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "engine/ports/readers.hpp"

namespace ordem {

class tenant_orders {
 public:
  // Both must outlive it. Its functions are as those of order_reader.
  tenant_orders(const order_reader& all, std::string_view tenant) noexcept : all_(all), tenant_(tenant) {}

  read_result<shared_order> find_order(order_id id) const { return own(all_.find_order(id)); }
  read_result<shared_order> find_version(order_id id, version which) const { return own(all_.find_version(id, which)); }
  // `of` was returned by find_order().
  std::unique_ptr<order_list> list_versions(const order& of, std::optional<version> before) const {
    return all_.list_versions(of.id, before);
  }
  std::unique_ptr<order_list> list_orders(std::string_view customer_id, std::optional<order_id> after) const {
    return all_.list_orders(tenant_, customer_id, after);
  }
  read_result<std::optional<message_record>> find_message(const guid& id, const clock_reading& now) const {
    return all_.find_message(tenant_, id, now);
  }

 private:
  read_result<shared_order> own(read_result<shared_order> found) const {
    if (found && *found != nullptr && (*found)->origin.tenant != tenant_) found->reset();
    return found;
  }

  const order_reader& all_;
  const std::string_view tenant_;
};

}  // namespace ordem
