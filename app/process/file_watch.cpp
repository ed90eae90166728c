#include "app/process/file_watch.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace ordem::app {

std::optional<file_stamp> stamp_of(const std::filesystem::path& file) noexcept {
  struct stat found{};
  if (::stat(file.c_str(), &found) != 0) return std::nullopt;
  constexpr std::int64_t ns_per_s = 1'000'000'000;
  return file_stamp{found.st_dev, found.st_ino, found.st_size, found.st_mtim.tv_sec * ns_per_s + found.st_mtim.tv_nsec};
}

file_watch::file_watch(std::vector<std::filesystem::path> files) : files_(std::move(files)) {
  mark_read();
}

void file_watch::mark_read() {
  read_ = stamps();
  seen_ = read_;
}

bool file_watch::has_settled_change() {
  stamp_list now = stamps();
  const bool has_settled = now == seen_;
  seen_ = std::move(now);
  return has_settled && seen_ != read_;
}

file_watch::stamp_list file_watch::stamps() const {
  stamp_list found;
  found.reserve(files_.size());
  std::transform(files_.begin(), files_.end(), std::back_inserter(found), stamp_of);
  return found;
}

}  // namespace ordem::app
