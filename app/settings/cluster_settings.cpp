#include "app/settings/cluster_settings.hpp"

#include <utility>

#include "cluster/nats/cluster_names.hpp"

namespace ordem::app {

std::vector<setting> cluster_settings_table(cluster_settings& values) {
  cluster::nats_settings& nats = values.nats;
  return {
      {"cluster", text_option(values.name, "NAME"), "The cluster's name: 1 to 32 of a to z, 0 to 9 and -"},
      {"nats", nats_urls_option(values.nats_urls),
       "The servers of NATS: nats://user:password@host:4222 or tls://..., with commas between them"},
      {"nats-credentials", file_option(nats.credentials_file),
       "The credentials for NATS, a JWT with its seed; by default those of the URLs"},
      {"nats-ca", file_option(nats.ca_file),
       "The authorities, as PEM, of the certificates of the servers of NATS; by default the system's"},
      {"nats-certificate", file_option(nats.certificate_file),
       "The certificate for NATS and the ones above it, as PEM; by default none is shown"},
      {"nats-key", file_option(nats.key_file), "The key of that certificate, as PEM without a pass phrase"},
  };
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

}  // namespace ordem::app
