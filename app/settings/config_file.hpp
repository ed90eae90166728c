// Reads the file that --config names.
#pragma once

#include <cstddef>
#include <string>
#include <tl/expected.hpp>

namespace ordem::app {

inline constexpr std::size_t config_file_bytes_max = std::size_t{1} << 20;

// Reads a regular file or a pipe once, to its end. Returns its text without a byte order mark, or an error message if
// it cannot be read, is not text, or is larger than config_file_bytes_max.
tl::expected<std::string, std::string> read_config_file(const std::string& path);

}  // namespace ordem::app
