#include "http-edge/server/tls_context.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <array>
#include <ctime>
#include <span>
#include <string_view>
#include <utility>

#include "engine/base/check.hpp"

namespace ordem::http_edge {
namespace {

// Ephemeral keys and authenticated encryption only. What is faster without hardware support comes first for a client
// that prefers it (SSL_OP_PRIORITIZE_CHACHA).
constexpr const char* tls_1_2_ciphers =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
constexpr const char* tls_1_3_ciphers = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
constexpr const char* key_groups = "X25519:P-256:P-384";

// How long a session can be resumed, and so how long a client certificate counts after its end.
constexpr long session_seconds = 3600;

// One protocol, with its length, as ALPN has it (RFC 7301).
constexpr std::array<unsigned char, 9> http_1_1 = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};

// Returns the reason of the failure that OpenSSL met first, and forgets all.
std::string take_reason() {
  const unsigned long code = ERR_peek_error();
  std::string reason = "unknown reason";
  if (ERR_SYSTEM_ERROR(code)) {
    reason = std::string(std::strerror(ERR_GET_REASON(code)));
  } else if (const char* text = ERR_reason_error_string(code)) {
    reason = text;
  }
  ERR_clear_error();
  return reason;
}

tl::unexpected<std::string> unusable(std::string_view what, const std::string& file) {
  return tl::make_unexpected("cannot use the " + std::string(what) + " '" + file + "': " + take_reason());
}

// Called only if the client sends the extension. The server's protocol is looked for in the client's list by length and
// text, entry by entry.
int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* length, const unsigned char* offered,
                    unsigned int offered_bytes, void*) {
  constexpr std::string_view wanted = "http/1.1";
  std::span<const unsigned char> rest(offered, offered_bytes);
  while (!rest.empty() && rest.size() > rest[0]) {
    const auto entry = rest.subspan(1, rest[0]);
    if (std::equal(entry.begin(), entry.end(), wanted.begin(), wanted.end())) {
      *chosen = entry.data();
      *length = static_cast<unsigned char>(entry.size());
      return SSL_TLSEXT_ERR_OK;
    }
    rest = rest.subspan(entry.size() + 1);
  }
  return SSL_TLSEXT_ERR_ALERT_FATAL;  // no_application_protocol
}

// A key with a pass phrase is an error: no one is there to type it.
int no_pass_phrase(char*, int, int, void*) {
  return 0;
}

SSL_CTX* new_context(const SSL_METHOD* method) {
  SSL_CTX* const made = SSL_CTX_new(method);
  ORDEM_CHECK(made != nullptr);
  ORDEM_CHECK(SSL_CTX_set_min_proto_version(made, TLS1_2_VERSION) == 1);
  ORDEM_CHECK(SSL_CTX_set_max_proto_version(made, TLS1_3_VERSION) == 1);
  ORDEM_CHECK(SSL_CTX_set_cipher_list(made, tls_1_2_ciphers) == 1);
  ORDEM_CHECK(SSL_CTX_set_ciphersuites(made, tls_1_3_ciphers) == 1);
  ORDEM_CHECK(SSL_CTX_set1_groups_list(made, key_groups) == 1);
  SSL_CTX_set_options(made, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
  // An idle connection keeps no buffers. A write that the kernel takes in part goes on from wherever the rest is.
  SSL_CTX_set_mode(made,
                   SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_read_ahead(made, 1);  // one read for the header of a record and its content
  return made;
}

std::chrono::system_clock::time_point end_of_validity(const SSL_CTX* context) {
  std::tm ends{};
  const X509* const certificate = SSL_CTX_get0_certificate(context);
  if (certificate == nullptr || ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &ends) != 1) return {};
  return std::chrono::system_clock::from_time_t(timegm(&ends));
}

}  // namespace

void free_ssl::operator()(SSL* what) const noexcept {
  SSL_free(what);
}

void free_ssl::operator()(SSL_CTX* what) const noexcept {
  SSL_CTX_free(what);
}

tls_context::tls_context(context_pointer&& made, bool is_client)
    : context_(std::move(made)), is_client_(is_client), certificate_ends_at_(end_of_validity(context_.get())) {}

tl::expected<shared_tls_context, std::string> tls_context::for_server(const tls_settings& files) {
  ERR_clear_error();
  context_pointer made(new_context(TLS_server_method()));
  SSL_CTX* const context = made.get();
  SSL_CTX_set_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
  SSL_CTX_set_alpn_select_cb(context, choose_protocol, nullptr);
  SSL_CTX_set_default_passwd_cb(context, no_pass_phrase);
  // Sessions are resumed by tickets, so the server remembers none.
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_timeout(context, session_seconds);
  constexpr std::string_view id = "ordem";
  ORDEM_CHECK(SSL_CTX_set_session_id_context(context, reinterpret_cast<const unsigned char*>(id.data()),
                                             static_cast<unsigned>(id.size())) == 1);

  if (SSL_CTX_use_certificate_chain_file(context, files.certificate_file.c_str()) != 1)
    return unusable("certificate", files.certificate_file);
  if (SSL_CTX_use_PrivateKey_file(context, files.key_file.c_str(), SSL_FILETYPE_PEM) != 1)
    return unusable("key", files.key_file);
  if (SSL_CTX_check_private_key(context) != 1) return unusable("key", files.key_file);
  if (!files.client_ca_file.empty()) {
    if (SSL_CTX_load_verify_file(context, files.client_ca_file.c_str()) != 1)
      return unusable("client CA", files.client_ca_file);
    STACK_OF(X509_NAME)* const names = SSL_load_client_CA_file(files.client_ca_file.c_str());
    if (names == nullptr) return unusable("client CA", files.client_ca_file);
    SSL_CTX_set_client_CA_list(context, names);  // takes ownership
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  }
  return shared_tls_context(new tls_context(std::move(made), false));
}

tl::expected<shared_tls_context, std::string> tls_context::for_client(const std::string& authorities_file) {
  ERR_clear_error();
  context_pointer made(new_context(TLS_client_method()));
  ORDEM_CHECK(SSL_CTX_set_alpn_protos(made.get(), http_1_1.data(), http_1_1.size()) == 0);  // 0 is success
  if (SSL_CTX_load_verify_file(made.get(), authorities_file.c_str()) != 1)
    return unusable("file of authorities", authorities_file);
  SSL_CTX_set_verify(made.get(), SSL_VERIFY_PEER, nullptr);
  return shared_tls_context(new tls_context(std::move(made), true));
}

ssl_pointer tls_context::new_connection() const {
  ssl_pointer made(SSL_new(context_.get()));
  ORDEM_CHECK(made != nullptr);
  is_client_ ? SSL_set_connect_state(made.get()) : SSL_set_accept_state(made.get());
  return made;
}

}  // namespace ordem::http_edge
