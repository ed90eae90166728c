// A store as one object, for tests that write and read it with one thread: appended entries are applied to the view
// when they are synced, as the log syncer does.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "storage/log/store.hpp"

namespace ordem::testing {

class test_store {
 public:
  explicit test_store(std::unique_ptr<storage::store> opened) : store_(std::move(opened)) {}

  storage::log& log() noexcept { return store_->log(); }
  const storage::log& log() const noexcept { return store_->log(); }
  storage::view& view() noexcept { return store_->view(); }
  const storage::view& view() const noexcept { return store_->view(); }
  const std::string& log_id() const noexcept { return store_->log_id(); }

  // --- the log ---

  tl::expected<position, storage::log_error> append(std::span<const storage::entry> entries) {
    const position first{log().appended().number + 1};
    auto appended = log().append(entries);
    if (appended && !entries.empty()) appended_.push_back({first, {entries.begin(), entries.end()}});
    return appended;
  }
  tl::expected<position, storage::log_error> sync() {
    auto synced = log().sync();
    if (synced) apply(*synced);
    return synced;
  }
  // Applies the groups up to that position, which log().sync() has made durable.
  void apply(position through) {
    while (!appended_.empty() && appended_.front().first <= through) {
      const group next = std::move(appended_.front());
      appended_.pop_front();
      if (auto applied = view().apply(next.entries, next.first); !applied) {
        throw std::runtime_error(applied.error().message);
      }
    }
  }
  auto read_log(position from, std::size_t limit) const { return log().read(from, limit); }
  position first() const { return log().first(); }
  position last() const noexcept { return log().last(); }
  position appended() const noexcept { return log().appended(); }
  auto bytes_after(position at) const { return log().bytes_after(at); }
  void release_to_sink(position through) { log().release(storage::log_consumer::sink, through); }

  // --- the view, with the names of the empty tenant ---

  position visible() const noexcept { return view().visible(); }
  auto find_order(order_id id) const { return view().find_order(id); }
  auto find_cached_order(order_id id) const { return view().find_cached_order(id); }
  auto find_version(order_id id, version which) const { return view().find_version(id, which); }
  auto list_versions(order_id id, std::optional<version> before) const { return view().list_versions(id, before); }
  auto list_orders(std::string_view customer_id, std::optional<order_id> after) const {
    return view().list_orders({}, customer_id, after);
  }
  auto find_message(const guid& id, const clock_reading& now) const { return view().find_message({}, id, now); }
  auto find_capture(const capture_key& key, const clock_reading& now) const {
    return view().find_capture({}, key, now);
  }
  template <class Visit>
  auto scan_orders(Visit visit) const {
    return view().scan_orders(visit);
  }
  template <class Visit>
  auto scan_messages(const clock_reading& now, Visit visit) const {
    return view().scan_messages(now, visit);
  }
  template <class Visit>
  auto scan_captures(const clock_reading& now, Visit visit) const {
    return view().scan_captures(now, visit);
  }
  std::optional<order_id> newest_order() const noexcept { return view().newest_order(); }
  storage::view_stats stats() const { return view().stats(); }

  auto back_up(const storage::backup_request& what) { return store_->back_up(what); }
  void close() { store_->close(); }

 private:
  struct group {
    position first;
    std::vector<storage::entry> entries;
  };

  std::unique_ptr<storage::store> store_;
  std::deque<group> appended_;  // not applied yet
};

}  // namespace ordem::testing
