// A file of an open store as it is at one moment, for a copy. Values: any thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>

namespace ordem::storage {

struct live_file {
  std::filesystem::path path;  // where it can be read now
  std::string name;            // in its folder
  std::uint64_t bytes = 0;     // the file may be longer; what comes behind is not part of the state
  // Its content, all of `bytes`, never changes, so a copy may share it by a hard link.
  bool is_immutable = false;
  std::string content;  // if it is not empty, this stands for what the file has
};

}  // namespace ordem::storage
