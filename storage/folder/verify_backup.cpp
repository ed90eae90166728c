// The check of a back-up: its files against the manifest, then its log against its view.
#include <fcntl.h>

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <system_error>
#include <utility>

#include "engine/base/check.hpp"
#include "storage/files/files.hpp"
#include "storage/folder/backup_manifest.hpp"
#include "storage/folder/data_folder.hpp"
#include "storage/log/store.hpp"
#include "storage/records/data_format.hpp"

namespace ordem::storage {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t read_bytes = std::size_t{1} << 20;
constexpr std::size_t cache_bytes = std::size_t{32} << 20;
constexpr std::size_t entries_at_once = 4096;

tl::unexpected<error> damaged(const fs::path& folder, const std::string& what) {
  return fail_with(error_code::damaged, "the back-up " + quoted(folder) + " is damaged: " + what);
}

result<backup_manifest> read_manifest(const fs::path& folder) {
  const fs::path path = folder / backup_manifest_name;
  std::error_code ignored;
  if (!fs::exists(path, ignored)) {
    return fail_with(error_code::not_found,
                     quoted(folder) + " is no complete back-up: it has no manifest (" + backup_manifest_name + ")");
  }
  const auto file = open_file::open(path, O_RDONLY);
  if (!file) return tl::make_unexpected(file.error());
  std::string text;
  if (const int error = file->read(text, backup_manifest_bytes_max, 0)) {
    return fail_with(error_code::io_error, "cannot read " + quoted(path) + ": " + error_text(error));
  }
  auto manifest = decode_backup_manifest(text);
  if (!manifest) return damaged(folder, std::string("its manifest (") + backup_manifest_name + ") cannot be read");
  if (manifest->data_format != data_format) {
    return fail_with(error_code::wrong_format, "the back-up " + quoted(folder) + " has data format " +
                                                   std::to_string(manifest->data_format) +
                                                   ", but this program checks format " + std::to_string(data_format) +
                                                   "; check it with the version of ordem that made it");
  }
  return std::move(*manifest);
}

// Returns the names of all files but the manifest, relative to the folder.
result<std::set<std::string>> list_files(const fs::path& folder) {
  std::set<std::string> names;
  std::error_code error;
  for (fs::recursive_directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    if (at->is_directory(error)) continue;
    if (error) break;
    names.insert(at->path().lexically_relative(folder).string());
  }
  if (error) return fail_with(error_code::io_error, "cannot read " + quoted(folder) + ": " + error.message());
  names.erase(backup_manifest_name);
  return names;
}

result<void> check_file(const fs::path& folder, const backup_file& expected) {
  const fs::path path = folder / expected.name;
  std::error_code missing;
  const auto bytes = fs::file_size(path, missing);
  if (missing) return damaged(folder, expected.name + ": " + missing.message());
  if (bytes != expected.bytes) {
    return damaged(folder, expected.name + " has " + std::to_string(bytes) + " bytes instead of " +
                               std::to_string(expected.bytes));
  }
  const auto file = open_file::open(path, O_RDONLY);
  if (!file) return tl::make_unexpected(file.error());
  content_hash hash;
  std::string part;
  for (std::uint64_t at = 0; at < bytes; at += part.size()) {
    if (const int failed = file->read(part, read_bytes, at)) {
      return fail_with(error_code::io_error, "cannot read " + quoted(path) + ": " + error_text(failed));
    }
    if (part.empty()) return damaged(folder, expected.name + " ends at byte " + std::to_string(at));
    hash.add(part);
  }
  if (hash.digits() != expected.hash) return damaged(folder, expected.name + " does not have its content");
  return {};
}

result<void> check_files(const fs::path& folder, const backup_manifest& manifest) {
  auto others = list_files(folder);
  if (!others) return tl::make_unexpected(others.error());
  for (const backup_file& each : manifest.files) others->erase(each.name);
  if (!others->empty()) {
    return damaged(folder, *others->begin() +
                               " is not in the manifest; if a server has used the folder, it is a data folder and no "
                               "back-up any more");
  }
  for (const backup_file& each : manifest.files) {
    if (auto checked = check_file(folder, each); !checked) return checked;
  }
  return {};
}

// Compares what the log of the back-up says with its view.
class content_check {
 public:
  content_check(const fs::path& folder, const store& opened, clock_reading now)
      : folder_(folder), log_(opened.log()), view_(opened.view()), now_(std::move(now)) {}

  result<void> run(verified_backup& found) {
    for (position next = std::max(log_.first(), position{1}); next <= log_.last();) {
      const auto entries = log_.read(next, entries_at_once);
      if (!entries || entries->empty()) return differs("the log from position " + std::to_string(next.number) + " on");
      for (const logged_entry& each : *entries) {
        const message_entry* message = each.message();
        if (message == nullptr) continue;
        if (message->after != nullptr) ++found.versions;
        if (!is_in_view(*message)) return differs("the entry at position " + std::to_string(each.position.number));
      }
      next.number += entries->size();
    }
    return count(found);
  }

 private:
  tl::unexpected<error> differs(const std::string& what) const {
    return damaged(folder_, "the data differs from the log, or cannot be read: " + what);
  }

  bool is_in_view(const message_entry& logged) const {
    if (logged.after != nullptr) {
      const auto stored = view_.find_version(logged.after->id, logged.after->version);
      if (!stored || *stored == nullptr || **stored != *logged.after) return false;
    }
    const message_record& record = logged.record;
    const auto stored = view_.find_message(logged.tenant(), logged.guid, now_);
    if (!stored) return false;
    if (!*stored) return now_.has_ended(record.expires_at, record.created_at);
    const bool is_reused = (*stored)->created_at != record.created_at;
    return is_reused || **stored == record;
  }

  result<void> count(verified_backup& found) const {
    const auto counter = [](std::uint64_t& to) {
      return [&to](const auto&...) {
        ++to;
        return true;
      };
    };
    if (!view_.scan_orders(counter(found.orders))) return differs("the orders");
    if (!view_.scan_messages(now_, counter(found.messages))) return differs("the messages");
    if (!view_.scan_captures(now_, counter(found.captures))) return differs("the captures");
    return {};
  }

  const fs::path& folder_;
  const log& log_;
  const view& view_;
  const clock_reading now_;
};

}  // namespace

result<verified_backup> verify_backup(const fs::path& folder, time_source& clock) {
  const auto manifest = read_manifest(folder);
  if (!manifest) return tl::make_unexpected(manifest.error());
  if (auto checked = check_files(folder, *manifest); !checked) return tl::make_unexpected(checked.error());

  store_settings settings;
  settings.folder = folder;
  settings.block_cache_bytes = cache_bytes;
  const auto opened = open_store_for_reading(std::move(settings), clock);
  if (!opened) return tl::make_unexpected(opened.error());
  verified_backup found{manifest->summary};
  const log& of = (*opened)->log();
  if ((*opened)->log_id() != found.summary.log_id || of.first() != found.summary.first ||
      of.last() != found.summary.last) {
    return damaged(folder, "its log is not the one in the manifest");
  }
  if (auto checked = content_check(folder, **opened, clock.read()).run(found); !checked) {
    return tl::make_unexpected(checked.error());
  }
  return found;
}

}  // namespace ordem::storage
