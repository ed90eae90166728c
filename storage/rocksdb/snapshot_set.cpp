#include "storage/rocksdb/snapshot_set.hpp"

#include <vector>

namespace ordem::storage {

void snapshot_set::reset(shared_snapshot all) {
  const std::uint64_t last = all->last().number;
  const std::lock_guard lock(mutex_);
  pending_.clear();
  appended_snapshot_ = durable_snapshot_ = visible_snapshot_ = std::move(all);
  appended_ = durable_ = visible_ = last;
}

// Here and below a replaced snapshot is released outside of the lock, and not before its last reader is done.

void snapshot_set::set_appended(shared_snapshot next) {
  const std::uint64_t last = next->last().number;
  {
    const std::lock_guard lock(mutex_);
    appended_snapshot_.swap(next);
  }
  appended_.store(last, std::memory_order_release);
}

void snapshot_set::set_durable(shared_snapshot next) {
  const std::uint64_t last = next->last().number;
  shared_snapshot replaced = next;
  {
    const std::lock_guard lock(mutex_);
    durable_snapshot_.swap(replaced);
    if (when_visible_ == visibility::once_persisted) {
      pending_.push_back(std::move(next));
    } else {
      visible_snapshot_.swap(next);
      visible_.store(last, std::memory_order_release);
    }
  }
  durable_.store(last, std::memory_order_release);
}

void snapshot_set::confirm_persisted(position through) {
  std::vector<shared_snapshot> replaced;
  const std::lock_guard lock(mutex_);
  while (!pending_.empty() && pending_.front()->last() <= through) {
    visible_snapshot_.swap(pending_.front());
    visible_.store(visible_snapshot_->last().number, std::memory_order_release);
    replaced.push_back(std::move(pending_.front()));
    pending_.pop_front();
  }
}

}  // namespace ordem::storage
