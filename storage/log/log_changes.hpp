// Changes of orders, read from the log. Owned by app/.
#pragma once

#include <cstddef>
#include <string>
#include <tl/expected.hpp>
#include <utility>

#include "engine/ports/change_reader.hpp"
#include "engine/ports/readers.hpp"
#include "storage/log/log.hpp"

namespace ordem::storage {

class log_changes final : public change_reader {
 public:
  // Shows what `orders` shows, so that a change can be read as an order once it is in the feed, and with
  // durability::postgres only what Postgres has. Both must outlive this.
  log_changes(const log& from, const order_reader& orders, std::string log_id)
      : log_(from), orders_(orders), log_id_(std::move(log_id)) {}

  tl::expected<order_changes, change_error> read_changes(position after, std::size_t entries_max) const override;
  position first() const override;
  position visible() const noexcept override { return orders_.visible(); }
  const std::string& log_id() const noexcept override { return log_id_; }

 private:
  const log& log_;
  const order_reader& orders_;
  const std::string log_id_;
};

}  // namespace ordem::storage
