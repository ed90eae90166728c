// Shared by the tests of the actors: a store in memory that can be blocked and made to fail, and a completion queue
// that collects answers.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/ports/engine_port.hpp"
#include "engine/ports/readers.hpp"
#include "storage/log/log.hpp"
#include "storage/log/view.hpp"
#include "tests/support_cpp/captures.hpp"
#include "tests/support_cpp/memory_view.hpp"
#include "tests/support_cpp/patience.hpp"
#include "tests/support_cpp/samples.hpp"

namespace ordem::testing {

// Blocks the threads that pass it while it is closed. Thread-safe.
class latch {
 public:
  void close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  void open() {
    const std::lock_guard lock(mutex_);
    closed_ = false;
    changed_.notify_all();
  }
  void pass() {
    std::unique_lock lock(mutex_);
    ++waiting_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return !closed_; });
    --waiting_;
  }
  // Waits until a thread is blocked.
  void wait_until_blocked() {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, patience, [this] { return waiting_ > 0; }))
      throw std::runtime_error("no thread was blocked");
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool closed_ = false;
  int waiting_ = 0;
};

// A log and a view in memory, as far as the gateway uses them. Records violations of what storage::log and
// storage::view require of their callers.
class fake_store final : public storage::log, public storage::view_writer, public order_lookup, public capture_reader {
 public:
  latch appends;
  latch syncs;
  mutable latch reads;          // of the orders given to hold_reads_of()
  mutable latch version_reads;  // after hold_version_reads()

  // Drops the entries of the log up to that one.
  void trim(position through) {
    const std::lock_guard lock(mutex_);
    trimmed_ = through.number;
  }
  // Sets the greatest order id that the folder had when it was opened.
  void set_newest_order(order_id id) { newest_order_ = id; }
  std::optional<order_id> newest_order() const noexcept { return newest_order_; }
  // From now on find_cached_order() finds nothing.
  void make_cold() { set(all_cold_); }
  // From now on find_order() of this order passes the latch `reads`.
  void hold_reads_of(order_id id) {
    const std::lock_guard lock(mutex_);
    held_.insert(id);
  }

  // From now on find_version() passes the latch `version_reads`.
  void hold_version_reads() { set(holds_versions_); }

  // From now on that step fails: first with write_failed, then with failed_earlier.
  void break_appends() { set(append_broken_); }
  void break_syncs() { set(sync_broken_); }
  void break_reads(bool broken) {
    const std::lock_guard lock(mutex_);
    reads_broken_ = broken;
  }

  tl::expected<position, storage::log_error> append(std::span<const storage::entry> entries) override {
    appends.pass();
    const std::lock_guard lock(mutex_);
    ++append_calls_;
    if (entries.empty() || entries.size() > storage::group_entries_max) note("a group of no or too many entries");
    if (append_broken_ || failed_) return failure();
    std::size_t captured_bytes = 0;
    for (const storage::entry& each : entries) {
      if (captured_bytes >= storage::group_bytes_max) note("a group of too many captured bytes");
      captured_bytes += storage::captured_bytes_of(each);
      if (const auto* executed = std::get_if<storage::message_entry>(&each)) check(*executed);
      appended_.push_back(each);
    }
    return position{appended_.size()};
  }

  tl::expected<position, storage::log_error> sync() override {
    std::size_t upto = 0;
    {
      const std::lock_guard lock(mutex_);
      upto = appended_.size();
    }
    syncs.pass();
    const std::lock_guard lock(mutex_);
    ++sync_calls_;
    if (sync_broken_ || failed_) return failure();
    durable_ = upto;
    return position{durable_};
  }

  storage::result<void> apply(std::span<const storage::entry> entries, position first) override {
    return view_.apply(entries, first);
  }

  bool has_failed() const noexcept override { return false; }

  // Fails as often as break_recovery() said, then repairs what was broken.
  storage::result<void> recover() override {
    const std::lock_guard lock(mutex_);
    ++recoveries_;
    if (recoveries_ <= failing_recoveries_) return storage::fail_with(storage::error_code::io_error, "still broken");
    failed_ = append_broken_ = sync_broken_ = false;
    appended_.erase(appended_.begin() + static_cast<std::ptrdiff_t>(durable_), appended_.end());
    newest_ = view_.newest_versions();
    return {};
  }

