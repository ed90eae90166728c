// What a request says about itself for logs and traces: its id, and the trace that it is part of. Owned by a session,
// used by its I/O thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <string_view>

#include "http-edge/protocol/request_header.hpp"

namespace ordem::http_edge {

// The span of the client that a request is part of (W3C Trace Context, the header traceparent).
struct trace_parent {
  std::array<std::uint8_t, 16> trace_id{};  // not all zero
  std::array<std::uint8_t, 8> span_id{};    // not all zero
  bool sampled = false;                     // the client records its span

  bool operator==(const trace_parent&) const = default;
};

// The bounds of tracestate. A longer value, or one with more members, is dropped as a whole.
inline constexpr std::size_t trace_state_bytes_max = 512;
inline constexpr std::size_t trace_state_members_max = 32;

// The bound of X-Request-Id from a client.
inline constexpr std::size_t request_id_bytes_max = 128;

struct request_context {
  // As the client sent it, or a generated one: visible ASCII characters. Empty until one is known.
  std::string request_id;
  std::optional<trace_parent> parent;
  // tracestate with its lines joined by commas; empty without a parent.
  std::string trace_state;

  // Makes it empty again. Keeps its memory.
  void clear() noexcept {
    request_id.clear();
    parent.reset();
    trace_state.clear();
  }
};

// Makes request ids of 32 hexadecimal digits. They are unique, but can be guessed. Each I/O thread has its own.
class request_id_generator {
 public:
  // Draws the seed from the system.
  request_id_generator();

  // Replaces `to` by another id with each call.
  void generate(std::string& to);

 private:
  std::mt19937_64 random_;
};

// Parses the value of traceparent. Returns nullopt if it is not valid: also for version ff, an all-zero id, and
// hexadecimal digits in upper case. Of a version that is not known, the fields of version 00 are read.
std::optional<trace_parent> parse_trace_parent(std::string_view value) noexcept;

// Returns whether the value is an id of a request: 1 to request_id_bytes_max visible ASCII characters.
bool is_request_id(std::string_view value) noexcept;

// Reads X-Request-Id, traceparent and tracestate into `to`. REQUIRES: `to` is empty. What is malformed, or given more
// than once, is treated as missing. Allocates nothing if the headers are missing.
void read_request_context(const request_header& header, request_context& to);

}  // namespace ordem::http_edge
