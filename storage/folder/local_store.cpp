#include "storage/folder/local_store.hpp"

#include <algorithm>
#include <utility>

#include "engine/base/check.hpp"
#include "storage/folder/backup_writer.hpp"
#include "storage/folder/copied_store.hpp"
#include "storage/folder/data_folder.hpp"
#include "storage/folder/upgrade.hpp"
#include "storage/log/store_loader.hpp"
#include "storage/records/data_format.hpp"

namespace ordem::storage {
namespace {

// Of a log that is written here, or of a copy.
class local_store final : public copied_store {
 public:
  // `folder`: holds the lock of a store that writes; absent for one that only reads.
  local_store(store_settings settings, std::string log_id, std::optional<data_folder> folder)
      : settings_(std::move(settings)), log_id_(std::move(log_id)), folder_(std::move(folder)) {}

  // Called once, before every other function. After a failure the store can only be destroyed.
  result<void> open(time_source& clock);

  storage::log& log() noexcept override { return *log_; }
  const storage::log& log() const noexcept override { return *log_; }
  segment_log& copy() noexcept override { return *log_; }
  storage::view& view() noexcept override { return *view_; }
  const storage::view& view() const noexcept override { return *view_; }
  const std::string& log_id() const noexcept override { return log_id_; }
  result<backup_summary> back_up(const backup_request& what) override;
  void close() override;

 private:
  result<backup_summary> fill_backup(backup_writer& to) const;
  result<void> open_parts(time_source& clock);
  result<void> open_log(const time_source& clock);
  result<std::unique_ptr<segment_log>> open_segments(segment_log_settings settings, const time_source& clock) const;
  bool is_copy() const noexcept { return folder_ && folder_->is_copy(); }
  bool is_consistent() const noexcept;
  result<void> make_log(const segment_log_settings& settings) const;
  result<void> make_log_durable() const;

