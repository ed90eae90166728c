// The program's own log, on standard error: one line per event, as JSON or, on a terminal, as text. Values of fields
// may be text of unknown origin. Thread-safe.
#pragma once

#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "app/settings/settings.hpp"

namespace spdlog {
class logger;
namespace details {
class thread_pool;
}
}  // namespace spdlog

namespace ordem::app {

class logger {
 public:
  using field = std::pair<std::string_view, std::variant<std::string, std::int64_t>>;
  using fields = std::initializer_list<field>;

  logger(log_format format, const std::string& level);

  // Returns whether the level is debug.
  bool logs_debug() const noexcept { return debug_out_ != nullptr; }
  // Does not block: the line is written by a thread of the logger, and dropped if too many lines wait. All other lines
  // are written before the call returns.
  void debug(std::string_view message, fields more = {});
  void info(std::string_view message, fields more = {});
  void warning(std::string_view message, fields more = {});
  void error(std::string_view message, fields more = {});

 private:
  void write(int level, std::string_view message, fields more);
  std::string line_of(int level, std::string_view message, fields more) const;

  std::shared_ptr<spdlog::logger> out_;
  // Both null unless the level is debug. The pool is destroyed last, and ends its thread.
  std::shared_ptr<spdlog::details::thread_pool> debug_pool_;
  std::shared_ptr<spdlog::logger> debug_out_;
  bool json_;
};

}  // namespace ordem::app
