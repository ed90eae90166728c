// Writes lines to a file descriptor on a thread of its own, so that a reader that is slow or has stopped delays no one
// else. At most lines_max lines wait; further ones replace the oldest. Thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace ordem::app {

class line_writer {
 public:
  static constexpr std::size_t lines_max = 8192;
  // A line that is no longer is written by one system call, so no line of another writer comes between its parts.
  static constexpr std::size_t atomic_bytes_max = 4096;

  explicit line_writer(int descriptor);
  // Writes the lines that wait. Blocks for as long as the reader does.
  ~line_writer();
  line_writer(const line_writer&) = delete;
  line_writer& operator=(const line_writer&) = delete;

  // Adds a line, without its end. Does not block.
  void add(std::string_view line) noexcept;

  // Returns the number of lines that were dropped: too many waited, or the descriptor did not take them.
  std::uint64_t dropped() const noexcept;

 private:
  struct parts;
  std::unique_ptr<parts> parts_;
};

}  // namespace ordem::app
