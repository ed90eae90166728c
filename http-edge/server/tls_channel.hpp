// The TLS state of one connection. The bytes that arrive are given to it by receive(), so that they can be read as
// without TLS; it writes to the non-blocking socket itself, so that a response can be tried at once. Nothing here
// waits; stream.hpp does. Owned by a stream; one thread.
#pragma once

#include <boost/asio/buffer.hpp>
#include <boost/system/error_code.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "http-edge/server/tls_context.hpp"

namespace ordem::http_edge {

class tls_channel {
 public:
  // What is needed before the same call is worth another try: bytes by receive(), or room for a write.
  enum class wait : std::uint8_t { none, to_read, to_write };
  struct step {
    wait next = wait::none;
    boost::system::error_code error;  // if there is nothing to wait for; eof after the peer's close_notify
    std::size_t bytes = 0;            // read or written
  };

  // REQUIRES: the socket is connected and non-blocking, and outlives this.
  tls_channel(const tls_context& context, int socket);
  tls_channel(const tls_channel&) = delete;  // OpenSSL holds its address
  tls_channel& operator=(const tls_channel&) = delete;
  ~tls_channel() = default;

  // Takes bytes that have arrived, of which an empty range is the end. REQUIRES: the step before waits to read, and the
  // next call is one of that step; it may overwrite the bytes.
  void receive(boost::asio::const_buffer bytes) noexcept;

  step handshake();
  step read(boost::asio::mutable_buffer to);
  // Writes one record at most. After a step that waits, the next call must begin with the same bytes, wherever they
  // are.
  step write(boost::asio::const_buffer from);
  // Tells the peer that no more bytes come, if that is possible without waiting.
  void notify_close();

  // Whether bytes have been received that read() has not returned; perhaps no complete record.
  bool has_buffered_bytes() const noexcept;
  // Whether the handshake failed because the client sent a request in plain HTTP. Tells only GET, HEAD, POST and PUT.
  bool met_plain_http() const noexcept { return met_plain_http_; }
  // REQUIRES: the handshake is complete.
  bool is_resumed() const noexcept;
  // Returns the subject (RFC 4514) of the peer's verified certificate, an empty text if it sent none, or nullopt if it
  // is longer than subject_bytes_max. REQUIRES: the handshake is complete.
  std::optional<std::string> peer_subject() const;

  static constexpr std::size_t subject_bytes_max = 1024;
  // The content of one record (RFC 8446, section 5.1).
  static constexpr std::size_t record_bytes_max = std::size_t{16} << 10;

 private:
  friend struct tls_bio;

  step after(int result, std::size_t bytes);

  const int socket_;
  boost::asio::const_buffer received_;  // not taken by OpenSSL yet; belongs to the caller of receive()
  std::string kept_;                    // more received bytes than OpenSSL had room for
  bool ended_ = false;                  // no more bytes will arrive
  ssl_pointer ssl_;
  bool established_ = false;
  bool failed_ = false;       // OpenSSL must not be called again
  bool write_waits_ = false;  // a record is written in part
  bool met_plain_http_ = false;
};

}  // namespace ordem::http_edge
