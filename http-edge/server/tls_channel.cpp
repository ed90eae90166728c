#include "http-edge/server/tls_channel.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <boost/asio/error.hpp>
#include <memory>
#include <utility>

namespace ordem::http_edge {
namespace {

namespace errc = boost::system::errc;

}  // namespace

tls_channel::tls_channel(ssl_pointer&& made) noexcept : ssl_(std::move(made)) {}

// REQUIRES: the queue of OpenSSL's errors was empty before the call that returned `result`.
tls_channel::step tls_channel::after(int result, std::size_t bytes) {
  if (result == 1) return {wait::none, {}, bytes};
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ: return {wait::to_read, {}, 0};
    case SSL_ERROR_WANT_WRITE: return {wait::to_write, {}, 0};
    case SSL_ERROR_ZERO_RETURN: return {wait::none, boost::asio::error::eof, 0};
    default: break;
  }
  failed_ = true;
  met_plain_http_ = ERR_GET_REASON(ERR_peek_error()) == SSL_R_HTTP_REQUEST;
  ERR_clear_error();
  return {wait::none, make_error_code(errc::protocol_error), 0};
}

tls_channel::step tls_channel::handshake() {
  ERR_clear_error();
  const step made = after(SSL_do_handshake(ssl_.get()), 0);
  established_ = made.next == wait::none && !made.error;
  return made;
}

tls_channel::step tls_channel::read(boost::asio::mutable_buffer to) {
  if (failed_) return {wait::none, make_error_code(errc::protocol_error), 0};
  ERR_clear_error();
  std::size_t bytes = 0;
  const int result = SSL_read_ex(ssl_.get(), to.data(), to.size(), &bytes);
  return after(result, bytes);
}

tls_channel::step tls_channel::write(boost::asio::const_buffer from) {
  if (failed_) return {wait::none, make_error_code(errc::protocol_error), 0};
  if (from.size() == 0) return {};
  ERR_clear_error();
  std::size_t bytes = 0;
  const int result = SSL_write_ex(ssl_.get(), from.data(), from.size(), &bytes);
  const step made = after(result, bytes);
  write_waits_ = made.next != wait::none;
  return made;
}

// Behind a record that is written in part, OpenSSL could not send it.
void tls_channel::notify_close() {
  if (!established_ || failed_ || write_waits_ || (SSL_get_shutdown(ssl_.get()) & SSL_SENT_SHUTDOWN) != 0) return;
  ERR_clear_error();
  SSL_shutdown(ssl_.get());
  ERR_clear_error();
}

bool tls_channel::has_buffered_bytes() const noexcept {
  return SSL_has_pending(ssl_.get()) == 1;
}

bool tls_channel::is_resumed() const noexcept {
  return SSL_session_reused(ssl_.get()) == 1;
}

std::optional<std::string> tls_channel::peer_subject() const {
  const X509* const certificate = SSL_get0_peer_certificate(ssl_.get());
  if (certificate == nullptr || SSL_get_verify_result(ssl_.get()) != X509_V_OK) return std::string();
  const std::unique_ptr<BIO, decltype(&BIO_free)> text(BIO_new(BIO_s_mem()), BIO_free);
  if (X509_NAME_print_ex(text.get(), X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253) < 0) return std::nullopt;
  const char* bytes = nullptr;
  const long count = BIO_get_mem_data(text.get(), &bytes);
  if (count < 0 || static_cast<std::size_t>(count) > subject_bytes_max) return std::nullopt;
  return std::string(bytes, static_cast<std::size_t>(count));
}

}  // namespace ordem::http_edge
