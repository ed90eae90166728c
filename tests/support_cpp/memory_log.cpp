#include "tests/support_cpp/memory_log.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>
#include <variant>

namespace ordem::testing {
namespace {

using storage::log_error;
using storage::log_read_error;

// Returns the entry as the log keeps it.
storage::entry logged(const storage::entry& what) {
  auto kept = what;
  if (auto* message = std::get_if<storage::message_entry>(&kept)) message->before = nullptr;
  return kept;
}

}  // namespace

memory_log::memory_log(const memory_log_settings& settings)
    : settings_(settings),
      random_(settings.seed),
      durable_(settings.first.number - 1),
      appended_(settings.first.number - 1) {}

// --- faults ---

void memory_log::set_faults(const log_fault_rates& rates) {
  const std::lock_guard lock(mutex_);
  rates_ = rates;
}

void memory_log::fail_next_append() {
  const std::lock_guard lock(mutex_);
  next_append_fails_ = true;
}

void memory_log::fail_next_sync() {
  const std::lock_guard lock(mutex_);
  next_sync_fails_ = true;
}

void memory_log::fail_recoveries(std::uint64_t times) {
  const std::lock_guard lock(mutex_);
  failing_recoveries_ = times;
}

void memory_log::cut_power_after(std::uint64_t calls) {
  const std::lock_guard lock(mutex_);
  calls_left_ = calls;
}

bool memory_log::is_off() const {
  const std::lock_guard lock(mutex_);
  return calls_left_ == 0;
}

// Returns whether the machine is on.
bool memory_log::count_call() {
  if (!calls_left_) return true;
  if (*calls_left_ == 0) return false;
  --*calls_left_;
  return true;
}

bool memory_log::is_due(std::uint64_t one_in) {
  if (one_in == 0 || random_() % one_in != 0) return false;
  failing_recoveries_ = random_() % (rates_.recoveries_max + 1);
  return true;
}

tl::unexpected<log_error> memory_log::failure() {
  return tl::make_unexpected(std::exchange(failed_, true) ? log_error::failed_earlier : log_error::write_failed);
}

void memory_log::restart() {
  const std::lock_guard lock(mutex_);
  failed_group_.reset();
  keep_groups(groups_.size());
}

void memory_log::lose_power() {
  const std::lock_guard lock(mutex_);
  if (failed_group_) groups_.push_back(std::move(*failed_group_));
  failed_group_.reset();
  const auto unsynced = std::find_if(groups_.begin(), groups_.end(),
                                     [&](const group& each) { return each.first.number > durable_.load(); });
  const auto durable = static_cast<std::size_t>(unsynced - groups_.begin());
  keep_groups(durable + random_() % (groups_.size() - durable + 1));
}

// Starts with the first so many groups.
void memory_log::keep_groups(std::size_t count) {
  groups_.erase(groups_.begin() + static_cast<std::ptrdiff_t>(count), groups_.end());
  if (!groups_.empty()) {
    durable_ = groups_.back().last().number;
    newest_ = groups_.back().time;
  }
  appended_ = durable_.load();
  failed_ = next_append_fails_ = next_sync_fails_ = false;
  failing_recoveries_ = 0;
  calls_left_.reset();
}

std::optional<timestamp> memory_log::newest() const {
  const std::lock_guard lock(mutex_);
  return newest_;
}

// --- writing ---

tl::expected<position, log_error> memory_log::append(std::span<const storage::entry> entries) {
  const std::lock_guard lock(mutex_);
  if (entries.size() > storage::group_entries_max) throw std::logic_error("a group has too many entries");
  if (failed_) return failure();
  if (entries.empty()) return appended();
  if (!count_call()) return failure();

  group next{{appended().number + 1}, {}, groups_.empty() ? timestamp{} : groups_.back().time, 0};
  for (const storage::entry& each : entries) {
    next.entries.push_back(logged(each));
    next.time = std::max(next.time, storage::decided_at(each));
    next.bytes += storage::logged_bytes_max(each);
  }
  if (std::exchange(next_append_fails_, false) || is_due(rates_.appends)) {
    failed_group_ = std::move(next);
    return failure();
  }
  const position last = next.last();
  groups_.push_back(std::move(next));
  appended_.store(last.number, std::memory_order_release);
  return last;
}

tl::expected<position, log_error> memory_log::sync() {
  const std::lock_guard lock(mutex_);
  if (failed_) return failure();
  if (appended() == last()) return last();
  if (!count_call()) return failure();
  if (std::exchange(next_sync_fails_, false) || is_due(rates_.syncs)) return failure();
  durable_.store(appended_, std::memory_order_release);
  return last();
}

storage::result<void> memory_log::recover() {
  const std::lock_guard lock(mutex_);
  if (!failed_) return {};
  if (!count_call()) return storage::fail_with(storage::error_code::io_error, "the machine is off");
  if (failing_recoveries_ > 0) {
    --failing_recoveries_;
    return storage::fail_with(storage::error_code::io_error, "the disk still fails");
  }
  while (!groups_.empty() && groups_.back().first > last()) groups_.pop_back();
  failed_group_.reset();
  appended_.store(durable_, std::memory_order_release);
  failed_ = false;
  return {};
}

// --- trimming ---

void memory_log::release(storage::log_consumer who, position through) {
  const std::lock_guard lock(mutex_);
  released_[static_cast<std::size_t>(who)] = through;
  trim();
}

// The last durable group stays, which has the time of the log.
void memory_log::trim() {
  std::uint64_t unneeded = last().number - std::min(last().number, settings_.entries_kept);
  for (std::size_t i = 0; i < storage::log_consumers; ++i) {
    if (settings_.consumed[i]) unneeded = std::min(unneeded, released_[i].number);
  }
  while (groups_.size() > 1 && groups_.front().last().number <= unneeded && groups_[1].last() <= last()) {
    groups_.pop_front();
  }
}

// --- reading ---

position memory_log::first() const {
  const std::lock_guard lock(mutex_);
  if (!groups_.empty()) {
    const position begin = groups_.front().first;
    return begin == position{1} && last() == position{} ? position{} : begin;
  }
  return settings_.first == position{1} ? position{} : settings_.first;
}

// REQUIRES: the log holds that position.
std::deque<memory_log::group>::const_iterator memory_log::find_group(position at) const {
  return std::prev(std::upper_bound(groups_.begin(), groups_.end(), at,
                                    [](position p, const group& each) { return p < each.first; }));
}

tl::expected<std::vector<storage::logged_entry>, log_read_error> memory_log::read(position from,
                                                                                  std::size_t limit) const {
  const std::lock_guard lock(mutex_);
  std::vector<storage::logged_entry> entries;
  position next = std::max(from, position{1});
  if (next < (groups_.empty() ? settings_.first : groups_.front().first)) {
    return tl::make_unexpected(log_read_error::trimmed);
  }
  std::size_t items = 0;
  std::size_t captured_bytes = 0;
  if (next > last()) return entries;
  for (auto in = find_group(next); in != groups_.end(); ++in) {
    for (std::size_t i = next.number - in->first.number; i < in->entries.size(); ++i, ++next.number) {
      if (next > last() || entries.size() == limit) return entries;
      const storage::entry& each = in->entries[i];
      entries.push_back({next, each});
      captured_bytes += storage::captured_bytes_of(each);
      const auto* message = std::get_if<storage::message_entry>(&each);
      if (message != nullptr && message->after != nullptr) items += message->after->content.items.size();
      if (items >= storage::log_read_items_max || captured_bytes >= storage::log_read_captured_bytes_max) {
        return entries;
      }
    }
  }
  return entries;
}

tl::expected<std::uint64_t, log_read_error> memory_log::bytes_after(position at) const {
  const std::lock_guard lock(mutex_);
  if (at >= last()) return 0;
  std::uint64_t bytes = 0;
  for (auto in = find_group(std::max(groups_.front().first, position{at.number + 1}));
       in != groups_.end() && in->first <= last(); ++in) {
    bytes += in->bytes;
  }
  return bytes;
}

}  // namespace ordem::testing
