// A back-up: a copy of a data folder that is complete and consistent, with a manifest that tells what must be in it. It
// is a data folder itself, which `ordem serve` can open.
//
//   FORMAT, log/, db/   as in a data folder (storage/folder/data_folder.hpp)
//   BACKUP              the manifest (storage/folder/backup_manifest.hpp)
//
// Table files and full segments of the log never change, so on the same file system the copy shares them with the data
// folder by hard links. Everything else is copied, so neither folder changes with the other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "engine/model/ids.hpp"
#include "engine/model/time.hpp"
#include "storage/log/error.hpp"

namespace ordem::storage {

// The name of the manifest in a back-up.
inline constexpr const char* backup_manifest_name = "BACKUP";
// A back-up has this behind its name until it is complete.
inline constexpr const char* unfinished_backup_suffix = ".partial";

struct backup_request {
  // Must not exist; its parent must. While the back-up is made it is at this path with unfinished_backup_suffix. What
  // an earlier one that was cut off has left there is removed first.
  std::filesystem::path folder;
  timestamp made_at;
  // Asked before each mebibyte; the back-up ends if it returns true.
  std::function<bool()> is_cancelled = [] { return false; };
  // Called with the bytes of each file that is done.
  std::function<void(std::uint64_t)> on_file = [](std::uint64_t) {};
};

struct backup_summary {
  std::string log_id;
  timestamp made_at;
  position first;                  // of the log in it, as log::first()
  position last;                   // it has all entries up to this one, and no later one
  std::uint64_t files = 0;         // without the manifest
  std::uint64_t bytes = 0;         // of these files
  std::uint64_t bytes_linked = 0;  // of those that are hard links
};

// What verify_backup() has found intact.
struct verified_backup {
  backup_summary summary;  // without bytes_linked
  std::uint64_t orders = 0;
  std::uint64_t versions = 0;  // of the entries of the log that were compared with the view
  std::uint64_t messages = 0;  // that have not expired
  std::uint64_t captures = 0;  // that are kept
};

// Checks that the folder is what its manifest says: all files, no other ones, their sizes and hashes. Then opens it for
// reading, compares every order and version of the log with the view, and reads every order, message and capture.
// Changes nothing. Expiry is judged by the folder's clock as of `clock`, which must be new. Blocks; reads all of it.
result<verified_backup> verify_backup(const std::filesystem::path& folder, time_source& clock);

}  // namespace ordem::storage
