#include "storage/folder/upgrade.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "storage/folder/local_store.hpp"
#include "storage/records/data_format.hpp"

namespace ordem::storage {
namespace {

// How often the new log is synced, and how often progress is reported.
constexpr std::uint64_t entries_between_syncs = 10'000;
constexpr std::uint64_t entries_between_reports = 1'000'000;

// Stands still at the state that the old folder kept.
class kept_clock final : public time_source {
 public:
  void keep(const clock_state& state) { state_ = state; }
  timestamp now() const noexcept override { return state_.time; }
  void resume(std::optional<timestamp>, const std::optional<clock_state>&) override {}
  clock_state state() const override { return state_; }

 private:
  clock_state state_;
};

class upgrade_steps {
 public:
  upgrade_steps(const store_settings& settings, data_folder& folder) : settings_(settings), folder_(folder) {}

  result<void> run() {
    report("bringing the data folder up from data format " + std::to_string(folder_.format()) + " to format " +
           std::to_string(data_format));
    if (folder_.format() < data_format_with_log) {
      if (auto written = write_log(); !written) return written;
      report("writing the indexes up to the end of the log");
      if (auto written = write_indexes(); !written) return written;
    }
    if (auto written = folder_.write_format(); !written) return written;
    report("the data folder has data format " + std::to_string(data_format));
    return {};
  }

 private:
  void report(const std::string& what) const { settings_.on_progress(what); }

  // Reads the old log and writes the new one.
  result<void> write_log() {
    auto old = open_old_log(view_settings_of(settings_, view_access::upgrade), clock_);
    if (!old) return tl::make_unexpected(old.error());
    const auto first = (*old)->first();
    if (!first) return tl::make_unexpected(first.error());
    const auto last = (*old)->last();
    if (!last) return tl::make_unexpected(last.error());
    const auto kept = (*old)->clock();
    if (!kept) return tl::make_unexpected(kept.error());
    if (*kept) clock_.keep(**kept);

    const auto settings = log_settings_of(settings_, folder_.log_id());
    std::error_code error;
    std::filesystem::remove_all(settings.folder, error);  // of an upgrade that was cut off
    if (error)
      return fail_with(error_code::io_error, "cannot remove " + quoted(settings.folder) + ": " + error.message());
    if (auto made = segment_log::make(settings, std::max(*first, position{1})); !made) return made;
    auto opened = segment_log::open(settings, clock_);
    if (!opened) return tl::make_unexpected(opened.error());
    segment_log& log = **opened;

    const std::uint64_t entries = last->number + 1 - std::max(first->number, std::uint64_t{1});
    const auto failed = [] {
      return fail_with(error_code::io_error, "the log can't be written in the new format; nothing of the old is lost");
    };
    std::uint64_t unsynced = 0;
    std::uint64_t unreported = 0;
    std::uint64_t copied = 0;
    const auto copy = [&](std::span<const entry> group) -> result<void> {
      if (!log.append(group)) return failed();
      unsynced += group.size();
      unreported += group.size();
      copied += group.size();
      if (unsynced >= entries_between_syncs && !log.sync()) return failed();
      if (unsynced >= entries_between_syncs) unsynced = 0;
      if (unreported >= entries_between_reports) {
        report("wrote " + std::to_string(copied) + " of " + std::to_string(entries) + " log entries");
        unreported = 0;
      }
      return {};
    };
    if (auto visited = (*old)->visit(*first, copy); !visited) return visited;
    if (!log.sync()) return failed();
    if (log.last() != *last) {
      return fail_with(error_code::damaged, "the log of the data folder " + quoted(settings_.folder) +
                                                " has a gap before position " + std::to_string(log.last().number + 1));
    }
    report("wrote " + std::to_string(copied) + " of " + std::to_string(entries) + " log entries");
    return {};
  }

  result<void> write_indexes() {
    auto log = segment_log::open_for_reading(log_settings_of(settings_, folder_.log_id()));
    if (!log) return tl::make_unexpected(log.error());
    auto view = open_view(view_settings_of(settings_, view_access::upgrade), clock_);
    if (!view) return tl::make_unexpected(view.error());
    if (auto applied = (*view)->catch_up(**log); !applied) return applied;
    return (*view)->flush();
  }

  const store_settings& settings_;
  data_folder& folder_;
  kept_clock clock_;
};

}  // namespace

result<void> upgrade(const store_settings& settings, data_folder& folder) {
  return upgrade_steps(settings, folder).run();
}

result<void> upgrade_folder(const store_settings& settings) {
  auto folder = data_folder::open_existing(settings.folder);
  if (!folder) return tl::make_unexpected(folder.error());
  return folder->is_old() ? upgrade(settings, *folder) : result<void>();
}

result<upgrade_plan> plan_upgrade(const std::filesystem::path& folder) {
  const auto found = read_folder_format(folder);
  if (!found) return tl::make_unexpected(found.error());
  upgrade_plan plan{.format = found->number, .format_after = data_format};
  std::error_code error;
  plan.writes_log = found->number < data_format_with_log;
  using iterator = std::filesystem::recursive_directory_iterator;
  for (iterator at(database_path(folder), error), end; !error && at != end; at.increment(error)) {
    std::error_code ignored;  // a server may remove a file meanwhile
    if (at->is_regular_file(ignored)) plan.bytes += at->file_size(ignored);
  }
  const auto space = std::filesystem::space(folder, error);
  if (error) return fail_with(error_code::io_error, "cannot read " + quoted(folder) + ": " + error.message());
  plan.bytes_free = space.available;
  return plan;
}

}  // namespace ordem::storage
