#include "http-edge/server/address_counts.hpp"

#include <boost/asio/ip/address.hpp>
#include <catch2/catch.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace ordem::http_edge {
namespace {

using boost::asio::ip::make_address;

client_network network(const std::string& address) {
  return network_of(make_address(address));
}

TEST_CASE("which addresses count as one client") {
  const auto [one, other, same] = GENERATE(table<std::string, std::string, bool>({
      {"192.0.2.1", "192.0.2.1", true},
      {"192.0.2.1", "192.0.2.2", false},
      {"192.0.2.1", "::ffff:192.0.2.1", true},
      {"2001:db8:0:1::1", "2001:db8:0:1:ffff::2", true},
      {"2001:db8:0:1::1", "2001:db8:0:2::1", false},
      {"0.0.0.1", "::1", false},
      {"0.0.0.0", "::", false},
      {"::1", "::2", true},
  }));
  CAPTURE(one, other);
  CHECK((network(one) == network(other)) == same);
}

TEST_CASE("an address has as many permits as it may, and each can be used again") {
  address_counts counts;
  const client_network from = network("192.0.2.1");
  std::vector<address_permit> held;
  for (int i = 0; i < 3; ++i) held.push_back(address_permit::take(counts, from, 3).value());
  CHECK_FALSE(address_permit::take(counts, from, 3));
  CHECK(address_permit::take(counts, network("192.0.2.2"), 3));
  held.pop_back();
  CHECK(address_permit::take(counts, from, 3));
  CHECK(counts.size() == 1);
}

TEST_CASE("an address without connections takes no memory") {
  address_counts counts;
  {
    std::optional<address_permit> permit = address_permit::take(counts, network("192.0.2.1"), 1);
    const address_permit moved = std::move(*permit);
    permit.reset();
    CHECK(counts.size() == 1);
    CHECK_FALSE(address_permit::take(counts, network("192.0.2.1"), 1));
    CHECK(counts.size() == 1);
  }
  CHECK(counts.size() == 0);
  const address_permit empty;
  CHECK(counts.size() == 0);
}

}  // namespace
}  // namespace ordem::http_edge
