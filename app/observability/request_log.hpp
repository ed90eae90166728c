// The request log: a JSON line on standard output for each request that has ended, and at the level debug a line in the
// program's own log for each one that was refused. Thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "app/observability/line_writer.hpp"
#include "app/observability/logger.hpp"
#include "app/settings/settings.hpp"
#include "engine/model/time.hpp"
#include "http-edge/protocol/request_log.hpp"

namespace ordem::app {

class request_log final : public http_edge::request_log {
 public:
  // `log` must outlive it.
  request_log(request_log_level level, logger& log);

  // Returns whether any request is logged; otherwise the server needs no request log.
  bool is_active() const noexcept { return lines_ != nullptr || log_.logs_debug(); }

  void add(const http_edge::logged_request& what) noexcept override;

  // Writes the lines that wait. Blocks for as long as the reader does. REQUIRES: add() is not called during the call or
  // after it.
  void finish() noexcept { lines_.reset(); }

  // Returns the number of lines that were dropped because standard output did not take them in time.
  std::uint64_t dropped() const noexcept { return lines_ == nullptr ? 0 : lines_->dropped(); }

 private:
  const request_log_level level_;
  logger& log_;
  std::unique_ptr<line_writer> lines_;  // null if requests are not logged, and after finish()
};

// Returns the line for a request, without its end. It has no character that breaks a line or controls a terminal, and
// at most line_writer::atomic_bytes_max bytes with its end.
std::string request_line(const http_edge::logged_request& what, timestamp now);

// Returns whether the request is one of those that `level` asks for. Errors are statuses from 400 on, responses that
// were not sent to their end, and batches with a refused line.
bool is_logged(const http_edge::logged_request& what, request_log_level level) noexcept;

}  // namespace ordem::app
