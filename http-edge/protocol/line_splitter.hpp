// Takes a body apart into lines while it arrives, in place: no line is copied, and each byte is looked at once.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace ordem::http_edge {

class line_splitter {
 public:
  struct line {
    std::string_view text;  // without its end; it stands in the body
    bool too_long = false;  // then without text
  };

  explicit line_splitter(std::size_t line_bytes_max) : line_bytes_max_(line_bytes_max) {}

  // The next line that is not empty, or nothing if none is whole yet. `body` is what has arrived and was not dropped;
  // `at_end`: all of it, so that its last line may lack an end. A line that is too long comes once, as soon as that is
  // known, and is skipped to its end.
  std::optional<line> next(std::string_view body, bool at_end);

  // How many bytes at the front of the body are done with: the caller drops them now.
  std::size_t take_used() noexcept;

 private:
  const std::size_t line_bytes_max_;
  std::size_t begin_ = 0;  // of the line that comes next
  std::size_t seen_ = 0;   // before it no line end stands
  bool skips_ = false;
};

}  // namespace ordem::http_edge
