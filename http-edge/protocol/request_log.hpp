// What a server tells about each request that has ended. Implemented by app/.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "engine/codec/problem.hpp"
#include "engine/model/origin.hpp"
#include "http-edge/protocol/request_context.hpp"
#include "http-edge/protocol/route.hpp"

namespace ordem::http_edge {

// The lines of a batch.
struct logged_lines {
  std::uint64_t all = 0;
  std::uint64_t refused = 0;  // with a status of 400 or more
};

// All references are valid during the call. Texts from the client may have any bytes.
struct logged_request {
  const request_context& context;
  const ordem::origin& origin;  // empty if no identity was proved
  resource to = resource::unknown;
  std::string_view method = {};                   // empty if the request was not parsed so far
  std::string_view address = {};                  // the client's IP address
  std::optional<unsigned> status = std::nullopt;  // nullopt: the connection ended before there was a response
  std::optional<codec::problem> problem = std::nullopt;
  std::string_view detail = {};  // why the request was refused; may be empty
  std::optional<logged_lines> lines = std::nullopt;
  bool cut = false;             // the response was not sent, or not to its end
  std::uint64_t bytes_in = 0;   // header and body
  std::uint64_t bytes_out = 0;  // header and body
  // Parts of the whole time, from the first byte of the request to the last byte of the response that the kernel took.
  // What is left is parsing, reads and rendering.
  std::chrono::microseconds total{0};
  std::chrono::microseconds receive{0};  // to the last byte of the request
  std::chrono::microseconds engine{0};   // from the submission of a write to its answer
  std::chrono::microseconds send{0};     // of the rendered response
};

class request_log {
 public:
  request_log() = default;
  request_log(const request_log&) = delete;
  request_log& operator=(const request_log&) = delete;
  virtual ~request_log() = default;

  // Called on I/O threads, once for each request, so it must not block. Thread-safe.
  virtual void add(const logged_request& what) noexcept = 0;
};

}  // namespace ordem::http_edge