  void release(storage::log_consumer who, position through) override {
    const std::lock_guard lock(mutex_);
    if (who != storage::log_consumer::sink) note("the view releases the log by itself");
    if (through.number > durable_) note("a wrong position is released");
    persisted_ = through.number;
  }

  tl::expected<std::vector<storage::logged_entry>, storage::log_read_error> read(position from,
                                                                                 std::size_t limit) const override {
    const std::lock_guard lock(mutex_);
    const std::size_t begin = from.number == 0 ? 0 : from.number - 1;
    if (begin < trimmed_) return tl::make_unexpected(storage::log_read_error::trimmed);
    std::vector<storage::logged_entry> entries;
    for (std::size_t i = begin; i < durable_ && entries.size() < limit; ++i) {
      entries.push_back({position{i + 1}, logged(appended_[i])});
    }
    return entries;
  }
  // Every entry takes one byte.
  tl::expected<std::uint64_t, storage::log_read_error> bytes_after(position at) const override {
    {
      const std::lock_guard lock(mutex_);
      if (reads_broken_) return tl::make_unexpected(storage::log_read_error::storage_failed);
    }
    return last().number - std::min(last().number, at.number);
  }

  position first() const override {
    const std::lock_guard lock(mutex_);
    return position{trimmed_ + 1};
  }
  position last() const noexcept override {
    const std::lock_guard lock(mutex_);
    return {durable_};
  }
  position appended() const noexcept override {
    const std::lock_guard lock(mutex_);
    return {appended_.size()};
  }
  position visible() const noexcept { return view_.visible(); }

  read_result<shared_order> find_order(order_id id) const override {
    if (is_held(id)) reads.pass();
    return unless_broken([&] { return view_.find_order(id); });
  }
  std::optional<shared_order> find_cached_order(order_id id) const override {
    {
      const std::lock_guard lock(mutex_);
      if (all_cold_ || reads_broken_) return std::nullopt;
    }
    return view_.find_cached_order(id);
  }
  read_result<shared_order> find_version(order_id id, version which) const override {
    bool is_held = false;
    {
      const std::lock_guard lock(mutex_);
      is_held = holds_versions_;
    }
    if (is_held) version_reads.pass();
    return unless_broken([&] { return view_.find_version(id, which); });
  }
  read_result<std::optional<message_record>> find_message(std::string_view tenant, const guid& id,
                                                          const clock_reading& now) const override {
    return unless_broken([&] { return view_.find_message(tenant, id, now); });
  }
  read_result<shared_capture> find_capture(std::string_view tenant, const capture_key& key,
                                           const clock_reading& now) const override {
    return unless_broken([&] { return view_.find_capture(tenant, key, now); });
  }

  // Appends the entries, makes them durable and applies them, as the actors do.
  void write(std::span<const storage::entry> entries) {
    const position first{appended().number + 1};
    if (!append(entries) || !sync() || !apply(entries, first)) throw std::runtime_error("the store is broken");
  }
  // The next calls of recover() fail.
  void break_recovery(int times) {
    const std::lock_guard lock(mutex_);
    failing_recoveries_ = recoveries_ + times;
  }

  std::size_t append_calls() const { return counted(append_calls_); }
  std::size_t sync_calls() const { return counted(sync_calls_); }
  // Returns the violations so far.
  std::vector<std::string> faults() const {
    auto all = view_.faults();
    const std::lock_guard lock(mutex_);
    all.insert(all.end(), faults_.begin(), faults_.end());
    return all;
  }

 private:
  bool is_held(const order_id& id) const {
    const std::lock_guard lock(mutex_);
    return held_.contains(id);
  }
  template <class Find>
  auto unless_broken(Find find) const -> decltype(find()) {
    {
      const std::lock_guard lock(mutex_);
      if (reads_broken_) return tl::make_unexpected(read_error::storage_failed);
    }
    return find();
  }
  void set(bool& flag) {
    const std::lock_guard lock(mutex_);
    flag = true;
  }
  std::size_t counted(const std::size_t& count) const {
    const std::lock_guard lock(mutex_);
    return count;
  }
  tl::unexpected<storage::log_error> failure() {
    return tl::make_unexpected(std::exchange(failed_, true) ? storage::log_error::failed_earlier
                                                            : storage::log_error::write_failed);
  }
  void note(std::string fault) { faults_.push_back(std::move(fault)); }

