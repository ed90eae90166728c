#include "storage/rocksdb/rocks_view.hpp"

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

#include "engine/base/check.hpp"
#include "storage/records/keys.hpp"
#include "storage/rocksdb/memtable_files.hpp"

namespace ordem::storage {
namespace {

// The active memtable and those that wait to be written.
constexpr std::size_t memtables_max = 4;

}  // namespace

rocks_view::rocks_view(view_settings settings, time_source& clock)
    : settings_(std::move(settings)),
      clock_(clock),
      expired_(clock),
      database_(settings_),
      records_(database_),
      memtables_(
          {settings_.memtable_entries, settings_.write_buffer_bytes / memtables_max},
          [this](const memtable& what) { return write_files(what); },
          [this](std::shared_ptr<const memtable_list> memtables) {
            visible_.set_files(std::make_shared<const file_set>(*database_, std::move(memtables)));
          },
          [this](const error& failure) { settings_.on_error(failure.message); }) {}

// --- opening ---

result<void> rocks_view::open() {
  if (auto opened = database_.open(settings_.access, expired_); !opened) return opened;
  const auto written = database_.written();
  if (!written) return tl::make_unexpected(written.error());
  memtables_.begin();
  visible_.set_last(*written);

  const std::unique_ptr<rocksdb::Iterator> at(database_->NewIterator({}, database_.handle(family::orders)));
  at->SeekToLast();
  if (!at->status().ok()) return tl::make_unexpected(database_.open_error(at->status()));
  if (!at->Valid()) return {};
  newest_order_ = decode_order_key(at->key().ToStringView());
  if (!newest_order_) return tl::make_unexpected(database_.damage("a key of an order"));
  return {};
}

result<void> rocks_view::catch_up(const log& from) {
  if (visible() > from.last()) return tl::make_unexpected(database_.damage("the files are ahead of the log"));
  if (from.first().number > visible().number + 1) {
    return tl::make_unexpected(database_.damage("the log does not reach back to the files"));
  }
  while (visible() < from.last()) {
    const position next{visible().number + 1};
    auto logged = from.read(next, group_entries_max);
    if (!logged) return tl::make_unexpected(database_.damage("the log can't be read"));
    std::vector<entry> entries;
    entries.reserve(logged->size());
    for (logged_entry& each : *logged) entries.push_back(std::move(each.what));
    if (auto applied = apply(entries, next); !applied) return applied;
  }
  if (settings_.access != view_access::read) memtables_.start();
  return {};
}

result<std::unique_ptr<file_view>> open_view(view_settings settings, time_source& clock) {
  auto made = std::make_unique<rocks_view>(std::move(settings), clock);
  if (auto opened = made->open(); !opened) return tl::make_unexpected(std::move(opened.error()));
  return made;
}

// --- applying ---

// Returns the version that `after`, made by the entry at that position, supersedes.
read_result<shared_order> rocks_view::version_before(const order& after, position at) const {
  const snapshot before = visible_.get().up_to({at.number - 1});
  return records_.find_version(after.id, {after.version.number - 1}, before);
}

result<void> rocks_view::apply(std::span<const entry> entries, position first) {
  if (entries.empty()) return {};
  ORDEM_CHECK(first.number == visible().number + 1 && entries.size() <= group_entries_max);
  memtables_.reserve(entries.size(), visible());
  position at = first;
  timestamp newest{};
  for (const entry& each : entries) {
    newest = std::max(newest, decided_at(each));
    if (const auto* changed = std::get_if<capture_entry>(&each)) {
      memtables_.add(*changed, at);
    } else if (auto added = apply(std::get<message_entry>(each), at); !added) {
      return added;
    }
    ++at.number;
  }
  expired_.confirm_durable(newest);
  visible_.set_last({at.number - 1});
  return {};
}

result<void> rocks_view::apply(const message_entry& what, position at) {
  if (what.after != nullptr) newest_order_ = std::max(newest_order_, std::optional(what.after->id));
  if (what.after == nullptr || what.before != nullptr || what.after->version == version{1}) {
    memtables_.add(what, at);
    return {};
  }
  auto before = version_before(*what.after, at);
  if (!before || *before == nullptr) {
    return tl::make_unexpected(database_.damage("a version before " + std::to_string(what.after->version.number) +
                                                " of order " + what.after->id.to_string()));
  }
  message_entry completed = what;
  completed.before = std::move(*before);
  memtables_.add(completed, at);
  return {};
}

// Called by memtables_, on its thread or by flush().
result<void> rocks_view::write_files(const memtable& what) {
  if (auto durable = settings_.make_log_durable(); !durable) return durable;
  std::vector<rocksdb::IngestExternalFileArg> files;
  const bool only_indexes = settings_.access == view_access::upgrade;
  auto status = write_memtable_files(database_, what, only_indexes, files);
  if (status.ok()) status = database_.ingest(files);
  if (!status.ok()) {
    return fail_with(
        error_code::io_error,
        "a write of table files failed, and nothing is accepted until one succeeds: " + database_.text_of(status));
  }
  settings_.on_written(what.last);
  return {};
}

// --- operation ---

result<void> rocks_view::with_files(const file_user& use) const {
  const auto failed = [this](const rocksdb::Status& status) {
    return fail_with(error_code::io_error, "cannot list the table files: " + database_.text_of(status));
  };
  if (const auto disabled = database_->DisableFileDeletions(); !disabled.ok()) return failed(disabled);
  std::vector<rocksdb::LiveFileStorageInfo> live;
  // Nothing is in RocksDB's own memtables, and a flush fails after a failed compaction.
  rocksdb::LiveFilesStorageInfoOptions without_flush;
  without_flush.wal_size_for_flush = std::numeric_limits<std::uint64_t>::max();
  const auto listed = database_->GetLiveFilesStorageInfo(without_flush, &live);
  result<void> used;
  if (listed.ok()) {
    std::vector<live_file> files;
    files.reserve(live.size());
    for (rocksdb::LiveFileStorageInfo& each : live) {
      files.push_back({std::filesystem::path(each.directory) / each.relative_filename, each.relative_filename,
                       each.size, each.file_type == rocksdb::kTableFile, std::move(each.replacement_contents)});
    }
    used = use(files);
  }
  constexpr bool even_if_others_disabled_it = false;
  const auto enabled = database_->EnableFileDeletions(even_if_others_disabled_it);
  if (!listed.ok()) return failed(listed);
  if (!enabled.ok()) settings_.on_error("table files that are not used are not deleted: " + database_.text_of(enabled));
  return used;
}

view_stats rocks_view::stats() const {
  const auto property = [this](family which, const std::string& name) {
    std::uint64_t value = 0;
    database_->GetIntProperty(database_.handle(which), name, &value);
    return value;
  };
  view_stats now;
  now.estimated_orders = property(family::orders, rocksdb::DB::Properties::kEstimateNumKeys);
  now.estimated_messages = property(family::messages, rocksdb::DB::Properties::kEstimateNumKeys);
  now.estimated_captures = property(family::captures, rocksdb::DB::Properties::kEstimateNumKeys);
  const snapshot as_of = visible_.get();  // keeps the memtables
  for (const auto& each : as_of.memtables()) {
    now.estimated_orders += each->new_orders.load(std::memory_order_relaxed);
    now.estimated_messages += each->messages.size();
    now.estimated_captures += each->captures.size();
    now.memtable_bytes += each->bytes();
  }
  for (std::size_t i = 0; i < family_names.size(); ++i) {
    now.table_file_bytes += property(static_cast<family>(i), rocksdb::DB::Properties::kTotalSstFilesSize);
  }
  return now;
}

}  // namespace ordem::storage
