#include "app/observability/logger.hpp"

#include <spdlog/async_logger.h>
#include <spdlog/details/thread_pool.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>

#include "app/observability/log_text.hpp"
#include "app/process/system_clock.hpp"
#include "engine/base/text.hpp"
#include "engine/model/json_value.hpp"

namespace ordem::app {
namespace {

std::string_view level_name(int level) {
  if (level == spdlog::level::err) return "error";
  if (level == spdlog::level::debug) return "debug";
  return level == spdlog::level::warn ? "warning" : "info";
}

// The lines of the level debug that wait to be written. Further ones replace the oldest.
constexpr std::size_t debug_lines_max = 8192;

// The limit of a message or a field: errors of Postgres may quote rows.
constexpr std::size_t text_bytes_max = 8192;

bool needs_quotes(char c) {
  return static_cast<unsigned char>(c) <= ' ' || static_cast<unsigned char>(c) >= 0x7F || c == '"' || c == '=';
}

void append_value(std::string& line, const logger::field& field, bool json) {
  if (const auto* number = std::get_if<std::int64_t>(&field.second)) {
    line += std::to_string(*number);
    return;
  }
  const auto& text = std::get<std::string>(field.second);
  if (json || std::any_of(text.begin(), text.end(), needs_quotes) || text.size() > text_bytes_max) {
    append_log_string(line, text, text_bytes_max);
  } else {
    line += text;
  }
}

std::string json_line(int level, std::string_view message, logger::fields more) {
  std::string line = "{\"time\":\"" + to_rfc3339(system_time()) + "\",\"level\":\"" + std::string(level_name(level)) +
                     "\",\"message\":";
  append_log_string(line, message, text_bytes_max);
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
  if (out_->level() != spdlog::level::debug) return;
  debug_pool_ = std::make_shared<spdlog::details::thread_pool>(debug_lines_max, 1);
  debug_out_ = std::make_shared<spdlog::async_logger>("ordem", out_->sinks().front(), debug_pool_,
                                                      spdlog::async_overflow_policy::overrun_oldest);
  debug_out_->set_level(spdlog::level::debug);
}

std::string logger::line_of(int level, std::string_view message, fields more) const {
  return json_ ? json_line(level, message, more) : text_line(message, more);
}

void logger::write(int level, std::string_view message, fields more) {
  const auto which = static_cast<spdlog::level::level_enum>(level);
  if (out_->should_log(which)) out_->log(which, "{}", line_of(level, message, more));
}

void logger::debug(std::string_view message, fields more) {
  if (debug_out_) debug_out_->debug("{}", line_of(spdlog::level::debug, message, more));
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
