#include "http-edge/console/console_handler.hpp"

#include <algorithm>
#include <boost/beast/http/field.hpp>
#include <string>

#include "http-edge/console/console_files.hpp"

namespace ordem::http_edge {
namespace {

namespace http = boost::beast::http;

// Scripts, styles and calls of this server only, and no text ever becomes markup.
constexpr std::string_view content_security_policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "form-action 'none'; frame-ancestors 'none'; base-uri 'none'; require-trusted-types-for 'script'; "
    "trusted-types 'none'";

const embedded::console_file* find_file(std::string_view name) {
  const auto found = std::find_if(embedded::console_files.begin(), embedded::console_files.end(),
                                  [name](const auto& each) { return each.name == name; });
  return found == embedded::console_files.end() ? nullptr : &*found;
}

bool has_tag(const http_request& request, std::string_view quoted) {
  const auto [first, last] = request.equal_range(http::field::if_none_match);
  return std::any_of(first, last, [&](const auto& line) {
    const std::string_view value = line.value();
    return value == "*" || value.find(quoted) != value.npos;
  });
}

// Returns whether the path, without the query, ends with a slash.
bool ends_with_slash(std::string_view target) {
  return target.substr(0, target.find('?')).ends_with('/');
}

}  // namespace

std::string_view console_media_type(std::string_view name) noexcept {
  if (name.ends_with(".html")) return "text/html; charset=utf-8";
  if (name.ends_with(".js")) return "text/javascript; charset=utf-8";
  if (name.ends_with(".css")) return "text/css; charset=utf-8";
  if (name.ends_with(".svg")) return "image/svg+xml";
  return "application/octet-stream";
}

response console_response(const http_request& request, const route& to) {
  if (to.resource == resource::console && !ends_with_slash(request.target())) {
    response moved;
    moved.status = 308;
    moved.add_header("Location", "console/");
    return moved;
  }
  const auto* file = find_file(to.resource == resource::console ? "index.html" : to.name);
  if (file == nullptr) return problem_response(problem::not_found, "the console has no such file");
  const std::string tag = '"' + std::string(file->tag) + '"';
  response made;
  // Checked again at each use, so that a new version of the server never runs with old scripts.
  made.add_header("Cache-Control", "no-cache");
  made.add_header("ETag", tag);
  made.add_header("Content-Security-Policy", content_security_policy);
  made.add_header("Referrer-Policy", "no-referrer");
  if (has_tag(request, tag)) {
    made.status = 304;
    return made;
  }
  made.content_type = console_media_type(file->name);
  made.body = file->content;
  return made;
}

}  // namespace ordem::http_edge
