// The program's own log, on standard error: one line per event, as JSON or, on a terminal, as text. Thread-safe.
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
}

namespace ordem::app {

class logger {
 public:
  using field = std::pair<std::string_view, std::variant<std::string, std::int64_t>>;
  using fields = std::initializer_list<field>;

  logger(log_format format, const std::string& level);

  void info(std::string_view message, fields more = {});
  void warning(std::string_view message, fields more = {});
  void error(std::string_view message, fields more = {});

 private:
  void write(int level, std::string_view message, fields more);

  std::shared_ptr<spdlog::logger> out_;
  bool json_;
};

}  // namespace ordem::app
