#include "http-edge/client/https_client.hpp"

#include <openssl/ssl.h>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <boost/url/parse.hpp>
#include <exception>
#include <optional>
#include <utility>

namespace ordem::http_edge {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace ssl = asio::ssl;
using asio::ip::tcp;

constexpr unsigned http_1_1 = 11;
constexpr std::uint32_t header_bytes_max = std::uint32_t{16} << 10;

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

bool is_address(const std::string& host) {
  boost::system::error_code error;
  asio::ip::make_address(host, error);
  return !error;
}

template <class Stream>
asio::awaitable<http_answer> exchange(Stream& through, const url_target& target, const url_request& what) {
  http::request<http::string_body> request(what.posts ? http::verb::post : http::verb::get, target.path, http_1_1);
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
  co_await http::async_write(through, request, asio::use_awaitable);

  beast::flat_buffer buffer;
  http::response_parser<http::string_body> parser;
  parser.header_limit(header_bytes_max);
  parser.body_limit(what.body_bytes_max);
  co_await http::async_read(through, buffer, parser, asio::use_awaitable);
  // Without a shutdown of TLS, for which many servers do not wait: the parser has seen the end of the message.
  auto& response = parser.get();
  co_return http_answer{response.result_int(), std::move(response.body()),
                        std::string(response[http::field::retry_after])};
}

asio::awaitable<http_answer> ask(url_target target, ssl::context& tls, const url_request& what) {
  const auto executor = co_await asio::this_coro::executor;
  tcp::resolver resolver(executor);
  const auto found = co_await resolver.async_resolve(target.host, target.port, asio::use_awaitable);

  if (!target.is_https) {
    beast::tcp_stream plain(executor);
    plain.expires_after(what.timeout);
    co_await plain.async_connect(found, asio::use_awaitable);
    co_return co_await exchange(plain, target, what);
  }
  beast::ssl_stream<beast::tcp_stream> stream(executor, tls);
  stream.set_verify_mode(ssl::verify_peer);
  stream.set_verify_callback(ssl::host_name_verification(target.host));
  // The name for a server with several certificates (RFC 6066, section 3); not for an address.
  if (!is_address(target.host)) SSL_set_tlsext_host_name(stream.native_handle(), target.host.c_str());
  beast::get_lowest_layer(stream).expires_after(what.timeout);
  co_await beast::get_lowest_layer(stream).async_connect(found, asio::use_awaitable);
  co_await stream.async_handshake(ssl::stream_base::client, asio::use_awaitable);
  co_return co_await exchange(stream, target, what);
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
  auto target = parse(what.url);
  if (!target) return tl::make_unexpected(std::string("it is not an http or https URL"));
  std::optional<http_answer> answer;
  std::exception_ptr failure;
  try {
    ssl::context tls(ssl::context::tls_client);
    tls.set_options(ssl::context::no_tlsv1 | ssl::context::no_tlsv1_1);
    if (what.ca_file.empty()) {
      tls.set_default_verify_paths();
    } else {
      tls.load_verify_file(what.ca_file);
    }
    asio::io_context context;
    asio::co_spawn(context, ask(std::move(*target), tls, what), [&](std::exception_ptr error, http_answer got) {
      if (error) {
        failure = std::move(error);
      } else {
        answer = std::move(got);
      }
    });
    const std::stop_callback on_stop(stop, [&context] { context.stop(); });
    context.run();
    if (failure) std::rethrow_exception(failure);
  } catch (const boost::system::system_error& error) {
    return tl::make_unexpected(error.code().message());
  }
  if (!answer) return tl::make_unexpected(std::string("it was cut off"));
  return std::move(*answer);
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
