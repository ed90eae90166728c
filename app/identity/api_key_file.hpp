// Reads the API key that a command sends to a server. Thread-safe.
#pragma once

#include <string>
#include <tl/expected.hpp>

namespace ordem::app {

// Returns the first line of the file, or of standard input for "-"; empty for an empty path, which means no key. The
// error is a sentence with the path.
tl::expected<std::string, std::string> read_api_key(const std::string& path);

}  // namespace ordem::app
