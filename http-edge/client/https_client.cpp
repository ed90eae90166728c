#include "http-edge/client/https_client.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/url/parse.hpp>
#include <optional>
#include <utility>

#include "http-edge/client/exchange.hpp"

namespace ordem::http_edge {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;

struct url_target {
  bool is_https = false;
  std::string host;  // a name, or an address without the brackets of IPv6
  std::string port;
  std::string authority;  // for the header Host
  std::string path;       // with the query
};

std::optional<url_target> parse(const std::string& url) {
  const auto parsed = boost::urls::parse_uri(url);
  if (!parsed || parsed->host().empty() || parsed->has_userinfo()) return std::nullopt;
  url_target target;
  target.is_https = parsed->scheme() == "https";
  if (!target.is_https && parsed->scheme() != "http") return std::nullopt;
  target.host = parsed->host_address();
  const std::string standard_port = target.is_https ? "443" : "80";
  target.port = parsed->has_port() && !parsed->port().empty() ? std::string(parsed->port()) : standard_port;
  target.authority = std::string(parsed->encoded_host_and_port());
  const std::string path(parsed->encoded_path());
  target.path = path.empty() ? "/" : path;
  if (parsed->has_query()) target.path += "?" + std::string(parsed->encoded_query());
  return target;
}

client_request request_of(const url_target& target, const url_request& what) {
  client_request request(what.posts ? http::verb::post : http::verb::get, target.path, http_1_1);
  request.set(http::field::host, target.authority);
  request.set(http::field::accept, "application/json");
  request.set(http::field::user_agent, "ordem");
  if (!what.bearer.empty()) request.set(http::field::authorization, "Bearer " + what.bearer);
  request.keep_alive(false);
  for (const auto& [name, value] : what.headers) request.set(name, value);
  if (what.posts) {
    request.set(http::field::content_type, what.content_type);
    request.body() = what.body;
    request.prepare_payload();
  }
  return request;
}

}  // namespace

tl::expected<http_answer, std::string> https_get(const std::string& url, std::size_t body_bytes_max,
                                                 std::chrono::milliseconds timeout, const std::stop_token& stop) {
  if (!url.starts_with("https:")) return tl::make_unexpected(std::string("it is not an https URL"));
  url_request what;
  what.url = url;
  what.body_bytes_max = body_bytes_max;
  what.timeout = timeout;
  return send(what, stop);
}

tl::expected<http_answer, std::string> send(const url_request& what, const std::stop_token& stop) {
  const auto target = parse(what.url);
  if (!target) return tl::make_unexpected(std::string("it is not an http or https URL"));
  return exchange({.host = target->host, .port = target->port, .uses_tls = target->is_https, .ca_file = what.ca_file},
                  request_of(*target, what), {.body_bytes_max = what.body_bytes_max, .timeout = what.timeout}, stop);
}

bool keeps_secrets(const std::string& url) {
  const auto target = parse(url);
  if (!target || target->is_https) return target.has_value();
  if (target->host == "localhost") return true;
  boost::system::error_code error;
  const auto address = asio::ip::make_address(target->host, error);
  return !error && address.is_loopback();
}

}  // namespace ordem::http_edge
