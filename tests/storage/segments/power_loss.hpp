// What a loss of power leaves of the files of one folder, as LevelDB's fault tests have it: of what was not synced, any
// sectors may be missing, files may be shorter, and a change of the names in the folder may not have happened.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <mutex>
#include <random>
#include <string>
#include <vector>

#include "tests/storage/sync_calls.hpp"

namespace ordem::testing {

inline constexpr std::size_t sector_bytes = 512;  // what a disk writes as a whole

// While it exists, it records the syncs of the folder and of its files. One at a time, and no other sync_calls.
class power_loss {
 public:
  // What is there now is durable.
  explicit power_loss(std::filesystem::path folder);

  // Makes syncs of the files in the folder fail, or succeed again.
  void refuse_syncs(bool refused);

  // Changes the folder to what may be left of it. REQUIRES: no other thread uses it.
  void strike(std::mt19937_64& random);

 private:
  using inode = std::uint64_t;

  static std::string read(const std::filesystem::path& file);
  std::map<std::string, inode> names() const;
  void take_as_durable();

  const std::filesystem::path folder_;
  std::mutex mutex_;
  std::map<std::string, inode> synced_names_;
  std::map<inode, std::string> synced_;  // the content of each file as of its last sync
  sync_calls syncs_;                     // destroyed first
};

}  // namespace ordem::testing
