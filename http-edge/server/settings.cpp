#include "http-edge/server/settings.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/system/error_code.hpp>

namespace ordem::http_edge {

std::vector<endpoint_settings> endpoints_of(const server_settings& settings) {
  std::vector<endpoint_settings> found = {{listener_kind::main, settings.address, settings.port}};
  if (settings.operations_port)
    found.push_back({listener_kind::operations, settings.operations_address, *settings.operations_port});
  if (settings.captures_port)
    found.push_back({listener_kind::captures, settings.captures_address, *settings.captures_port});
  return found;
}

bool uses_tls(const server_settings& settings, const endpoint_settings& at) {
  if (!settings.tls.enabled()) return false;
  boost::system::error_code ec;
  const auto address = boost::asio::ip::make_address(at.address, ec);
  return at.kind != listener_kind::operations || ec || !address.is_loopback();
}

}  // namespace ordem::http_edge
