// Text of unknown origin in a line of a log. Pure functions; any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace ordem::app {

// Appends the bytes as a JSON string that is safe in a log and on a terminal: U+FFFD for each invalid byte of UTF-8,
// and \u escapes for control characters (C0, DEL, C1) and for the characters that break a line or change the direction
// of text (U+2028, U+2029, the bidirectional controls). Truncates as to_utf8() does.
void append_log_string(std::string& line, std::string_view bytes, std::size_t bytes_max);

}  // namespace ordem::app
