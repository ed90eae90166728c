// Splits a body into lines while it arrives, in place: no line is copied, and each byte is scanned once. Used by one
// thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace ordem::http_edge {

class line_splitter {
 public:
  struct line {
    std::string_view text;  // a part of the body, without the line end
    bool too_long = false;  // then the text is empty
  };

  explicit line_splitter(std::size_t line_bytes_max) : line_bytes_max_(line_bytes_max) {}

  // Returns the next line that is not empty, or nullopt if none is complete. `body` is the received part of the body
  // without what take_used() removed. If `at_end` it is complete, and its last line needs no line end. A line that is
  // too long is returned once, as soon as that is known, and then skipped.
  std::optional<line> next(std::string_view body, bool at_end);

  // Returns the number of bytes at the front of the body that are no longer needed. The caller must remove them before
  // the next call of next().
  std::size_t take_used() noexcept;

 private:
  const std::size_t line_bytes_max_;
  std::size_t begin_ = 0;  // of the next line
  std::size_t seen_ = 0;   // there is no line end from begin_ to here
  bool skips_ = false;
};

}  // namespace ordem::http_edge
