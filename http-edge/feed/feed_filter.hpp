// Which changes a reader of the feed gets. Values: any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/model/outcome.hpp"

namespace ordem::http_edge {

struct feed_filter {
  std::string tenant;                      // only changes of this tenant's orders
  std::optional<std::string> customer_id;  // absent: of all customers
  // A bit for each verdict, by its number.
  std::uint8_t verdicts = all_verdicts;

  static constexpr std::uint8_t all_verdicts = 0xff;
  static constexpr std::uint8_t bit_of(verdict what) noexcept {
    return static_cast<std::uint8_t>(1U << static_cast<unsigned>(what));
  }

  bool takes(verdict what) const noexcept { return (verdicts & bit_of(what)) != 0; }
  bool takes(std::string_view of_tenant, std::string_view of_customer, verdict what) const noexcept {
    return tenant == of_tenant && takes(what) && (!customer_id || *customer_id == of_customer);
  }
};

}  // namespace ordem::http_edge
