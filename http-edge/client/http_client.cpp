#include "http-edge/client/http_client.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/lexical_cast.hpp>
#include <utility>

namespace ordem::http_edge {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;

constexpr unsigned http_1_1 = 11;
// The responses that this program requests are short. A longer one comes from some other server.
constexpr std::size_t body_bytes_max = std::size_t{64} << 10;

template <class Stream>
asio::awaitable<http_answer> exchange(Stream& through, tcp::endpoint server, std::string target) {
  http::request<http::empty_body> request(http::verb::get, target, http_1_1);
  request.set(http::field::host, boost::lexical_cast<std::string>(server));  // with the brackets of IPv6
  request.keep_alive(false);
  co_await http::async_write(through, request, asio::use_awaitable);

  beast::flat_buffer buffer;
  http::response_parser<http::string_body> parser;
  parser.body_limit(body_bytes_max);
  co_await http::async_read(through, buffer, parser, asio::use_awaitable);
  co_return http_answer{parser.get().result_int(), std::move(parser.get().body()), {}};
}

asio::awaitable<http_answer> ask(scheme by, tcp::endpoint server, std::string target,
                                 std::chrono::milliseconds timeout) {
  beast::tcp_stream stream(co_await asio::this_coro::executor);
  stream.expires_after(timeout);
  co_await stream.async_connect(server, asio::use_awaitable);
  if (by == scheme::http) co_return co_await exchange(stream, server, std::move(target));

  asio::ssl::context settings(asio::ssl::context::tls_client);
  asio::ssl::stream<beast::tcp_stream&> encrypted(stream, settings);
  co_await encrypted.async_handshake(asio::ssl::stream_base::client, asio::use_awaitable);
  co_return co_await exchange(encrypted, server, std::move(target));
}

}  // namespace

tl::expected<http_answer, std::string> http_get(scheme by, const std::string& address, std::uint16_t port,
                                                const std::string& target, std::chrono::milliseconds timeout) {
  try {
    asio::io_context context;
    const tcp::endpoint server(asio::ip::make_address(address), port);
    auto answer = asio::co_spawn(context, ask(by, server, target, timeout), asio::use_future);
    context.run();
    return answer.get();
  } catch (const boost::system::system_error& error) {
    return tl::make_unexpected("no answer from " + address + ":" + std::to_string(port) + ": " +
                               error.code().message());
  }
}

}  // namespace ordem::http_edge
