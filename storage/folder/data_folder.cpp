#include "storage/folder/data_folder.hpp"

#include <fcntl.h>
#include <sys/file.h>

#include <boost/uuid/random_generator.hpp>
#include <boost/uuid/uuid_io.hpp>
#include <cerrno>
#include <fstream>
#include <string_view>
#include <system_error>
#include <utility>

#include "engine/base/check.hpp"
#include "engine/model/ids.hpp"
#include "storage/records/data_format.hpp"
#include "storage/rocksdb/open_view.hpp"

namespace ordem::storage {
namespace {

namespace fs = std::filesystem;

// Replaces the number in FORMAT during a load.
constexpr std::string_view loading_mark = "loading";
// The third line of FORMAT in a folder of a copy.
constexpr std::string_view copy_mark = "copy";

fs::path format_path(const fs::path& folder) {
  return folder / format_name;
}

bool is_uuid(const std::string& text) {
  return order_id::parse(text).has_value();  // the same 36 characters
}

std::string fresh_log_id() {
  return boost::uuids::to_string(boost::uuids::random_generator()());
}

result<open_file> take_lock(const fs::path& path) {
  const fs::path name = path / "LOCK";
  auto lock = open_file::open(name, O_CREAT | O_RDWR);
  if (!lock) return lock;
  if (::flock(lock->descriptor(), LOCK_EX | LOCK_NB) != 0) {
    const int error = errno;
    if (error == EWOULDBLOCK) {
      return fail_with(error_code::locked,
                       "the data folder " + quoted(path) +
                           " is locked: another ordem is running on it; stop that one or name another --data-dir");
    }
    return fail_with(error_code::io_error, "cannot lock " + quoted(name) + ": " + error_text(error));
  }
  if (!is_same_file(lock->descriptor(), name)) {
    return fail_with(error_code::io_error,
                     "the data folder " + quoted(path) + " was removed or replaced while it was being opened");
  }
  return lock;
}

}  // namespace

fs::path log_path(const fs::path& folder) {
  return folder / "log";
}

result<folder_format> read_folder_format(const fs::path& path) {
  std::error_code ignored;
  if (!fs::is_directory(database_path(path), ignored) && !fs::exists(format_path(path), ignored)) {
    return fail_with(error_code::not_found, "the folder " + quoted(path) + " has no ordem data");
  }
  std::ifstream file(format_path(path));
  std::string line;
  folder_format found;
  std::getline(file, line);
  std::getline(file, found.log_id);
  std::string third;
  std::getline(file, third);
  found.is_copy = third == copy_mark;
  if (line == loading_mark) {
    return fail_with(
        error_code::incomplete,
        "the data folder " + quoted(path) + " is incomplete: its load did not finish; remove it and load it again");
  }
  const bool is_number = !line.empty() && line.size() < 10 && line.find_first_not_of("0123456789") == std::string::npos;
  if (!is_number || (!third.empty() && !found.is_copy)) {
    return fail_with(error_code::damaged,
                     "the data folder " + quoted(path) +
                         " has no readable FORMAT file; restore the folder from a back-up as a whole");
  }
  found.number = std::stoi(line);
  if (found.number < oldest_data_format || found.number > data_format) {
    return fail_with(error_code::wrong_format, "the data folder " + quoted(path) + " has data format " + line +
                                                   ", but this program reads format " + std::to_string(data_format) +
                                                   ", and brings formats from " + std::to_string(oldest_data_format) +
                                                   " on up to it; start the version of ordem that wrote it");
  }
  // If one of these were missing, an empty one would be created.
  const auto lost = [&](const char* what, const char* name) {
    return fail_with(error_code::damaged, "the data folder " + quoted(path) + " has lost its " + what + " (" + name +
                                              " is missing); restore the folder from a back-up as a whole");
  };
  if (!fs::exists(database_path(path) / "CURRENT", ignored)) return lost("database", "db/CURRENT");
  if (found.number >= data_format_with_log && !fs::is_directory(log_path(path), ignored)) return lost("log", "log/");
  if (!is_uuid(found.log_id)) {
    return fail_with(error_code::damaged, "the file FORMAT of the data folder " + quoted(path) +
                                              " has no log id; restore the folder from a back-up as a whole");
  }
  return found;
}

error old_format_error(const fs::path& path, const folder_format& found) {
  return {error_code::wrong_format,
          "the data folder " + quoted(path) + " has data format " + std::to_string(found.number) +
              "; `ordem serve` and `ordem upgrade` on it bring it up to format " + std::to_string(data_format)};
}

result<data_folder> data_folder::open(const fs::path& path) {
  if (auto made = make_folder(path); !made) return tl::make_unexpected(made.error());

  auto lock = take_lock(path);
  if (!lock) return tl::make_unexpected(lock.error());
  data_folder folder(path, std::move(*lock));
  std::error_code error;
  folder.is_new_ = !fs::exists(format_path(path), error);
  if (error) {
    return fail_with(error_code::io_error, "cannot stat " + quoted(format_path(path)) + ": " + error.message());
  }
  if (!folder.is_new_) {
    auto found = read_folder_format(path);
    if (!found) return tl::make_unexpected(found.error());
    folder.format_ = std::move(*found);
    return folder;
  }
  folder.format_ = {data_format, fresh_log_id(), false};
  // An earlier start that was cut off may have made the folder and its parents without syncing their names.
  if (const auto unsynced = sync_parents(path)) {
    return fail_with(error_code::io_error, "cannot sync " + quoted(unsynced->first) + ", which holds the data folder " +
                                               quoted(path) + ": " + error_text(unsynced->second));
  }
  return folder;
}

result<data_folder> data_folder::open_existing(const fs::path& path) {
  if (auto found = read_folder_format(path); !found) return tl::make_unexpected(found.error());
  return open(path);
}

result<data_folder> data_folder::make(const fs::path& path, std::string log_id) {
  std::error_code ignored;
  if (fs::exists(path, ignored) && !fs::is_empty(path, ignored)) {
    return fail_with(error_code::invalid_argument,
                     "the data folder " + quoted(path) + " is not empty; name one that does not exist yet");
  }
  auto folder = open(path);
  if (!folder) return folder;
  folder->format_.log_id = std::move(log_id);
  if (auto marked = replace_file(format_path(path), std::string(loading_mark) + "\n"); !marked) {
    return tl::make_unexpected(marked.error());
  }
  return folder;
}

bool data_folder::is_old() const noexcept {
  return format_.number != data_format;
}

void data_folder::become_copy(std::string log_id) {
  ORDEM_CHECK(is_new_);
  format_.log_id = std::move(log_id);
  format_.is_copy = true;
}

result<void> data_folder::write_format() {
  format_.number = data_format;
  is_new_ = false;
  return replace_file(format_path(path_), format_text(format_.log_id, format_.is_copy));
}

std::string format_text(const std::string& log_id, bool is_copy) {
  return std::to_string(data_format) + "\n" + log_id + "\n" + (is_copy ? std::string(copy_mark) + "\n" : "");
}

}  // namespace ordem::storage
