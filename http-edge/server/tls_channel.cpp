#include "http-edge/server/tls_channel.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/error.hpp>
#include <cerrno>
#include <cstring>
#include <memory>
#include <string_view>

#include "engine/base/check.hpp"

namespace ordem::http_edge {
namespace errc = boost::system::errc;

// What OpenSSL reads from and writes to: a channel's received bytes, and its socket.
struct tls_bio {
  static tls_channel& channel_of(BIO* bio) { return *static_cast<tls_channel*>(BIO_get_data(bio)); }

  // OpenSSL has room for a whole record. What does not fit into the rest of that is kept, as the bytes themselves may
  // be overwritten by what they are decrypted to.
  static int read(BIO* bio, char* to, std::size_t most, std::size_t* count) {
    tls_channel& channel = channel_of(bio);
    BIO_clear_retry_flags(bio);
    std::string& kept = channel.kept_;
    const bool from_kept = !kept.empty();
    const std::string_view source =
        from_kept ? std::string_view(kept)
                  : std::string_view(static_cast<const char*>(channel.received_.data()), channel.received_.size());
    *count = std::min(most, source.size());
    if (*count == 0) {
      if (channel.ended_) return 0;
      BIO_set_retry_read(bio);
      return -1;
    }
    std::memcpy(to, source.data(), *count);
    if (from_kept) {
      kept.erase(0, *count);
    } else {
      kept.assign(source.substr(*count));
      channel.received_ = {};
    }
    return 1;
  }

  static int write(BIO* bio, const char* from, std::size_t most, std::size_t* count) {
    BIO_clear_retry_flags(bio);
    const ssize_t sent = ::send(channel_of(bio).socket_, from, most, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) BIO_set_retry_write(bio);
    *count = sent < 0 ? 0 : static_cast<std::size_t>(sent);
    return sent < 0 ? -1 : 1;
  }

  static long control(BIO*, int what, long, void*) { return what == BIO_CTRL_FLUSH ? 1 : 0; }

  static const BIO_METHOD* methods() {
    static const std::unique_ptr<BIO_METHOD, decltype(&BIO_meth_free)> made = [] {
      std::unique_ptr<BIO_METHOD, decltype(&BIO_meth_free)> fresh(
          BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "ordem connection"), BIO_meth_free);
      ORDEM_CHECK(fresh != nullptr);
      BIO_meth_set_read_ex(fresh.get(), read);
      BIO_meth_set_write_ex(fresh.get(), write);
      BIO_meth_set_ctrl(fresh.get(), control);
      return fresh;
    }();
    return made.get();
  }
};

tls_channel::tls_channel(const tls_context& context, int socket) : socket_(socket), ssl_(context.new_connection()) {
  BIO* const bio = BIO_new(tls_bio::methods());
  ORDEM_CHECK(bio != nullptr);
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_.get(), bio, bio);  // takes ownership
}

void tls_channel::receive(boost::asio::const_buffer bytes) noexcept {
  received_ = bytes;
  if (bytes.size() == 0) ended_ = true;
}

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
  return !kept_.empty() || SSL_has_pending(ssl_.get()) == 1;
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
