// A log of changes in memory, for tests of the feed.
#pragma once

#include <algorithm>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/ports/change_reader.hpp"
#include "tests/support_cpp/samples.hpp"

namespace ordem::testing {

// Thread-safe.
class fake_changes final : public change_reader {
 public:
  // Appends an entry, which is a change of the customer's order, or none if there is no customer. Not visible yet.
  void append(std::string customer, std::string tenant = {}, verdict what = verdict::order_created,
              std::size_t text_bytes = 0) {
    const std::lock_guard lock(mutex_);
    const position at{++last_};
    if (customer.empty()) return;
    order made = sample_order(at.number);
    made.content.customer_id = std::move(customer);
    made.content.items.front().sku.append(text_bytes, 'x');
    made.origin.tenant = std::move(tenant);
    changes_.push_back({at, guid_of(at.number), what, sample_time, shared(std::move(made))});
  }
  // Makes everything visible.
  void show() {
    const std::lock_guard lock(mutex_);
    visible_ = last_;
  }
  void trim(position first) {
    const std::lock_guard lock(mutex_);
    first_ = first;
  }
  // Makes every later read fail, or none.
  void fail(bool fails = true) {
    const std::lock_guard lock(mutex_);
    fails_ = fails;
  }
  // Returns how many reads there were.
  std::uint64_t reads() const {
    const std::lock_guard lock(mutex_);
    return reads_;
  }

  tl::expected<order_changes, change_error> read_changes(position after, std::size_t entries_max) const override {
    const std::lock_guard lock(mutex_);
    ++reads_;
    if (fails_) return tl::make_unexpected(change_error::storage_failed);
    if (after.number + 1 < first_.number) return tl::make_unexpected(change_error::trimmed);
    order_changes read{{}, {std::max(after.number, std::min<std::uint64_t>(after.number + entries_max, visible_))}};
    std::copy_if(changes_.begin(), changes_.end(), std::back_inserter(read.changes),
                 [&](const order_change& each) { return each.position > after && each.position <= read.through; });
    return read;
  }
  position first() const override {
    const std::lock_guard lock(mutex_);
    return first_;
  }
  position visible() const noexcept override {
    const std::lock_guard lock(mutex_);
    return {visible_};
  }
  const std::string& log_id() const noexcept override { return log_id_; }

 private:
  const std::string log_id_ = "0190b3f2-9f6c-7cc0-8000-5f3a1c2d4e6f";
  mutable std::mutex mutex_;
  std::vector<order_change> changes_;
  std::uint64_t last_ = 0;
  std::uint64_t visible_ = 0;
  position first_{1};
  bool fails_ = false;
  mutable std::uint64_t reads_ = 0;
};

}  // namespace ordem::testing
