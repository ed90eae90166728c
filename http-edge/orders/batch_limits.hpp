// The bounds of one batch, which do not depend on its length. See docs/architecture.md, "Bounds".
#pragma once

#include <cstddef>

namespace ordem::http_edge::batch_limits {

// Lines that were taken and whose verdicts have not been written. Enough for a few groups of the log, so that one
// connection can keep the log busy, and an eighth of the default of --max-in-flight. Where that is small, a batch takes
// three quarters of it at most, so that a single batch does not reach that bound.
inline constexpr std::size_t lines_in_flight_max = 1024;

// The same while the server is overloaded: the batch slows down, so that other messages get their share.
inline constexpr std::size_t overloaded_lines_in_flight_max = 64;
// Where few messages are allowed in flight (--max-in-flight), this part of them.
inline constexpr std::size_t overloaded_share = 8;

// Bytes of these lines and of verdicts that the client has not read yet. Beyond it no line is taken and nothing is read
// until the client reads, so a client that reads nothing before it has sent everything must stay below it.
inline constexpr std::size_t pending_bytes_max = std::size_t{16} << 20;

// The size of one read. Lines that arrive together are submitted together.
inline constexpr std::size_t read_bytes = std::size_t{128} << 10;

// The step in which a batch takes memory from the budget of responses.
inline constexpr std::size_t held_step_bytes = std::size_t{64} << 10;

// The largest size of one write to the socket.
inline constexpr std::size_t write_bytes = std::size_t{1} << 20;

static_assert(overloaded_lines_in_flight_max < lines_in_flight_max);
static_assert(read_bytes < pending_bytes_max);

}  // namespace ordem::http_edge::batch_limits
