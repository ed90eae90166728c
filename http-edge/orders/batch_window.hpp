// The lines of one batch that were taken and whose verdicts have not been written. Verdicts arrive in any order and are
// written in the order of the lines. Owned by a batch_stream, used by one I/O thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/codec/problem.hpp"
#include "engine/model/outcome.hpp"
#include "engine/ports/readers.hpp"
#include "http-edge/orders/batch_limits.hpp"
#include "http-edge/orders/batch_line.hpp"

namespace ordem::http_edge {

class batch_window {
 public:
  // `orders` has the versions that the verdict on a stale write speaks of. It must outlive the window.
  explicit batch_window(const order_lookup& orders) noexcept : orders_(orders) {}

  // The number of verdicts by the first digit of their status.
  using status_counts = std::array<std::uint64_t, 6>;
  struct verdict_counts {
    status_counts by_status{};
    std::vector<codec::problem> problems;  // of each verdict that is one; no more than lines_in_flight_max
  };

  bool empty() const noexcept { return size_ == 0; }
  bool full() const noexcept { return size_ == batch_limits::lines_in_flight_max; }
  // Returns the number of lines that were taken and whose verdicts have not been written.
  std::size_t size() const noexcept { return size_; }
  // Returns the number of lines that the engine has not answered, of which some may wait for their turn.
  std::size_t in_flight() const noexcept { return in_flight_; }
  // Returns the size of the lines in flight and of the verdicts that wait for earlier ones.
  std::size_t bytes() const noexcept { return bytes_; }

  // Adds a line for the engine, and returns its number for complete(). REQUIRES: !full().
  std::uint32_t add(const guid& key, std::size_t line_bytes);
  // Adds a line that was refused without the engine. REQUIRES: !full().
  void add(const refused_line& known);
  // Sets the verdict of a line from the engine's answer. May block for reads from disk if the write was stale.
  // REQUIRES: called once for each line in flight.
  void complete(std::uint32_t line, answer&& what);

  // Appends the verdicts whose earlier lines all have theirs, and removes these lines.
  void write_due(std::string& out);

  // Returns the counts of the verdicts since the last call. REQUIRES: called before more lines get theirs than the
  // window holds.
  verdict_counts take_counts() noexcept { return std::exchange(counts_, {}); }

 private:
  enum class state : std::uint8_t { in_flight, executed, written };

  // Reused for later lines, with the memory of its strings.
  struct slot {
    http_edge::batch_window::state state = state::in_flight;
    std::size_t bytes = 0;
    std::string key;
    ordem::executed executed;
    std::string text;  // the complete verdict
  };

  slot& append();
  void count(unsigned status, std::optional<codec::problem> which);
  void refuse(slot& at, std::optional<std::string_view> key, const response& why);
  void reject_stale(slot& at, const executed& what);
  void set_text(slot& at) noexcept;

  const order_lookup& orders_;
  std::vector<slot> slots_;  // a ring buffer, which grows up to its bound
  std::size_t head_ = 0;     // the first line's index in slots_
  std::size_t size_ = 0;
  std::uint32_t first_ = 0;  // the first line's number
  std::size_t in_flight_ = 0;
  std::size_t bytes_ = 0;
  verdict_counts counts_;
};

}  // namespace ordem::http_edge
