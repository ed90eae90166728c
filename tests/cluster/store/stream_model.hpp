// The live records of a replicated log in memory, and the appender of one ownership: what NATS and the node's thread do
// when nothing goes wrong but what a test asks for.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cluster/store/group_appender.hpp"
#include "storage/records/log_record.hpp"
#include "storage/segments/segment_log.hpp"
#include "tests/support_cpp/manual_clock.hpp"

namespace ordem::testing {

// Outlives the nodes. Thread-safe.
class stream_model {
 public:
  // `first`: the position of the first entry. `hash_before`: of the record before the first one.
  explicit stream_model(position first = {1}, std::uint64_t hash_before = 0)
      : last_{first.number - 1}, hash_(hash_before) {}

  // Lets an owner with another epoch begin, by a control record.
  void begin_epoch(std::uint64_t epoch) {
    const std::lock_guard lock(mutex_);
    epoch_ = epoch;
    add(storage::log_record_kind::epoch, control(), 0, {});
  }
  void add_control(storage::log_record_kind kind, timestamp time = {}) {
    const std::lock_guard lock(mutex_);
    add(kind, control(), 0, time);
  }
  // Appends a group, which is live.
  void add(cluster::unframed_group group) {
    const std::lock_guard lock(mutex_);
    if (group.first.number != last_.number + 1) throw std::logic_error("a group that does not follow the last one");
    add(storage::log_record_kind::group, std::move(group.payload), group.entries, group.newest);
  }

  std::size_t size() const {
    const std::lock_guard lock(mutex_);
    return records_.size();
  }
  // Returns the records behind the one with that hash; all if the hash is absent.
  std::vector<std::string> records_after(const std::optional<std::uint64_t>& hash) const {
    const std::lock_guard lock(mutex_);
    if (!hash) return records_;
    const auto found = std::find_if(records_.rbegin(), records_.rend(), [&](const std::string& each) {
      return storage::decode_log_record_header(each).value().hash == *hash;
    });
    if (found == records_.rend()) throw std::logic_error("the stream does not have that record");
    return {found.base(), records_.end()};
  }

 private:
  static std::string control() { return std::string(storage::log_record_header_bytes, '\0') + "control"; }

  void add(storage::log_record_kind kind, std::string record, std::uint32_t entries, timestamp time) {
    storage::log_record_header header;
    header.kind = kind;
    header.entries = entries;
    header.epoch = epoch_;
    header.first = {last_.number + 1};
    header.time = time_ = std::max(time_, time);
    header.hash_before = hash_;
    storage::frame_log_record(record, header);
    hash_ = header.hash;
    last_ = header.last();
    records_.push_back(std::move(record));
  }

  mutable std::mutex mutex_;
  std::vector<std::string> records_;
  position last_;
  timestamp time_{};
  std::uint64_t hash_;
  std::uint64_t epoch_ = 1;
};

// Returns the records that the copy lacks.
inline std::vector<std::string> records_missing_in(const storage::segment_log& copy, const stream_model& stream) {
  const auto last = copy.last_record();
  return stream.records_after(last ? std::optional(last->hash) : std::nullopt);
}

class model_appender final : public cluster::group_appender {
 public:
  model_appender(stream_model& stream, storage::segment_log& copy) : stream_(stream), copy_(copy) {}

  tl::expected<void, storage::log_error> append(cluster::unframed_group group) override {
    const std::lock_guard lock(mutex_);
    if (ended_) return tl::make_unexpected(storage::log_error::write_failed);
    bytes_max_ = std::max(bytes_max_, group.payload.size());
    pending_.push_back(std::move(group));
    if (!append_fails_) return {};
    ended_ = true;
    return tl::make_unexpected(storage::log_error::write_failed);
  }

  tl::expected<position, storage::log_error> wait_acknowledged() override {
    const std::lock_guard lock(mutex_);
    if (ended_ || sync_fails_) {
      ended_ = true;
      return tl::make_unexpected(storage::log_error::write_failed);
    }
    land(pending_.size());
    for (const std::string& each : records_missing_in(copy_, stream_)) {
      if (!copy_.append_record(each)) throw std::logic_error("the copy takes no record");
    }
    return copy_.last();
  }

  // The ownership ends. So many groups without an acknowledgement have landed all the same; the others never will.
  // Returns how many there were.
  std::size_t fence(std::size_t landed) {
    const std::lock_guard lock(mutex_);
    const std::size_t all = pending_.size();
    ended_ = true;
    land(std::min(landed, all));
    pending_.clear();
    return all;
  }
  void fail_appends() { set(append_fails_); }
  void fail_syncs() { set(sync_fails_); }
  std::size_t largest_payload() const {
    const std::lock_guard lock(mutex_);
    return bytes_max_;
  }

 private:
  void set(bool& flag) {
    const std::lock_guard lock(mutex_);
    flag = true;
  }
  void land(std::size_t count) {
    for (; count > 0; --count, pending_.pop_front()) stream_.add(std::move(pending_.front()));
  }

  mutable std::mutex mutex_;
  stream_model& stream_;
  storage::segment_log& copy_;
  std::deque<cluster::unframed_group> pending_;
  bool append_fails_ = false;
  bool sync_fails_ = false;
  bool ended_ = false;
  std::size_t bytes_max_ = 0;
};

}  // namespace ordem::testing
