#include "storage/rocksdb/memtable_set.hpp"

#include <algorithm>
#include <utility>

#include "storage/records/capture_record.hpp"
#include "storage/records/keys.hpp"
#include "storage/records/message_record.hpp"
#include "storage/records/order_record.hpp"

namespace ordem::storage {
namespace {

// How many memtables may wait to be written before apply waits for them.
constexpr std::size_t immutable_memtables_max = 3;

// Of a key of a customer or of an external id.
std::size_t prefix_bytes(std::string_view list_key) {
  return list_key.size() - sizeof(order_id::bytes);
}

}  // namespace

memtable_set::memtable_set(memtable_limits limits, writer write, publisher publish,
                           std::function<void(const error&)> on_failure)
    : limits_(limits),
      write_(std::move(write)),
      publish_(std::move(publish)),
      on_failure_(std::move(on_failure)),
      active_(empty_memtable()) {}

memtable_set::~memtable_set() {
  stop();
}

void memtable_set::begin() {
  const std::lock_guard lock(mutex_);
  publish();
}

void memtable_set::start() {
  thread_ = std::thread([this] { flush_loop(); });
}

void memtable_set::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
}

// --- filling ---

// A group goes into one memtable, even if it has more entries than the limit.
std::shared_ptr<memtable> memtable_set::empty_memtable() const {
  return std::make_shared<memtable>(std::max(limits_.entries, group_entries_max));
}

std::shared_ptr<memtable> memtable_set::allocated_memtable() const {
  auto made = empty_memtable();
  made->messages.allocate();
  made->orders.allocate();
  made->customers.allocate();
  made->created.allocate();
  return made;
}

void memtable_set::reserve(std::size_t entries, position last) {
  const bool is_full = active_->entries + entries > limits_.entries || active_->bytes() >= limits_.bytes;
  if (active_->entries > 0 && is_full) begin_memtable(last);
  active_->entries += entries;
  if (keeps_spare_) return;
  if (2 * active_->entries > limits_.entries || 2 * active_->bytes() > limits_.bytes) {
    const std::lock_guard lock(mutex_);
    keeps_spare_ = true;
    changed_.notify_all();
  }
}

void memtable_set::begin_memtable(position last) {
  active_->last = last;
  std::unique_lock lock(mutex_);
  auto next = std::exchange(spare_, nullptr);
  if (next == nullptr) next = allocated_memtable();
  changed_.wait(lock, [this] {
    return immutable_.size() < immutable_memtables_max || failure_ || stopping_ || !thread_.joinable();
  });
  immutable_.push_back(std::exchange(active_, std::move(next)));
  publish();
  changed_.notify_all();
}

void memtable_set::add(const message_entry& what, position at) {
  key_.clear();
  value_.clear();
  encode_message_key(key_, what.tenant(), what.guid);
  encode_message(value_, what.record);
  active_->messages.put(key_, value_, at);

  if (what.after == nullptr) return;
  const order& after = *what.after;
  key_.clear();
  value_.clear();
  encode_order_key(key_, after.id);
  encode_order(value_, after);
  active_->orders.put(key_, value_, at);

  if (what.before == nullptr) {
    active_->new_orders.fetch_add(1, std::memory_order_relaxed);
    key_.clear();
    encode_inverted_order_key(key_, after.id);
    active_->created.put(key_, 0, at);
  } else {
    const order& before = *what.before;
    key_.clear();
    value_.clear();
    encode_version_key(key_, after.id, before.version);
    encode_order(value_, before);
    active_->versions.put(key_, value_, at);
  }
  add_to_lists(what.before.get(), after, at);
}

// Adds what lists of orders find an order by.
void memtable_set::add_to_lists(const order* before, const order& after, position at) {
  const std::string& tenant = after.origin.tenant;
  const std::string& customer = after.content.customer_id;
  if (before == nullptr || before->content.customer_id != customer) {
    if (before != nullptr) {
      key_.clear();
      encode_customer_key(key_, tenant, before->content.customer_id, after.id);
      active_->customers.remove(key_, prefix_bytes(key_), at);
    }
    key_.clear();
    encode_customer_key(key_, tenant, customer, after.id);
    active_->customers.put(key_, prefix_bytes(key_), at);
  }

  const auto& external_id = after.content.external_id;
  if (before != nullptr && before->content.external_id == external_id) return;
  if (before != nullptr && before->content.external_id) {
    key_.clear();
    encode_external_id_key(key_, tenant, *before->content.external_id, after.id);
    active_->external_ids.remove(key_, prefix_bytes(key_), at);
  }
  if (external_id) {
    key_.clear();
    encode_external_id_key(key_, tenant, *external_id, after.id);
    active_->external_ids.put(key_, prefix_bytes(key_), at);
  }
}

void memtable_set::add(const capture_entry& what, position at) {
  key_.clear();
  encode_capture_key(key_, what.tenant(), what.key);
  if (what.after == nullptr) {
    active_->captures.remove(key_, at);
    return;
  }
  value_.clear();
  encode_capture(value_, *what.after);
  active_->captures.put(key_, value_, at);
}

// --- writing ---

void memtable_set::flush_loop() {
  std::unique_lock lock(mutex_);
  for (;;) {
    const auto lacks_spare = [this] { return keeps_spare_ && spare_ == nullptr; };
    const auto has_work = [this] { return !immutable_.empty() && (!failure_ || retries_); };
    changed_.wait(lock, [&] { return stopping_ || lacks_spare() || has_work(); });
    if (stopping_) return;
    if (lacks_spare()) {
      lock.unlock();
      auto made = allocated_memtable();
      lock.lock();
      spare_ = std::move(made);
      continue;
    }
    retries_ = false;
    const auto what = immutable_.front();
    lock.unlock();
    const auto written = write_(*what);
    if (!written) on_failure_(written.error());
    lock.lock();
    ++writes_;
    failure_ = written ? std::nullopt : std::optional(written.error());
    has_failed_.store(failure_.has_value(), std::memory_order_release);
    if (written) {
      immutable_.erase(immutable_.begin());
      publish();
    }
    changed_.notify_all();
  }
}

result<void> memtable_set::retry() {
  std::unique_lock lock(mutex_);
  if (!failure_) return {};
  retries_ = true;
  changed_.notify_all();
  const std::uint64_t before = writes_;
  changed_.wait(lock, [&] { return writes_ > before || stopping_; });
  if (failure_) return tl::make_unexpected(*failure_);
  return {};
}

result<void> memtable_set::flush_remaining(position last) {
  stop();
  active_->last = last;
  if (active_->entries > 0) immutable_.push_back(active_);
  for (const auto& each : immutable_) {
    if (auto written = write_(*each); !written) return written;
  }
  return {};
}

// REQUIRES: the mutex is held.
void memtable_set::publish() {
  auto all = std::make_shared<memtable_list>();
  all->reserve(immutable_.size() + 1);
  all->push_back(active_);
  all->insert(all->end(), immutable_.rbegin(), immutable_.rend());
  publish_(std::move(all));
}

}  // namespace ordem::storage
