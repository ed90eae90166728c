// The lines of one batch that were taken and whose verdicts have not been written: verdicts come in any order and leave
// in that of the lines. Lives on one I/O thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/model/outcome.hpp"
#include "http-edge/orders/batch_limits.hpp"
#include "http-edge/orders/batch_line.hpp"

namespace ordem::http_edge {

class batch_window {
 public:
  // Verdicts by the first digit of their status.
  using verdict_counts = std::array<std::uint64_t, 6>;

  bool empty() const noexcept { return size_ == 0; }
  bool full() const noexcept { return size_ == batch_limits::lines_in_flight_max; }
  // Lines that the engine has not answered.
  std::size_t in_flight() const noexcept { return in_flight_; }
  // Of lines in flight, and of verdicts that wait for earlier ones.
  std::size_t bytes() const noexcept { return bytes_; }

  // A line that goes to the engine; not if it is full. Returns the number to settle it by.
  std::uint32_t add(const guid& key, std::size_t line_bytes);
  // A line whose verdict is known at once; not if it is full.
  void add(const refused_line& known);
  // The engine's answer to a line, once.
  void complete(std::uint32_t line, answer&& what);

  // Appends the verdicts that are due.
  void write_due(std::string& out);

  // Of the verdicts since the last call.
  verdict_counts take_counts() noexcept { return std::exchange(counts_, {}); }

 private:
  enum class state : std::uint8_t { in_flight, created, refused };

  // Kept from line to line with the memory of its texts.
  struct slot {
    http_edge::batch_window::state state = state::in_flight;
    std::size_t bytes = 0;
    std::string key;
    executed created;
    std::string refused;  // the whole verdict
  };

  slot& append();
  void refuse(slot& at, std::optional<std::string_view> key, const response& why);

  std::vector<slot> slots_;  // a ring, which grows up to the bound
  std::size_t head_ = 0;     // the first line's place
  std::size_t size_ = 0;
  std::uint32_t first_ = 0;  // the first line's number
  std::size_t in_flight_ = 0;
  std::size_t bytes_ = 0;
  verdict_counts counts_{};
};

}  // namespace ordem::http_edge
