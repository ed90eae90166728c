// What one batch of orders may take, whatever its length. See docs/architecture.md, "Bounds".
#pragma once

#include <cstddef>

namespace ordem::http_edge::batch_limits {

// Lines that were taken and whose verdicts have not been written. As many as go into a few groups of the log, so that
// one connection can keep it busy, and an eighth of what may be in flight by default (--max-in-flight), so that one
// batch never meets that bound by itself.
inline constexpr std::size_t lines_in_flight_max = 1024;

// Bytes of these lines and of verdicts that the client has not read yet. Beyond it no line is taken and nothing is read
// until the client reads, so a client that sends all before it reads may ask for so much of an answer.
inline constexpr std::size_t pending_bytes_max = std::size_t{16} << 20;

// Of one read. Lines that arrive together are handed on together.
inline constexpr std::size_t read_bytes = std::size_t{128} << 10;

// Of the budget for answers a batch takes its share in steps of this.
inline constexpr std::size_t held_step_bytes = std::size_t{64} << 10;

// Of one system call that writes.
inline constexpr std::size_t write_bytes = std::size_t{1} << 20;

static_assert(read_bytes < pending_bytes_max);

}  // namespace ordem::http_edge::batch_limits
