// What the TLS connections of a server have in common: its certificate and key, the authorities whose client
// certificates it accepts, and the keys of session tickets, which are made with the context. Immutable; thread-safe.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <tl/expected.hpp>

#include "http-edge/server/settings.hpp"

using SSL = struct ssl_st;          // as in <openssl/types.h>, which stays in .cpp files
using SSL_CTX = struct ssl_ctx_st;  // the same

namespace ordem::http_edge {

struct free_ssl {
  void operator()(SSL* what) const noexcept;
  void operator()(SSL_CTX* what) const noexcept;
};
using ssl_pointer = std::unique_ptr<SSL, free_ssl>;

class tls_context {
 public:
  // Reads the files. TLS 1.2 and 1.3, ciphers with forward secrecy and authenticated encryption, ALPN http/1.1, no
  // compression, no renegotiation. A client certificate is asked for if there is an authority; a client may send none.
  // Returns a message that names the file if one cannot be used. REQUIRES: files.enabled().
  static tl::expected<std::shared_ptr<const tls_context>, std::string> for_server(const tls_settings& files);

  // For a client that trusts the authorities in this file (PEM), and asks for ALPN http/1.1. It does not compare the
  // server's name with the certificate's.
  static tl::expected<std::shared_ptr<const tls_context>, std::string> for_client(const std::string& authorities_file);

  // Returns the state of a new connection. It has no BIO yet.
  ssl_pointer new_connection() const;

  // The end of the validity of the server's certificate; the epoch for a client.
  std::chrono::system_clock::time_point certificate_ends_at() const noexcept { return certificate_ends_at_; }

 private:
  using context_pointer = std::unique_ptr<SSL_CTX, free_ssl>;
  tls_context(context_pointer&& made, bool is_client);

  context_pointer context_;
  bool is_client_;
  std::chrono::system_clock::time_point certificate_ends_at_;
};

using shared_tls_context = std::shared_ptr<const tls_context>;

}  // namespace ordem::http_edge
