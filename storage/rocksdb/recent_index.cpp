#include "storage/rocksdb/recent_index.hpp"

#include <algorithm>
#include <utility>

#include "storage/records/keys.hpp"
#include "storage/records/message_record.hpp"
#include "storage/records/order_record.hpp"

namespace ordem::storage {
namespace {

// How many durable memtables may wait to be written before appends wait for them.
constexpr std::size_t immutable_memtables_max = 3;

// Size of a record. Larger orders are not kept in memtables, which bounds their memory.
constexpr std::size_t order_bytes_max = 512;

std::size_t customer_prefix_bytes(std::string_view customer_key) {
  return customer_key.size() - sizeof(order_id::bytes);
}

}  // namespace

recent_index::recent_index(std::size_t memtable_entries, writer write)
    : memtable_entries_(memtable_entries), write_(std::move(write)), active_(make_memtable()) {
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

// A group goes into one memtable, even if it has more entries than memtable_entries_.
std::shared_ptr<memtable> recent_index::make_memtable() const {
  return std::make_shared<memtable>(std::max(memtable_entries_, group_entries_max));
}

void recent_index::add(std::span<const entry> entries, position first) {
  if (active_->entries > 0 && active_->entries + entries.size() > memtable_entries_) {
    begin_memtable({first.number - 1});
  }
  active_->entries += entries.size();
  position at = first;
  for (const entry& each : entries) {
    if (const auto* message = std::get_if<message_entry>(&each)) add(*message, at);
    ++at.number;
  }
}

void recent_index::begin_memtable(position last) {
  active_->last = last;
  std::unique_lock lock(mutex_);
  auto next = std::exchange(spare_, nullptr);
  if (next == nullptr) next = make_memtable();
  // Memtables that are not durable can't be written yet. Their number is bounded by the messages in flight.
  const auto is_behind = [this] {
    return immutable_.size() >= immutable_memtables_max && immutable_[immutable_memtables_max - 1]->last <= durable_;
  };
  changed_.wait(lock, [&] { return !is_behind() || failed_ || !thread_.joinable(); });
  immutable_.push_back(std::exchange(active_, std::move(next)));
  publish();
  changed_.notify_all();
}

void recent_index::add(const message_entry& what, position at) {
  key_.clear();
  value_.clear();
  encode_message_key(key_, what.guid);
  encode_message(value_, what.record);
  active_->messages.put(key_, value_, at);

  if (what.after == nullptr) return;
  const order& after = *what.after;
  key_.clear();
  value_.clear();
  encode_order_key(key_, after.id);
  encode_order(value_, after);
  if (value_.size() <= order_bytes_max) {
    active_->orders.put(key_, value_, at);
  } else {
    active_->orders.remove(key_, at);
  }

  if (what.before != nullptr) {
    const std::string& customer_before = what.before->content.customer_id;
    if (customer_before == after.content.customer_id) return;
    key_.clear();
    encode_customer_key(key_, customer_before, after.id);
    active_->customers.remove(key_, customer_prefix_bytes(key_), at);
  }
  key_.clear();
  encode_customer_key(key_, after.content.customer_id, after.id);
  active_->customers.put(key_, customer_prefix_bytes(key_), at);
}

// --- writing ---

void recent_index::confirm_durable(position through) {
  const std::lock_guard lock(mutex_);
  durable_ = through;
  if (!immutable_.empty()) changed_.notify_all();
}

void recent_index::flush_loop() {
  std::unique_lock lock(mutex_);
  for (;;) {
    const auto has_work = [this] { return !failed_ && !immutable_.empty() && immutable_.front()->last <= durable_; };
    changed_.wait(lock, [&] { return stopping_ || spare_ == nullptr || has_work(); });
    if (stopping_) return;
    if (spare_ == nullptr) {
      lock.unlock();
      auto made = make_memtable();
      lock.lock();
      spare_ = std::move(made);
      continue;
    }
    const auto what = immutable_.front();
    lock.unlock();
    const bool written = write_(*what);
    lock.lock();
    if (written) {
      immutable_.erase(immutable_.begin());
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
  active_->last = last;
  if (active_->entries > 0) immutable_.push_back(active_);
  for (const auto& each : immutable_) {
    if (!write_(*each)) return false;
  }
  return true;
}

// --- reading ---

void recent_index::publish() {
  auto all = std::make_shared<memtable_list>();
  all->reserve(immutable_.size() + 1);
  all->push_back(active_);
  all->insert(all->end(), immutable_.rbegin(), immutable_.rend());
  published_ = std::move(all);
}

std::shared_ptr<const memtable_list> recent_index::memtables() const {
  const std::lock_guard lock(mutex_);
  return published_;
}

}  // namespace ordem::storage
