#include "http-edge/protocol/response.hpp"

#include <array>
#include <boost/beast/http/status.hpp>
#include <charconv>
#include <chrono>
#include <ctime>
#include <utility>

#include "engine/base/check.hpp"
#include "engine/base/text.hpp"

namespace ordem::http_edge {
namespace {

// Returns the date as IMF-fixdate (RFC 9110, section 5.6.7), formatted once per second and thread.
std::string_view current_date() {
  thread_local std::time_t made_at = 0;
  thread_local std::array<char, 32> text;
  thread_local std::size_t length = 0;
  const std::time_t now = std::time(nullptr);
  if (now != made_at) {
    std::tm parts{};
    gmtime_r(&now, &parts);
    length = std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
    made_at = now;
  }
  return {text.data(), length};
}

void append_request_id(std::string& out, std::string_view id) {
  if (id.empty()) return;
  out += "X-Request-Id: ";
  out += id;
  out += "\r\n";
}

}  // namespace

void response::add_header(std::string_view name, std::string_view value) {
  headers += name;
  headers += ": ";
  headers += value;
  headers += "\r\n";
}

bool append_response(std::string& out, const response& what, wire_options options) {
  const bool stays = options.keep_alive && !what.close;
  const auto reason = boost::beast::http::obsolete_reason(static_cast<boost::beast::http::status>(what.status));
  out += "HTTP/1.1 ";
  append_number(out, what.status);
  out += ' ';
  out.append(reason.data(), reason.size());
  out += "\r\nDate: ";
  out += current_date();
  if (what.status != 304 && what.status != 204) {  // RFC 9110, section 8.6
    out += "\r\nContent-Length: ";
    append_number(out, what.body.size());
  }
  if (!what.body.empty()) {
    out += "\r\nContent-Type: ";
    out += what.content_type;
  }
  out += "\r\nX-Content-Type-Options: nosniff\r\n";
  append_request_id(out, options.request_id);
  out += what.headers;
  if (!stays) {
    out += "Connection: close\r\n";
  } else if (options.http_1_0) {
    out += "Connection: keep-alive\r\n";
  }
  out += "\r\n";
  if (!options.head) out += what.body;
  return stays;
}

bool append_chunked_head(std::string& out, std::string_view content_type, bool keep_alive, std::string_view request_id,
                         std::string_view headers) {
  out += "HTTP/1.1 200 OK\r\nDate: ";
  out += current_date();
  out += "\r\nContent-Type: ";
  out += content_type;
  out += "\r\nX-Content-Type-Options: nosniff\r\nTransfer-Encoding: chunked\r\n";
  append_request_id(out, request_id);
  out += headers;
  if (!keep_alive) out += "Connection: close\r\n";
  out += "\r\n";
  return keep_alive;
}

void append_chunk_size(std::string& out, std::size_t bytes) {
  std::array<char, 16> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), bytes, 16).ptr;
  out.append(digits.data(), end);
  out += "\r\n";
}

response json_response(unsigned status, std::string body) {
  response made;
  made.status = status;
  made.body = std::move(body);
  return made;
}

response problem_response(problem which, unsigned status, std::string_view detail, std::string_view more) {
  response made;
  made.status = status;
  made.content_type = problem_media_type;
  made.body = codec::problem_body(codec::row_of(which), status, detail, more);
  made.problem = which;
  made.detail = detail;
  if (status == 503 || status == 429 || which == problem::request_in_flight) {
    made.add_header("Retry-After", retry_after_seconds);
  }
  return made;
}

response problem_response(problem which, std::string_view detail, std::string_view more) {
  return problem_response(which, codec::row_of(which).status, detail, more);
}

tl::unexpected<response> refuse(problem which, std::string_view detail, std::string_view more) {
  return tl::make_unexpected(problem_response(which, detail, more));
}
tl::unexpected<response> refuse_query(std::string_view detail) {
  return refuse(problem::malformed_query, detail);
}

void add_position(response& to, std::optional<position> visible) {
  if (visible) to.add_header("Ordem-Position", std::to_string(visible->number));
}

refusal_reason reason_of(unavailability why) {
  switch (why) {
    case unavailability::overloaded:
      return {problem::overloaded, "too many requests are being executed; nothing was done"};
    case unavailability::read_only: return {problem::read_only, "no writes are taken at present; reads go on"};
    case unavailability::draining: return {problem::draining, "the server is shutting down; nothing was done"};
    case unavailability::storage_failed:
      return {problem::storage_failed, "the data could not be read; nothing was done"};
    case unavailability::backlog_full:
      return {problem::persistence_behind,
              "Postgres is too far behind: the log has reached --persist-backlog-max; reads go on; writes are "
              "taken again once Postgres has caught up"};
    case unavailability::no_owner: return {problem::no_owner, no_owner_detail};
  }
  ORDEM_CHECK(false && "an unavailability outside its enumeration");
  return {};
}

}  // namespace ordem::http_edge
