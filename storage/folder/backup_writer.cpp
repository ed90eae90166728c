#include "storage/folder/backup_writer.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <system_error>
#include <utility>

#include "storage/files/files.hpp"

namespace ordem::storage {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t part_bytes = std::uint64_t{1} << 20;

fs::path unfinished_path(const fs::path& folder) {
  fs::path path = folder;
  path += unfinished_backup_suffix;
  return path;
}

// Whether a copy may succeed where a link has failed with this errno: another file system or mount, one without hard
// links, a file of another owner (protected_hardlinks), too many links.
bool needs_copy(int error) {
  return error == EXDEV || error == EPERM || error == ENOTSUP || error == EMLINK || error == ENOSYS;
}

auto failed(const char* what, const fs::path& path, const std::string& why) {
  return fail_with(error_code::io_error, std::string("cannot ") + what + " " + quoted(path) + ": " + why);
}

}  // namespace

backup_writer::backup_writer(const backup_request& what) : request_(what), folder_(unfinished_path(what.folder)) {}

result<void> backup_writer::begin() {
  std::error_code error;
  if (fs::exists(fs::symlink_status(request_.folder, error))) {
    return fail_with(error_code::invalid_argument, quoted(request_.folder) + " exists; a back-up makes its folder");
  }
  // What a server that was killed has left is not locked.
  if (fs::is_directory(fs::symlink_status(folder_, error))) {
    if (auto locked = lock(); !locked) return locked;
  }
  if (auto removed = remove(); !removed) return removed;
  constexpr mode_t of_this_user_alone = 0700;
  if (::mkdir(folder_.c_str(), of_this_user_alone) != 0) return failed("make", folder_, error_text(errno));
  return lock();
}

result<void> backup_writer::lock() {
  auto opened = open_file::open(folder_, O_RDONLY | O_DIRECTORY);
  if (!opened) return tl::make_unexpected(std::move(opened.error()));
  if (::flock(opened->descriptor(), LOCK_EX | LOCK_NB) != 0) {
    return failed("lock", folder_, errno == EWOULDBLOCK ? "another server is making it" : error_text(errno));
  }
  lock_.emplace(std::move(*opened));
  return {};
}

result<void> backup_writer::remove() {
  std::error_code error;
  fs::remove_all(folder_, error);
  if (error) return failed("remove", folder_, error.message());
  return {};
}

result<void> backup_writer::add(const live_file& file, const std::string& in) {
  const fs::path folder = in.empty() ? folder_ : folder_ / in;
  if (!in.empty() && std::find(folders_.begin(), folders_.end(), in) == folders_.end()) {
    std::error_code error;
    fs::create_directory(folder, error);
    if (error) return failed("make", folder, error.message());
    folders_.push_back(in);
  }
  bool is_linked = false;
  auto hash = link_or_copy(file, folder / file.name, is_linked);
  if (!hash) return tl::make_unexpected(std::move(hash.error()));
  files_.push_back({in.empty() ? file.name : in + "/" + file.name, file.bytes, std::move(*hash)});
  bytes_ += file.bytes;
  if (is_linked) bytes_linked_ += file.bytes;
  request_.on_file(file.bytes);
  return {};
}

result<std::string> backup_writer::link_or_copy(const live_file& file, const fs::path& to, bool& is_linked) {
  if (file.is_immutable && file.content.empty()) {
    if (::link(file.path.c_str(), to.c_str()) == 0) {
      is_linked = true;
      return hash_of({to, file.name, file.bytes, true, {}});
    }
    if (const int error = errno; !needs_copy(error)) return failed("link", to, error_text(error));
  }
  return copy(file, to);
}

template <class Use>
result<std::string> backup_writer::read_parts(const live_file& file, Use use) {
  content_hash hash;
  const auto take = [&](std::string_view part, std::uint64_t at) -> result<void> {
    hash.add(part);
    return use(part, at);
  };
  if (!file.content.empty()) {
    if (auto used = take(file.content, 0); !used) return tl::make_unexpected(std::move(used.error()));
    return hash.digits();
  }
  const auto from = open_file::open(file.path, O_RDONLY);
  if (!from) return tl::make_unexpected(from.error());
  std::string part;
  for (std::uint64_t at = 0; at < file.bytes; at += part.size()) {
    if (request_.is_cancelled()) return fail_with(error_code::incomplete, "the back-up was cut off");
    const auto wanted = static_cast<std::size_t>(std::min(part_bytes, file.bytes - at));
    if (const int error = from->read(part, wanted, at)) return failed("read", file.name, error_text(error));
    if (part.size() < wanted) return failed("read", file.name, "it ends at byte " + std::to_string(at + part.size()));
    if (auto used = take(part, at); !used) return tl::make_unexpected(std::move(used.error()));
  }
  return hash.digits();
}

result<std::string> backup_writer::hash_of(const live_file& file) {
  return read_parts(file, [](std::string_view, std::uint64_t) { return result<void>(); });
}

result<std::string> backup_writer::copy(const live_file& file, const fs::path& to) {
  const auto made = open_file::open(to, O_CREAT | O_EXCL | O_WRONLY);
  if (!made) return tl::make_unexpected(made.error());
  auto hash = read_parts(file, [&](std::string_view part, std::uint64_t at) -> result<void> {
    if (const int error = made->write(part, at)) return failed("write", to, error_text(error));
    return {};
  });
  if (!hash) return hash;
  if (const int error = made->sync()) return failed("sync", to, error_text(error));
  return hash;
}

result<backup_summary> backup_writer::finish(backup_manifest manifest) {
  manifest.files = files_;
  backup_summary& summary = manifest.summary;
  summary.made_at = request_.made_at;
  summary.files = files_.size();
  summary.bytes = bytes_;
  summary.bytes_linked = bytes_linked_;
  for (const std::string& each : folders_) {
    if (const int error = sync_folder(folder_ / each)) return failed("sync", folder_ / each, error_text(error));
  }
  // Syncs the names in the folder, too.
  if (auto written = replace_file(folder_ / backup_manifest_name, encode(manifest)); !written) {
    return tl::make_unexpected(written.error());
  }
  // A folder that was made meanwhile stays, unless it is empty: rename(2) refuses any other.
  if (::rename(folder_.c_str(), request_.folder.c_str()) != 0)
    return failed("make", request_.folder, error_text(errno));
  const fs::path parent = parent_of(request_.folder);
  if (const int error = sync_folder(parent)) return failed("sync", parent, error_text(error));
  return summary;
}

}  // namespace ordem::storage
