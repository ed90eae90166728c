// Splits a body into lines while it arrives, in place: no line is copied, and each byte is scanned once. Used by one
// thread. A line is blank if it has nothing but JSON's white space, perhaps behind a byte order mark.
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

  // Returns the first byte of the next line that is not blank, without a byte order mark, or nullopt if it has not
  // arrived. `body` is as for next().
  std::optional<char> first_byte(std::string_view body) noexcept;

  // Returns the next line that is not blank, or nullopt if none is complete. `body` is the received part of the body
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
  std::size_t blank_ = 0;  // there is only white space, or a byte order mark, from begin_ to here
  bool skips_ = false;
};

}  // namespace ordem::http_edge
