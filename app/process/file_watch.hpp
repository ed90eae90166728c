// Notices that files have changed, or were replaced. One thread at a time.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

namespace ordem::app {

// Differs after any change of the file, and after its replacement. A file system with a coarse clock may hide a second
// change of the same size within a tick.
struct file_stamp {
  dev_t device = 0;
  ino_t inode = 0;
  off_t size = 0;
  std::int64_t modified_ns = 0;
  friend bool operator==(const file_stamp&, const file_stamp&) = default;
};

// Returns the stamp of the file, after all symbolic links, or nullopt if there is none, or it cannot be looked at.
std::optional<file_stamp> stamp_of(const std::filesystem::path& file) noexcept;

class file_watch {
 public:
  // Takes the files as they are now for the ones that were read.
  explicit file_watch(std::vector<std::filesystem::path> files = {});

  // Takes the files as they are now for the ones that were read. Call it before they are read, so that no change goes
  // unnoticed.
  void mark_read();
  // Returns whether a file differs from the one that was read.
  bool has_changed() const { return stamps() != read_; }
  // As has_changed(), but only once no file has changed since the call before: files that belong together are often
  // written one after the other.
  bool has_settled_change();

 private:
  using stamp_list = std::vector<std::optional<file_stamp>>;

  stamp_list stamps() const;

  std::vector<std::filesystem::path> files_;
  stamp_list read_;
  stamp_list seen_;  // at the last call of has_settled_change()
};

}  // namespace ordem::app
