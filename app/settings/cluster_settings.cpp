#include "app/settings/cluster_settings.hpp"

#include <unistd.h>

#include <array>
#include <charconv>
#include <cstdint>
#include <string_view>
#include <utility>

#include "cluster/nats/cluster_names.hpp"

namespace ordem::app {
namespace {

// Returns an empty text if the machine has no name.
std::string machine_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return {};
  return name.data();
}

// HOST:PORT, [IPv6]:PORT. Whether there is such a host is not looked up.
bool is_host_and_port(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return false;
  const std::string_view host = text.substr(0, colon);
  const std::string_view port = text.substr(colon + 1);
  std::uint16_t number = 0;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
  if (error != std::errc{} || end != port.data() + port.size() || number == 0) return false;
  if (host.find_first_of(" /@?#") != std::string_view::npos) return false;
  const bool in_brackets = host.starts_with('[') && host.ends_with(']');
  return in_brackets || host.find(':') == std::string_view::npos;
}

}  // namespace

bool is_given(const cluster_settings& values) noexcept {
  const cluster::nats_settings& nats = values.nats;
  for (const std::string* each : {&values.name, &values.nats_urls, &nats.credentials_file, &nats.ca_file,
                                  &nats.certificate_file, &nats.key_file}) {
    if (!each->empty()) return true;
  }
  return false;
}

std::optional<std::string> complete(cluster_settings& values) {
  if (values.name.empty()) return "no cluster is given: set --cluster or ORDEM_CLUSTER";
  if (const auto error = cluster::cluster_name_error(values.name)) return "--cluster " + *error;
  if (values.nats_urls.empty()) return "no servers of NATS are given: set --nats or ORDEM_NATS";
  auto parsed = cluster::parse_nats_urls(values.nats_urls);
  if (!parsed) return "--nats: a URL " + parsed.error();
  parsed->credentials_file = std::move(values.nats.credentials_file);
  parsed->ca_file = std::move(values.nats.ca_file);
  parsed->certificate_file = std::move(values.nats.certificate_file);
  parsed->key_file = std::move(values.nats.key_file);
  values.nats = std::move(*parsed);
  return cluster::check_nats_settings(values.nats);
}

std::optional<std::string> complete(cluster_node_settings& values) {
  const bool is_of_machine = values.name.empty();
  if (is_of_machine) values.name = machine_name();
  if (const auto error = cluster::node_name_error(values.name)) {
    if (is_of_machine) return "this machine's name cannot be that of a node, which " + *error + ": give --node";
    return "--node " + *error;
  }
  if (!values.address.empty() && !is_host_and_port(values.address)) return "--node-address must be HOST:PORT";
  return std::nullopt;
}

}  // namespace ordem::app