  static decltype(storage::logged_entry::what) logged(const storage::entry& what) {
    if (const auto* changed = std::get_if<storage::capture_entry>(&what)) return *changed;
    const auto& executed = std::get<storage::message_entry>(what);
    return storage::message_entry{executed.guid, executed.record, nullptr, executed.after};
  }

  void check(const storage::message_entry& each) {
    const outcome& result = each.record.outcome;
    if (is_accepted(result.verdict) != (each.after != nullptr))
      note("an order beside a rejection, or none beside an acceptance");
    if (each.after == nullptr) return;
    version& newest = newest_[result.order];
    if (each.after->version != newest.next()) note("order " + result.order.to_string() + " has a gap or a fork");
    if ((each.before == nullptr) != (newest == version{}))
      note("order " + result.order.to_string() + " lacks what was before");
    newest = each.after->version;
  }

  mutable std::mutex mutex_;
  bool append_broken_ = false;
  bool sync_broken_ = false;
  bool reads_broken_ = false;
  bool all_cold_ = false;
  bool holds_versions_ = false;
  std::set<order_id> held_;
  bool failed_ = false;
  int recoveries_ = 0;
  int failing_recoveries_ = 0;
  std::size_t append_calls_ = 0;
  std::size_t sync_calls_ = 0;
  std::vector<storage::entry> appended_;
  std::size_t durable_ = 0;
  std::size_t persisted_ = 0;
  std::size_t trimmed_ = 0;
  std::optional<order_id> newest_order_;
  std::map<order_id, version> newest_;
  std::vector<std::string> faults_;
  memory_view view_{*this};
};

// Keeps every answer by the number of its token. Thread-safe.
class collecting_queue final : public completion_queue {
 public:
  void deliver(std::vector<reply>&& replies) noexcept override {
    const std::lock_guard lock(mutex_);
    ++deliveries_;
    for (reply& each : replies) {
      twice_ = !answers_.emplace(each.token.number, std::move(each.answer)).second || twice_;
    }
    arrived_.notify_all();
  }

  // Waits for the answer to that token.
  answer wait_for(std::uint32_t number) {
    std::unique_lock lock(mutex_);
    if (!arrived_.wait_for(lock, patience, [&] { return answers_.contains(number); })) {
      throw std::runtime_error("there is no answer to token " + std::to_string(number));
    }
    return answers_.at(number);
  }
  // Waits for that many answers and returns all.
  std::map<std::uint32_t, answer> wait_for_all(std::size_t count) {
    std::unique_lock lock(mutex_);
    if (!arrived_.wait_for(lock, patience, [&] { return answers_.size() >= count; })) {
      throw std::runtime_error("only " + std::to_string(answers_.size()) + " answers of " + std::to_string(count));
    }
    return answers_;
  }

  std::size_t answered() const {
    const std::lock_guard lock(mutex_);
    return answers_.size();
  }
  std::size_t deliveries() const {
    const std::lock_guard lock(mutex_);
    return deliveries_;
  }
  bool answered_twice() const {
    const std::lock_guard lock(mutex_);
    return twice_;
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable arrived_;
  std::map<std::uint32_t, answer> answers_;
  std::size_t deliveries_ = 0;
  bool twice_ = false;
};

// --- the content of an answer ---

inline bool is_executed(const answer& result) {
  return std::holds_alternative<executed>(result);
}

inline const executed& executed_in(const answer& result) {
  return std::get<executed>(result);
}

inline bool has_verdict(const answer& result, verdict what) {
  return is_executed(result) && executed_in(result).outcome.verdict == what;
}

template <class Kind>
bool is_refused(const answer& result) {
  const auto* refused = std::get_if<refusal>(&result);
  return refused != nullptr && std::holds_alternative<Kind>(*refused);
}

inline bool is_refused(const answer& result, unavailability why) {
  const auto* refused = std::get_if<refusal>(&result);
  const auto* unavailable = refused != nullptr ? std::get_if<unavailability>(refused) : nullptr;
  return unavailable != nullptr && *unavailable == why;
}

}  // namespace ordem::testing
