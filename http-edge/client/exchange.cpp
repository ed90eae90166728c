#include "http-edge/client/exchange.hpp"

#include <openssl/ssl.h>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/write.hpp>
#include <exception>
#include <optional>
#include <sstream>
#include <utility>

namespace ordem::http_edge {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace ssl = asio::ssl;
using asio::ip::tcp;

constexpr std::uint32_t header_bytes_max = std::uint32_t{16} << 10;
constexpr std::size_t read_bytes = std::size_t{16} << 10;

bool is_address(const std::string& host) {
  boost::system::error_code error;
  asio::ip::make_address(host, error);
  return !error;
}

// Plain writes and reads, because the composed operations of Beast on two kinds of streams take half a minute to
// compile.
template <class Stream>
asio::awaitable<http_answer> exchange_on(Stream& stream, const std::string& request, std::size_t body_bytes_max) {
  co_await asio::async_write(stream, asio::buffer(request), asio::use_awaitable);

  beast::flat_buffer buffer;
  http::response_parser<http::string_body> parser;
  parser.header_limit(header_bytes_max);
  parser.body_limit(body_bytes_max);
  parser.eager(true);
  while (!parser.is_done()) {
    boost::system::error_code error;
    const std::size_t read =
        co_await stream.async_read_some(buffer.prepare(read_bytes), asio::redirect_error(asio::use_awaitable, error));
    if (error == asio::error::eof) {
      // The end of a response without a length; of any other one an error.
      error = parser.got_some() ? boost::system::error_code() : http::make_error_code(http::error::end_of_stream);
      if (!error) parser.put_eof(error);
    } else if (!error) {
      buffer.commit(read);
      buffer.consume(parser.put(buffer.data(), error));
      if (error == http::error::need_more) error = {};
    }
    if (error) throw boost::system::system_error(error);
  }
  // Without a shutdown of TLS, for which many servers do not wait: the parser has seen the end of the message.
  auto& response = parser.get();
  co_return http_answer{response.result_int(), std::move(response.body()),
                        std::string(response[http::field::retry_after])};
}

asio::awaitable<http_answer> connect_and_exchange(const server_target& to, ssl::context& tls,
                                                  const std::string& request, const exchange_limits& limits) {
  const auto executor = co_await asio::this_coro::executor;
  tcp::resolver resolver(executor);
  const auto found = co_await resolver.async_resolve(to.host, to.port, asio::use_awaitable);
  beast::tcp_stream plain(executor);
  plain.expires_after(limits.timeout);
  co_await plain.async_connect(found, asio::use_awaitable);
  if (!to.uses_tls) co_return co_await exchange_on(plain, request, limits.body_bytes_max);

  ssl::stream<beast::tcp_stream&> encrypted(plain, tls);
  if (to.verifies_certificate) {
    encrypted.set_verify_mode(ssl::verify_peer);
    encrypted.set_verify_callback(ssl::host_name_verification(to.host));
  }
  // The name for a server with several certificates (RFC 6066, section 3); not for an address.
  if (!is_address(to.host)) SSL_set_tlsext_host_name(encrypted.native_handle(), to.host.c_str());
  co_await encrypted.async_handshake(ssl::stream_base::client, asio::use_awaitable);
  co_return co_await exchange_on(encrypted, request, limits.body_bytes_max);
}

ssl::context make_tls(const server_target& to) {
  ssl::context tls(ssl::context::tls_client);
  tls.set_options(ssl::context::no_tlsv1 | ssl::context::no_tlsv1_1);
  if (!to.verifies_certificate) return tls;
  if (to.ca_file.empty()) {
    tls.set_default_verify_paths();
  } else {
    tls.load_verify_file(to.ca_file);
  }
  return tls;
}

}  // namespace

tl::expected<http_answer, std::string> exchange(const server_target& to, const client_request& request,
                                                const exchange_limits& limits, const std::stop_token& stop) {
  std::ostringstream text;
  text << request;
  const std::string bytes = std::move(text).str();
  std::optional<http_answer> answer;
  std::exception_ptr failure;
  try {
    ssl::context tls = make_tls(to);
    asio::io_context context;
    asio::co_spawn(context, connect_and_exchange(to, tls, bytes, limits),
                   [&](std::exception_ptr error, http_answer got) {
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

}  // namespace ordem::http_edge
