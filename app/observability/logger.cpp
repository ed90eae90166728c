#include "app/observability/logger.hpp"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>

#include "app/process/system_clock.hpp"
#include "engine/base/text.hpp"
#include "engine/model/json_value.hpp"

namespace ordem::app {
namespace {

std::string_view level_name(int level) {
  if (level == spdlog::level::err) return "error";
  return level == spdlog::level::warn ? "warning" : "info";
}

// The limit of a message or a field: errors of Postgres may quote rows.
constexpr std::size_t text_bytes_max = 8192;

bool needs_quotes(char c) {
  return static_cast<unsigned char>(c) <= ' ' || c == '"' || c == '=' || c == '\x7F';
}

void append_value(std::string& line, const logger::field& field, bool json) {
  if (const auto* number = std::get_if<std::int64_t>(&field.second)) {
    line += std::to_string(*number);
    return;
  }
  const std::string text = to_utf8(std::get<std::string>(field.second), text_bytes_max);
  if (json || std::any_of(text.begin(), text.end(), needs_quotes)) {
    append_json_string(line, text);
  } else {
    line += text;
  }
}

std::string json_line(int level, std::string_view message, logger::fields more) {
  std::string line = "{\"time\":\"" + to_rfc3339(system_time()) + "\",\"level\":\"" + std::string(level_name(level)) +
                     "\",\"message\":";
  append_json_string(line, to_utf8(message, text_bytes_max));
  for (const auto& field : more) {
    line += ",";
    append_json_string(line, field.first);
    line += ":";
    append_value(line, field, true);
  }
  return line + "}";
}

std::string text_line(std::string_view message, logger::fields more) {
  std::string line = to_utf8(message, text_bytes_max);
  for (const auto& field : more) {
    line += "  " + std::string(field.first) + "=";
    append_value(line, field, false);
  }
  return line;
}

}  // namespace

logger::logger(log_format format, const std::string& level)
    : out_(std::make_shared<spdlog::logger>("ordem", std::make_shared<spdlog::sinks::stderr_color_sink_mt>())),
      json_(format == log_format::json || (format == log_format::automatic && ::isatty(STDERR_FILENO) == 0)) {
  out_->set_pattern(json_ ? "%v" : "%H:%M:%S.%e %^%l%$ %v");
  out_->set_level(spdlog::level::from_str(level));
  out_->flush_on(spdlog::level::info);
}

void logger::write(int level, std::string_view message, fields more) {
  const auto which = static_cast<spdlog::level::level_enum>(level);
  if (out_->should_log(which)) {
    out_->log(which, "{}", json_ ? json_line(level, message, more) : text_line(message, more));
  }
}

void logger::info(std::string_view message, fields more) {
  write(spdlog::level::info, message, more);
}
void logger::warning(std::string_view message, fields more) {
  write(spdlog::level::warn, message, more);
}
void logger::error(std::string_view message, fields more) {
  write(spdlog::level::err, message, more);
}

}  // namespace ordem::app
