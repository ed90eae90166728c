// Changes a keys file as a whole, while servers may be reading it and other commands changing it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <tl/expected.hpp>

namespace ordem::app {

enum class missing_file : std::uint8_t {
  is_created,  // with mode 0600
  is_an_error,
};

// Replaces the text of the file by what `change` makes of it, or leaves it if that returns an error. The file keeps its
// mode and its owner. Readers see the old text or the new one, also after a crash. Two updates wait for each other, by
// a lock on the folder (flock, so on one machine). A symbolic link stays one. The error is a sentence.
tl::expected<void, std::string> update_keys_file(
    const std::string& path, missing_file missing,
    const std::function<tl::expected<std::string, std::string>(const std::string& text)>& change);

}  // namespace ordem::app
