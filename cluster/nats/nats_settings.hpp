// How the servers of NATS are reached. Parsed once; values, any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

namespace ordem::cluster {

inline constexpr std::size_t nats_servers_max = 16;

struct nats_settings {
  // nats://host:port or tls://host:port, 1 to nats_servers_max of them, without user and password.
  std::vector<std::string> urls;
  // The same at all servers, or empty. Secret, but for the user.
  std::string user;
  std::string password;
  std::string token;
  // Files, or empty. The credentials file has a JWT and a seed, as `nsc` writes it.
  std::string credentials_file;
  std::string ca_file;  // the authorities of the servers' certificates, as PEM; empty: the system's
  std::string certificate_file;
  std::string key_file;

  // Whether connections are encrypted: the URLs say tls://, or a file of TLS is given.
  bool uses_tls() const noexcept;
};

// Parses "nats://user:password@host:4222,nats://user:password@host2": URLs with commas between them, each with the same
// scheme and user. A URL without a port gets 4222; a user without a password is a token. Escapes such as %40 in user
// and password are decoded. The error is the end of a sentence ("the URL ... "), and never quotes the URL.
tl::expected<nats_settings, std::string> parse_nats_urls(std::string_view list);

// Returns the URLs as they may be shown: without user, password and token, of which there is "***@" if one is given;
// "***" alone if parse_nats_urls() refuses the list; an empty text for an empty one.
std::string masked_nats_urls(std::string_view list);

// Returns the error if the members contradict each other, as a sentence that names the options, else nullopt. Reads no
// file.
std::optional<std::string> check_nats_settings(const nats_settings& settings);

}  // namespace ordem::cluster
