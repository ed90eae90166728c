// Where a relay has got to: {"log_id":"UUID","position":N} in a file, replaced durably and as a whole. One thread; a
// second relay on the same file is refused.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <tl/expected.hpp>

#include "engine/model/ids.hpp"
#include "storage/files/files.hpp"

namespace ordem::app {

struct relay_position {
  std::string log_id;
  ordem::position position;  // the last event that the receiver has acknowledged, or that was filtered out
  friend bool operator==(const relay_position&, const relay_position&) = default;
};

class position_file {
 public:
  // Locks the file, by one beside it (".lock"), and reads it. Returns an error with the path if another process has it
  // locked, or if it is not such a file.
  static tl::expected<position_file, std::string> open(const std::filesystem::path& path);

  // Returns what it had when it was opened, or has been written since; nullopt if there was no file.
  const std::optional<relay_position>& now() const noexcept { return now_; }
  // Does nothing if it has that already.
  tl::expected<void, std::string> write(const relay_position& what);

 private:
  position_file(std::filesystem::path path, storage::open_file lock) : path_(std::move(path)), lock_(std::move(lock)) {}

  std::filesystem::path path_;
  storage::open_file lock_;
  std::optional<relay_position> now_;
};

}  // namespace ordem::app
