#include "cluster/nats/nats_settings.hpp"

#include <algorithm>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>
#include <cctype>

namespace ordem::cluster {
namespace {

constexpr std::string_view port_default = "4222";

struct server {
  std::string scheme;
  std::string address;  // host:port
  std::string user;
  std::string password;
  std::string token;

  bool has_secret() const { return !user.empty() || !token.empty(); }
};

std::string_view trimmed(std::string_view text) {
  const auto is_space = [](char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; };
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

bool is_control(char c) {
  return std::iscntrl(static_cast<unsigned char>(c)) != 0;
}

tl::expected<server, std::string> parse_server(std::string_view text) {
  constexpr const char* form =
      "is not a URL of NATS such as nats://host:4222 or tls://user:password@host:4222 (in a password, write all but "
      "letters and digits as escapes: %40 for @, %2C for a comma, and so on)";
  const auto parsed = boost::urls::parse_uri(text);
  if (!parsed || !parsed->has_authority() || parsed->host().empty()) return tl::make_unexpected(form);
  server out;
  out.scheme = parsed->scheme();
  if (out.scheme != "nats" && out.scheme != "tls") return tl::make_unexpected("must begin with nats:// or tls://");
  const bool has_path = !parsed->encoded_path().empty() && parsed->encoded_path() != "/";
  if (has_path || parsed->has_query() || parsed->has_fragment()) {
    return tl::make_unexpected("must end with the host or the port: NATS knows no path and no query");
  }
  // An empty port is a number of its own for Boost; 0 is one that does not fit, too.
  if (parsed->has_port() && !parsed->port().empty() && parsed->port_number() == 0) {
    return tl::make_unexpected("must have a port from 1 to 65535");
  }
  out.address = std::string(parsed->encoded_host());
  out.address += ':';
  out.address += parsed->port().empty() ? port_default : std::string_view(parsed->port());
  (parsed->has_password() ? out.user : out.token) = parsed->user();
  out.password = parsed->password();
  if (parsed->has_password() && out.user.empty()) return tl::make_unexpected("must have a user before its password");
  const std::string secrets = out.user + out.password + out.token;
  if (std::any_of(secrets.begin(), secrets.end(), is_control)) {
    return tl::make_unexpected("has a line break or another control character in its user or password");
  }
  return out;
}

tl::expected<std::vector<server>, std::string> parse_servers(std::string_view list) {
  std::vector<server> servers;
  for (;;) {
    const auto comma = std::min(list.find(','), list.size());
    const auto parsed = parse_server(trimmed(list.substr(0, comma)));
    if (!parsed) return tl::make_unexpected(parsed.error());
    servers.push_back(*parsed);
    if (comma == list.size()) break;
    list.remove_prefix(comma + 1);
  }
  if (servers.size() > nats_servers_max) return tl::make_unexpected("is one of more than 16");
  const server& first = servers.front();
  for (const server& each : servers) {
    if (each.scheme != first.scheme) return tl::make_unexpected("must have the same scheme as the others");
    if (each.user != first.user || each.password != first.password || each.token != first.token) {
      return tl::make_unexpected("must have the same user and password as the others");
    }
  }
  return servers;
}

}  // namespace

bool nats_settings::uses_tls() const noexcept {
  const bool says_so = std::any_of(urls.begin(), urls.end(), [](const auto& url) { return url.starts_with("tls://"); });
  return says_so || !ca_file.empty() || !certificate_file.empty();
}

tl::expected<nats_settings, std::string> parse_nats_urls(std::string_view list) {
  auto servers = parse_servers(list);
  if (!servers) return tl::make_unexpected(std::move(servers.error()));
  nats_settings out;
  for (const server& each : *servers) out.urls.push_back(each.scheme + "://" + each.address);
  out.user = servers->front().user;
  out.password = servers->front().password;
  out.token = servers->front().token;
  return out;
}

std::string masked_nats_urls(std::string_view list) {
  if (trimmed(list).empty()) return {};
  const auto servers = parse_servers(list);
  if (!servers) return "***";
  std::string out;
  for (const server& each : *servers) {
    if (!out.empty()) out += ',';
    out += each.scheme + "://" + (each.has_secret() ? "***@" : "") + each.address;
  }
  return out;
}

std::optional<std::string> check_nats_settings(const nats_settings& settings) {
  if (settings.certificate_file.empty() != settings.key_file.empty()) {
    return "--nats-certificate and --nats-key need each other";
  }
  if (!settings.credentials_file.empty() && (!settings.user.empty() || !settings.token.empty())) {
    return "--nats has a user or a token, and --nats-credentials is given: only one of them can be used";
  }
  return std::nullopt;
}

}  // namespace ordem::cluster
