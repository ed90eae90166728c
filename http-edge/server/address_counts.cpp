#include "http-edge/server/address_counts.hpp"

#include <boost/asio/ip/address_v4.hpp>
#include <boost/asio/ip/address_v6.hpp>

namespace ordem::http_edge {

client_network network_of(const boost::asio::ip::address& address) {
  namespace ip = boost::asio::ip;
  if (address.is_v4()) return {false, address.to_v4().to_uint()};
  const ip::address_v6 v6 = address.to_v6();
  if (v6.is_v4_mapped()) return {false, make_address_v4(ip::v4_mapped, v6).to_uint()};
  constexpr std::size_t network_bytes = 8;
  const auto bytes = v6.to_bytes();
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < network_bytes; ++i) bits = bits << 8U | bytes[i];
  return {true, bits};
}

}  // namespace ordem::http_edge
