#include "http-edge/server/request_span.hpp"

#include <boost/beast/http/field.hpp>
#include <boost/beast/http/verb.hpp>
#include <charconv>
#include <cstdint>
#include <utility>
#include <variant>

#include "auth/encoding/sha256.hpp"

namespace ordem::http_edge {
namespace {

namespace http = boost::beast::http;

constexpr std::size_t hash_digits = 16;
constexpr unsigned server_error = 500;

// Adds server.address and server.port, as the client names them. find_fault() has checked the header.
void add_server(std::vector<span_attribute>& to, std::string_view host) {
  if (host.empty()) return;
  const auto bracket = host.rfind(']');
  const auto colon = host.find(':', bracket == host.npos ? 0 : bracket);
  to.push_back({"server.address", std::string(host.substr(0, colon))});
  if (colon == host.npos) return;
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(host.data() + colon + 1, host.data() + host.size(), port);
  if (error == std::errc() && end == host.data() + host.size()) to.push_back({"server.port", std::int64_t{port}});
}

}  // namespace

void request_span::note_key(const engine_request& submitted) {
  const auto* what = std::get_if<message>(&submitted);
  const auto key = what != nullptr ? what->guid.view() : std::get<capture_request>(submitted).key.view();
  key_hash_ = to_hex(auth::sha256().of(key)).substr(0, hash_digits);
}

span_record request_span::end(const traced_response& what) {
  const bool is_known = what.header.method() != http::verb::unknown;
  const std::string method = is_known ? std::string(what.header.method_string()) : "_OTHER";
  span_record span;
  span.context = trace_->request;
  span.parent = trace_->parent;
  span.trace_state = trace_->trace_state;
  span.name = is_known ? method : "HTTP";
  span.kind = span_kind::server;
  span.start = start_;
  span.end = clock::now();
  span.failed = what.status >= server_error;
  auto& attributes = span.attributes;
  attributes.reserve(10);
  attributes.push_back({"http.request.method", method});
  if (what.to != resource::unknown) {
    span.name += ' ';
    span.name += path_template(what.to);
    attributes.push_back({"http.route", std::string(path_template(what.to))});
  }
  attributes.push_back({"http.response.status_code", std::int64_t{what.status}});
  attributes.push_back({"url.scheme", what.by_tls ? "https" : "http"});
  attributes.push_back({"network.protocol.version", what.header.version() < 11 ? "1.0" : "1.1"});
  add_server(attributes, what.header[http::field::host]);
  if (span.failed) attributes.push_back({"error.type", std::to_string(what.status)});
  attributes.push_back({"ordem.request_id", std::string(what.request_id)});
  if (!key_hash_.empty()) attributes.push_back({"ordem.key_hash", std::move(key_hash_)});
  return span;
}

}  // namespace ordem::http_edge
