#include "app/observability/request_log.hpp"

#include <unistd.h>

#include <string_view>

#include "app/observability/log_text.hpp"
#include "app/process/system_clock.hpp"
#include "engine/base/hex.hpp"
#include "engine/base/text.hpp"
#include "engine/codec/problem.hpp"
#include "http-edge/protocol/route.hpp"

namespace ordem::app {
namespace {

// The bounds of texts. Escapes make a byte six characters, so the longest line has less than atomic_bytes_max bytes.
constexpr std::size_t method_bytes_max = 16;
constexpr std::size_t detail_bytes_max = 256;
constexpr std::size_t name_bytes_max = 64;

constexpr unsigned first_error = 400;

bool is_refused(const http_edge::logged_request& what) noexcept {
  return what.problem || what.status.value_or(0) >= first_error;
}

// Writes the members of one JSON object.
class members {
 public:
  explicit members(std::string& line) : line_(line) { line_ += '{'; }

  void text(std::string_view name, std::string_view value, std::size_t bytes_max) {
    begin(name);
    append_log_string(line_, value, bytes_max);
  }
  void optional_text(std::string_view name, std::string_view value, std::size_t bytes_max) {
    if (!value.empty()) text(name, value, bytes_max);
  }
  void number(std::string_view name, std::uint64_t value) {
    begin(name);
    append_number(line_, value);
  }
  void microseconds(std::string_view name, std::chrono::microseconds value) {
    number(name, static_cast<std::uint64_t>(value.count()));
  }
  void end() { line_ += '}'; }

  // `name` has no character that JSON escapes.
  void begin(std::string_view name) {
    if (line_.back() != '{') line_ += ',';
    line_ += '"';
    line_ += name;
    line_ += "\":";
  }

 private:
  std::string& line_;
};

std::string_view slug_of(const http_edge::logged_request& what) {
  return what.problem ? codec::row_of(*what.problem).slug : std::string_view();
}

}  // namespace

bool is_logged(const http_edge::logged_request& what, request_log_level level) noexcept {
  switch (level) {
    case request_log_level::off: return false;
    case request_log_level::errors: return is_refused(what) || what.cut || (what.lines && what.lines->refused > 0);
    case request_log_level::all: return true;
  }
  return false;
}

std::string request_line(const http_edge::logged_request& what, timestamp now) {
  std::string line;
  line.reserve(512);
  members to(line);
  to.begin("time");
  line += '"' + to_rfc3339(now) + '"';
  to.text("level", is_refused(what) ? "warning" : "info", name_bytes_max);
  to.text("message", "request", name_bytes_max);
  to.text("request_id", what.context.request_id, http_edge::request_id_bytes_max);
  if (what.context.parent) to.text("trace_id", to_hex(what.context.parent->trace_id), name_bytes_max);
  to.text("route", path_template(what.to), name_bytes_max);
  to.text("method", what.method, method_bytes_max);
  to.begin("status");
  what.status ? append_number(line, *what.status) : static_cast<void>(line += "null");
  to.optional_text("problem", slug_of(what), name_bytes_max);
  to.optional_text("detail", what.detail, detail_bytes_max);
  to.optional_text("tenant", what.origin.tenant, name_bytes_max);
  to.optional_text("actor", what.origin.actor, name_bytes_max);
  to.text("address", what.address, name_bytes_max);
  if (what.lines) {
    to.number("lines", what.lines->all);
    to.number("lines_refused", what.lines->refused);
  }
  if (what.cut) {
    to.begin("cut");
    line += "true";
  }
  to.number("bytes_in", what.bytes_in);
  to.number("bytes_out", what.bytes_out);
  to.microseconds("total_us", what.total);
  to.microseconds("receive_us", what.receive);
  to.microseconds("engine_us", what.engine);
  to.microseconds("send_us", what.send);
  to.end();
  return line;
}

request_log::request_log(request_log_level level, logger& log) : level_(level), log_(log) {
  if (level != request_log_level::off) lines_ = std::make_unique<line_writer>(STDOUT_FILENO);
}

void request_log::add(const http_edge::logged_request& what) noexcept {
  if (lines_ != nullptr && is_logged(what, level_)) lines_->add(request_line(what, system_time()));
  if (!log_.logs_debug() || !is_refused(what)) return;
  log_.debug("request refused", {{"request_id", what.context.request_id},
                                 {"route", std::string(path_template(what.to))},
                                 {"method", std::string(what.method)},
                                 {"status", std::int64_t{what.status.value_or(0)}},
                                 {"problem", std::string(slug_of(what))},
                                 {"reason", std::string(what.detail)},
                                 {"address", std::string(what.address)}});
}

}  // namespace ordem::app