  const store_settings settings_;
  const std::string log_id_;
  std::optional<data_folder> folder_;
  // Destroyed in reverse order: the view's thread uses the log.
  std::unique_ptr<segment_log> log_;
  std::unique_ptr<file_view> view_;
};

result<void> local_store::open(time_source& clock) {
  if (auto opened = open_parts(clock); !opened) return opened;
  // Between the two that were opened for reading, a process that writes the folder may have trimmed the log or written
  // files.
  constexpr int tries_max = 10;
  for (int i = 1; !folder_ && !is_consistent() && i < tries_max; ++i) {
    view_.reset();
    if (auto opened = open_parts(clock); !opened) return opened;
  }

  // The clock continues from its newest state and the newest record.
  auto kept = log_->clock();
  if (!kept) {
    auto loaded = view_->kept_clock();
    if (!loaded) return tl::make_unexpected(loaded.error());
    kept = std::move(*loaded);
  }
  auto newest = log_->newest();
  if (kept) newest = std::max(newest, std::optional(kept->time));
  if (!is_copy()) {
    clock.resume(newest, kept);
  } else if (newest) {
    clock.follow(*newest, kept);
  }

  if (auto checked = view_->check(*log_); !checked) return checked;
  if (auto applied = view_->catch_up(*log_); !applied) return applied;
  return folder_ && folder_->is_new() ? folder_->write_format() : result<void>();
}

// Whether the log begins where the files end, or before.
bool local_store::is_consistent() const noexcept {
  const position written = view_->visible();
  return written <= log_->last() && log_->first().number <= written.number + 1;
}

result<void> local_store::open_parts(time_source& clock) {
  // What the view of a copy has in its files was synced in the log before, so the log needs to know it.
  const bool view_is_first = is_copy();
  if (!view_is_first) {
    if (auto opened = open_log(clock); !opened) return opened;
  }
  auto settings = view_settings_of(settings_, folder_ ? view_access::write : view_access::read);
  settings.make_log_durable = [this] { return make_log_durable(); };
  settings.on_written = [this](position through) { log_->release(log_consumer::view, through); };
  auto view = open_view(std::move(settings), clock);
  if (!view) return tl::make_unexpected(view.error());
  view_ = std::move(*view);
  return view_is_first ? open_log(clock) : result<void>();
}

result<void> local_store::open_log(const time_source& clock) {
  auto settings = log_settings_of(settings_, log_id_);
  if (folder_ && folder_->is_new()) {
    if (auto made = make_log(settings); !made) return made;
  }
  auto log = open_segments(std::move(settings), clock);
  if (!log) return tl::make_unexpected(log.error());
  log_ = std::move(*log);
  return {};
}

result<std::unique_ptr<segment_log>> local_store::open_segments(segment_log_settings settings,
                                                                const time_source& clock) const {
  if (!folder_) return segment_log::open_for_reading(settings);
  if (!folder_->is_copy()) return segment_log::open(std::move(settings), clock);
  return segment_log::open_copy(std::move(settings), view_->visible());
}

// A folder without FORMAT is new, or its first start was cut off. In both cases it has no data yet, and a log that is
// there is made again, with the log id of this start.
result<void> local_store::make_log(const segment_log_settings& settings) const {
  if (segment_log::exists(settings.folder)) {
    auto any = settings;
    any.log_id.clear();
    const auto found = segment_log::open_for_reading(any);
    if (!found) return tl::make_unexpected(found.error());
    if ((*found)->last() != position{}) {
      return fail_with(error_code::damaged,
                       "the data folder " + quoted(settings_.folder) +
                           " has data but no FORMAT file; restore the folder from a back-up as a whole");
    }
  }
  std::error_code error;
  std::filesystem::remove_all(settings.folder, error);
  if (error)
    return fail_with(error_code::io_error, "cannot remove " + quoted(settings.folder) + ": " + error.message());
  return segment_log::make(settings, position{1});
}

result<void> local_store::make_log_durable() const {
  // Else entries are on the disk before they are applied.
  if (settings_.durability != durability::os && !is_copy()) return {};
  const int error = log_->sync_to_disk();
  if (error == 0) return {};
  return fail_with(error_code::io_error,
                   "cannot sync the log in " + quoted(log_path(settings_.folder)) + ": " + error_text(error));
}

result<backup_summary> local_store::back_up(const backup_request& what) {
  ORDEM_CHECK(folder_.has_value());
  // Before the files of the view are listed, so that the log reaches back to them.
  log_->hold_segments();
  backup_writer writer(what);
  auto made = writer.begin().and_then([&] { return fill_backup(writer); });
  log_->release_segments();
  return made;
}

// What the view has in files was durable in the log before, so the log is listed after them.
result<backup_summary> local_store::fill_backup(backup_writer& to) const {
  backup_manifest manifest;
  manifest.data_format = data_format;
  manifest.summary.log_id = log_id_;
  const auto add_all = [&](const std::vector<live_file>& files, const std::string& in) -> result<void> {
    for (const live_file& each : files) {
      if (auto added = to.add(each, in); !added) return added;
    }
    return {};
  };
  auto filled = view_->with_files([&](const std::vector<live_file>& files) -> result<void> {
    const segment_log::durable_state log_now = log_->durable_files();
    manifest.summary.first = log_now.first;
    manifest.summary.last = log_now.last;
    const std::string format = format_text(log_id_, is_copy());
    if (auto added = to.add({{}, format_name, format.size(), false, format}, {}); !added) return added;
    if (auto added = add_all(log_now.files, log_path({}).string()); !added) return added;
    return add_all(files, database_path({}).string());
  });
  auto made = filled ? to.finish(std::move(manifest)) : tl::make_unexpected(filled.error());
  if (!made) {
    if (auto removed = to.remove(); !removed) settings_.on_error(removed.error().message);
  }
  return made;
}

void local_store::close() {
  if (auto flushed = view_->flush(); !flushed) {
    settings_.on_error("the last flush failed, so the next start applies the end of the log again: " +
                       flushed.error().message);
  }
}

result<std::unique_ptr<copied_store>> open(store_settings settings, time_source& clock, std::string log_id,
                                           std::optional<data_folder> folder) {
  auto opened = std::make_unique<local_store>(std::move(settings), std::move(log_id), std::move(folder));
  if (auto result = opened->open(clock); !result) return tl::make_unexpected(std::move(result.error()));
  return opened;
}

// Makes the view's files and then an empty log that continues after them.
class local_loader final : public store_loader {
 public:
  local_loader(store_settings settings, data_folder folder, std::unique_ptr<store_loader> view)
      : settings_(std::move(settings)), folder_(std::move(folder)), view_(std::move(view)) {}

