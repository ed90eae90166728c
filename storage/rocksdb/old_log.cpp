// Reads the log of data format 4: a family of the database, with a record for each group, which did not hold the orders
// (storage/records/log_group.cpp). Its key is the position of the group's first entry.

#include <memory>
#include <utility>
#include <vector>

#include "engine/model/outcome.hpp"
#include "storage/records/keys.hpp"
#include "storage/records/log_group.hpp"
#include "storage/rocksdb/database.hpp"
#include "storage/rocksdb/memtable_set.hpp"
#include "storage/rocksdb/open_view.hpp"
#include "storage/rocksdb/record_reader.hpp"
#include "storage/rocksdb/snapshot.hpp"

namespace ordem::storage {
namespace {

class rocks_old_log final : public old_log {
 public:
  rocks_old_log(view_settings settings, time_source& clock)
      : settings_(std::move(settings)), expired_(clock), database_(settings_), records_(database_) {}

  result<void> open() {
    if (auto opened = database_.open(view_access::upgrade, expired_); !opened) return opened;
    if (const auto status = database_.flush(); !status.ok()) return tl::make_unexpected(database_.open_error(status));
    return {};
  }

  result<std::optional<clock_state>> clock() const override { return database_.read_clock(); }

  result<position> last() const override {
    const auto at = groups();
    at->SeekToLast();
    if (!at->Valid()) return status_of(*at, position{});
    const auto group = read(*at);
    if (!group) return tl::make_unexpected(group.error());
    return position{group->first.number + group->entries.size() - 1};
  }

  // The log was trimmed by whole files, one of which may stay behind: groups before a gap do not belong to it.
  result<position> first() const override {
    const auto at = groups();
    position begin;
    position next;
    for (at->SeekToFirst(); at->Valid(); at->Next()) {
      const auto group = read(*at);
      if (!group) return tl::make_unexpected(group.error());
      if (group->first != next) begin = group->first;
      next = {group->first.number + group->entries.size()};
    }
    return status_of(*at, begin);
  }

  result<void> visit(position from, const visitor& visit) const override {
    const snapshot as_of(std::make_shared<const file_set>(*database_, std::make_shared<const memtable_list>()), {});
    const auto at = groups();
    for (at->Seek(encoded(encode_log_key, from)); at->Valid(); at->Next()) {
      auto group = read(*at);
      if (!group) return tl::make_unexpected(group.error());
      for (entry& each : group->entries) {
        auto* message = std::get_if<message_entry>(&each);
        if (message == nullptr || !is_accepted(message->record.outcome.verdict)) continue;
        const outcome& result = message->record.outcome;
        auto after = records_.find_version(result.order, result.version, as_of);
        if (!after || *after == nullptr) {
          return tl::make_unexpected(database_.damage("an order that the log names can't be read"));
        }
        message->after = std::move(*after);
      }
      if (auto visited = visit(group->entries); !visited) return visited;
    }
    return at->status().ok() ? result<void>() : tl::make_unexpected(database_.open_error(at->status()));
  }

 private:
  struct old_group {
    position first;
    std::vector<entry> entries;
  };

  std::unique_ptr<rocksdb::Iterator> groups() const {
    return std::unique_ptr<rocksdb::Iterator>(database_->NewIterator({}, database_.old_log_handle()));
  }
  result<old_group> read(const rocksdb::Iterator& at) const {
    const auto first = decode_log_key(at.key().ToStringView());
    auto entries = decode_old_log_group(at.value().ToStringView());
    if (!first || !entries) return tl::make_unexpected(database_.damage("a group of the log can't be read"));
    return old_group{*first, std::move(*entries)};
  }
  template <class Value>
  result<Value> status_of(const rocksdb::Iterator& at, Value value) const {
    if (!at.status().ok()) return tl::make_unexpected(database_.open_error(at.status()));
    return value;
  }

  const view_settings settings_;
  expired_record_filter expired_;
  database database_;
  record_reader records_;
};

}  // namespace

result<std::unique_ptr<old_log>> open_old_log(view_settings settings, time_source& clock) {
  auto opened = std::make_unique<rocks_old_log>(std::move(settings), clock);
  if (auto result = opened->open(); !result) return tl::make_unexpected(std::move(result.error()));
  return opened;
}

}  // namespace ordem::storage
