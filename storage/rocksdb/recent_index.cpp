#include "storage/rocksdb/recent_index.hpp"

#include <algorithm>
#include <utility>

#include "storage/records/keys.hpp"
#include "storage/records/message_record.hpp"
#include "storage/records/order_record.hpp"

namespace ordem::storage {
namespace {

// How many may wait to be written before appends wait for them.
constexpr std::size_t immutable_memtables_max = 3;

// Of its record. Larger orders are not kept in memory, so that it stays bounded.
constexpr std::size_t order_bytes_max = 512;

std::size_t customer_prefix_bytes(std::string_view customer_key) {
  return customer_key.size() - sizeof(order_id::bytes);
}

}  // namespace

recent_index::recent_index(std::size_t memtable_entries, writer write)
    : memtable_entries_(memtable_entries), write_(std::move(write)), filling_(make_memtable()) {
  publish();
}

recent_index::~recent_index() {
  stop();
}

void recent_index::start() {
  thread_ = std::thread([this] { flush_loop(); });
}

void recent_index::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
}

// --- filling ---

// A group goes into one generation, also where it has more entries than that is to have.
std::shared_ptr<memtable> recent_index::make_memtable() const {
  return std::make_shared<memtable>(std::max(memtable_entries_, group_entries_max));
}

void recent_index::add(std::span<const entry> entries, position first) {
  if (filling_->entries > 0 && filling_->entries + entries.size() > memtable_entries_) {
    begin_memtable({first.number - 1});
  }
  filling_->entries += entries.size();
  position at = first;
  for (const entry& each : entries) {
    if (const auto* executed = std::get_if<message_entry>(&each)) add(*executed, at);
    ++at.number;
  }
}

void recent_index::begin_memtable(position last) {
  filling_->last = last;
  std::unique_lock lock(mutex_);
  auto next = std::exchange(spare_, nullptr);
  if (next == nullptr) next = make_memtable();
  // Those that are not durable wait for no disk of ours, and are as many as messages are in flight.
  const auto is_behind = [this] {
    return full_.size() >= immutable_memtables_max && full_[immutable_memtables_max - 1]->last <= durable_;
  };
  changed_.wait(lock, [&] { return !is_behind() || failed_ || !thread_.joinable(); });
  full_.push_back(std::exchange(filling_, std::move(next)));
  publish();
  changed_.notify_all();
}

void recent_index::add(const message_entry& what, position at) {
  key_.clear();
  value_.clear();
  encode_message_key(key_, what.guid);
  encode_message(value_, what.record);
  filling_->messages.put(key_, value_, at);

  if (what.after == nullptr) return;
  const order& after = *what.after;
  key_.clear();
  value_.clear();
  encode_order_key(key_, after.id);
  encode_order(value_, after);
  if (value_.size() <= order_bytes_max) {
    filling_->orders.put(key_, value_, at);
  } else {
    filling_->orders.remove(key_, at);
  }

  if (what.before != nullptr) {
    const std::string& customer_before = what.before->content.customer_id;
    if (customer_before == after.content.customer_id) return;
    key_.clear();
    encode_customer_key(key_, customer_before, after.id);
    filling_->customers.remove(key_, customer_prefix_bytes(key_), at);
  }
  key_.clear();
  encode_customer_key(key_, after.content.customer_id, after.id);
  filling_->customers.put(key_, customer_prefix_bytes(key_), at);
}

// --- writing ---

void recent_index::confirm_durable(position through) {
  const std::lock_guard lock(mutex_);
  durable_ = through;
  if (!full_.empty()) changed_.notify_all();
}

void recent_index::flush_loop() {
  std::unique_lock lock(mutex_);
  for (;;) {
    const auto has_work = [this] { return !failed_ && !full_.empty() && full_.front()->last <= durable_; };
    changed_.wait(lock, [&] { return stopping_ || spare_ == nullptr || has_work(); });
    if (stopping_) return;
    if (spare_ == nullptr) {
      lock.unlock();
      auto made = make_memtable();
      lock.lock();
      spare_ = std::move(made);
      continue;
    }
    const auto what = full_.front();
    lock.unlock();
    const bool written = write_(*what);
    lock.lock();
    if (written) {
      full_.erase(full_.begin());
      publish();
    } else {
      failed_ = true;
    }
    changed_.notify_all();
  }
}

bool recent_index::flush_remaining(position last) {
  stop();
  if (failed_) return false;
  filling_->last = last;
  if (filling_->entries > 0) full_.push_back(filling_);
  for (const auto& each : full_) {
    if (!write_(*each)) return false;
  }
  return true;
}

// --- reading ---

void recent_index::publish() {
  auto all = std::make_shared<memtable_list>();
  all->reserve(full_.size() + 1);
  all->push_back(filling_);
  all->insert(all->end(), full_.rbegin(), full_.rend());
  published_ = std::move(all);
}

std::shared_ptr<const memtable_list> recent_index::memtables() const {
  const std::lock_guard lock(mutex_);
  return published_;
}

}  // namespace ordem::storage