  void put_order(const order& current) override { view_->put_order(current); }
  void put_version(const order& what) override { view_->put_version(what); }
  void put_message(const guid& id, const message_record& record) override { view_->put_message(id, record); }
  void put_capture(const capture_key& key, const capture& what) override { view_->put_capture(key, what); }
  result<void> finish(position last) override {
    if (auto finished = view_->finish(last); !finished) return finished;
    auto made = segment_log::make(log_settings_of(settings_, folder_.log_id()), position{last.number + 1});
    if (!made) return made;
    return folder_.write_format();
  }

 private:
  const store_settings settings_;
  data_folder folder_;
  std::unique_ptr<store_loader> view_;
};

}  // namespace

segment_log_settings log_settings_of(const store_settings& settings, std::string log_id) {
  segment_log_settings made;
  made.folder = log_path(settings.folder);
  made.log_id = std::move(log_id);
  made.segment_bytes = settings.segment_bytes;
  made.entries_kept = settings.log_entries_kept;
  made.syncs_to_disk = settings.durability != durability::os;
  made.consumed = {true, settings.log_is_consumed};
  made.on_error = settings.on_error;
  return made;
}

view_settings view_settings_of(const store_settings& settings, view_access access) {
  view_settings made;
  made.folder = settings.folder;
  made.access = access;
  made.block_cache_bytes = settings.block_cache_bytes;
  made.write_buffer_bytes = settings.write_buffer_bytes;
  made.memtable_entries = settings.memtable_entries;
  made.open_files_max = settings.open_files_max;
  made.on_error = settings.on_error;
  made.make_log_durable = [] { return result<void>(); };
  made.on_written = [](position) {};
  return made;
}

open_result open_store(store_settings settings, time_source& clock) {
  auto folder = data_folder::open(settings.folder);
  if (!folder) return tl::make_unexpected(folder.error());
  if (folder->is_copy()) {
    return fail_with(error_code::invalid_argument,
                     "the data folder " + quoted(settings.folder) + " belongs to a node of the cluster whose log is " +
                         folder->log_id() + "; written by itself it would part from the other nodes");
  }
  if (folder->is_old()) {
    if (auto upgraded = upgrade(settings, *folder); !upgraded) return tl::make_unexpected(upgraded.error());
  }
  std::string log_id = folder->log_id();
  return open(std::move(settings), clock, std::move(log_id), std::move(*folder));
}

result<std::unique_ptr<copied_store>> open_copied_store(store_settings settings, const std::string& log_id,
                                                        time_source& clock) {
  auto folder = data_folder::open(settings.folder);
  if (!folder) return tl::make_unexpected(folder.error());
  const auto refuse = [&](const std::string& what) {
    return fail_with(error_code::invalid_argument, "the data folder " + quoted(settings.folder) + " " + what);
  };
  if (folder->is_new()) {
    folder->become_copy(log_id);
  } else if (folder->log_id() != log_id) {
    return refuse((folder->is_copy() ? "belongs to a node of another cluster, whose log is "
                                     : "belongs to a single ordem, whose log is ") +
                  folder->log_id() + ", and not to the log of this cluster, " + log_id +
                  "; name a folder that is empty or does not exist");
  } else if (!folder->is_copy()) {
    return refuse("has the log of this cluster, " + log_id + ", but is that of a single ordem");
  }
  if (folder->is_old()) {
    if (auto upgraded = upgrade(settings, *folder); !upgraded) return tl::make_unexpected(upgraded.error());
  }
  settings.log_is_consumed = true;
  return open(std::move(settings), clock, log_id, std::move(*folder));
}

open_result open_store_for_reading(store_settings settings, time_source& clock) {
  auto found = read_folder_format(settings.folder);
  if (!found) return tl::make_unexpected(found.error());
  if (found->number != data_format) return tl::make_unexpected(old_format_error(settings.folder, *found));
  return open(std::move(settings), clock, std::move(found->log_id), std::nullopt);
}

result<std::unique_ptr<store_loader>> load_new_store(store_settings settings, std::string log_id, time_source& clock) {
  auto folder = data_folder::make(settings.folder, std::move(log_id));
  if (!folder) return tl::make_unexpected(folder.error());
  auto view = load_view(view_settings_of(settings, view_access::write), clock);
  if (!view) return tl::make_unexpected(view.error());
  return std::make_unique<local_loader>(std::move(settings), std::move(*folder), std::move(*view));
}

bool write(store& to, std::span<const entry> entries) {
  const position first{to.log().appended().number + 1};
  return to.log().append(entries) && to.log().sync() && to.view().apply(entries, first);
}

}  // namespace ordem::storage
