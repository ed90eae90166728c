// The TLS state of one connection, on a non-blocking socket that OpenSSL reads and writes itself: no copy of what it
// encrypts is kept, and a write can be tried without waiting. Nothing here waits; stream.hpp does. Owned by a stream;
// one thread.
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
  // What the socket must be ready for before the same call is worth another try.
  enum class wait : std::uint8_t { none, to_read, to_write };
  struct step {
    wait next = wait::none;
    boost::system::error_code error;  // if there is nothing to wait for; eof after the peer's close_notify
    std::size_t bytes = 0;            // read or written
  };

  // REQUIRES: the socket is non-blocking, and SIGPIPE is ignored.
  explicit tls_channel(ssl_pointer&& made) noexcept;

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
  step after(int result, std::size_t bytes);

  ssl_pointer ssl_;
  bool established_ = false;
  bool failed_ = false;       // OpenSSL must not be called again
  bool write_waits_ = false;  // a record is written in part
  bool met_plain_http_ = false;
};

}  // namespace ordem::http_edge
