// Puts files into a back-up, each as a hard link or as a copy, and computes their hashes on the way. Used by the thread
// that makes the back-up.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "storage/files/files.hpp"
#include "storage/files/live_file.hpp"
#include "storage/folder/backup_manifest.hpp"
#include "storage/log/backup.hpp"
#include "storage/log/error.hpp"

namespace ordem::storage {

class backup_writer {
 public:
  // `what` must outlive the writer.
  explicit backup_writer(const backup_request& what);

  // Makes the folder of the back-up, at its unfinished path, for this user alone (mode 0700), and locks it against
  // other servers that make back-ups below the same root.
  result<void> begin();
  // Adds a file to the folder `in` of the back-up, which is made; "": to the back-up itself.
  result<void> add(const live_file& file, const std::string& in);
  // Writes the manifest, makes everything durable, and moves the back-up to its place.
  result<backup_summary> finish(backup_manifest manifest);
  // Removes what there is of it. Returns an error if that failed.
  result<void> remove();

 private:
  result<void> lock();
  result<std::string> link_or_copy(const live_file& file, const std::filesystem::path& to, bool& is_linked);
  result<std::string> hash_of(const live_file& file);
  result<std::string> copy(const live_file& file, const std::filesystem::path& to);
  // Reads `bytes` of the file in parts, and passes them to `use`, which returns an error to stop.
  template <class Use>
  result<std::string> read_parts(const live_file& file, Use use);

  const backup_request& request_;
  const std::filesystem::path folder_;  // unfinished
  std::optional<open_file> lock_;       // on the folder, by flock
  std::vector<std::string> folders_;    // in it
  std::vector<backup_file> files_;
  std::uint64_t bytes_ = 0;
  std::uint64_t bytes_linked_ = 0;
};

}  // namespace ordem::storage
