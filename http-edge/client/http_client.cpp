#include "http-edge/client/http_client.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/lexical_cast.hpp>

#include "http-edge/client/exchange.hpp"

namespace ordem::http_edge {

namespace asio = boost::asio;
namespace http = boost::beast::http;

tl::expected<http_answer, std::string> http_get(scheme by, const std::string& address, std::uint16_t port,
                                                const std::string& target, std::chrono::milliseconds timeout) {
  const std::string server = address + ":" + std::to_string(port);
  boost::system::error_code error;
  const asio::ip::tcp::endpoint endpoint(asio::ip::make_address(address, error), port);
  if (error) return tl::make_unexpected("no answer from " + server + ": " + error.message());

  client_request request(http::verb::get, target, http_1_1);
  request.set(http::field::host, boost::lexical_cast<std::string>(endpoint));  // with the brackets of IPv6
  request.keep_alive(false);
  auto answer = exchange(
      {.host = address, .port = std::to_string(port), .uses_tls = by == scheme::https, .verifies_certificate = false},
      request, {.timeout = timeout}, {});
  if (!answer) return tl::make_unexpected("no answer from " + server + ": " + answer.error());
  return answer;
}

}  // namespace ordem::http_edge
