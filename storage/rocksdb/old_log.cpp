// Reads the log of data format 4: a family of the database, with a record for each group, which did not hold the
// orders.
//
// clang-format off
//   key        | position of the group's first entry 8 |
//   value      | 3 | bytes of the groups before v | entries v, each: kind 1 (1 message, 2 capture)
//              | and GUID s, message s; or key s, at ms v, capture s (empty: given up) |    see storage/records/fields.cpp
// clang-format on

#include <memory>
#include <utility>
#include <vector>

#include "engine/model/outcome.hpp"
#include "storage/records/capture_record.hpp"
#include "storage/records/fields.hpp"
#include "storage/records/keys.hpp"
#include "storage/records/message_record.hpp"
#include "storage/rocksdb/database.hpp"
#include "storage/rocksdb/memtable_set.hpp"
#include "storage/rocksdb/open_view.hpp"
#include "storage/rocksdb/record_reader.hpp"
#include "storage/rocksdb/snapshot.hpp"

namespace ordem::storage {
namespace {

constexpr std::uint8_t old_group_format = 3;
constexpr std::uint8_t kind_message = 1;
constexpr std::uint8_t kind_capture = 2;

std::optional<entry> get_message(byte_reader& from) {
  auto id = guid::parse(from.get_string());
  auto record = decode_message(from.get_string());
  if (!id || !record) return std::nullopt;
  return message_entry{std::move(*id), std::move(*record), nullptr, nullptr};
}

std::optional<entry> get_capture(byte_reader& from) {
  auto key = capture_key::parse(from.get_string());
  const timestamp at = get_timestamp(from);
  const std::string_view record = from.get_string();
  if (!key) return std::nullopt;
  if (record.empty()) return capture_entry{std::move(*key), at, nullptr};
  auto after = decode_capture(record);
  if (!after) return std::nullopt;
  return capture_entry{std::move(*key), at, std::make_shared<const capture>(std::move(*after))};
}

std::optional<std::vector<entry>> decode_old_group(std::string_view record) {
  byte_reader from{record};
  check_format(from, old_group_format);
  from.get_varint();
  const std::size_t count = get_count(from);
  std::vector<entry> entries;
  entries.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint8_t kind = from.get_byte();
    std::optional<entry> each;
    if (kind == kind_message) each = get_message(from);
    if (kind == kind_capture) each = get_capture(from);
    if (!each) return std::nullopt;
    entries.push_back(std::move(*each));
  }
  return checked(from, std::move(entries));
}

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
    auto entries = decode_old_group(at.value().ToStringView());
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
