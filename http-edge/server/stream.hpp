// The byte stream of one connection: a socket, or TLS on a socket. Without TLS each operation is that of the socket,
// behind one comparison. Owned by a session, whose handlers keep it alive; one thread.
#pragma once

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/completion_condition.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/buffers_suffix.hpp>
#include <boost/system/error_code.hpp>
#include <cstddef>
#include <memory>
#include <utility>

#include "http-edge/server/tls_channel.hpp"

namespace ordem::http_edge {

// Handlers are called as handler(error_code, std::size_t bytes), by the event loop of the socket and never before the
// call that takes them returns.
class stream {
 public:
  using socket_type = boost::asio::basic_stream_socket<boost::asio::ip::tcp, boost::asio::io_context::executor_type>;
  using error_code = boost::system::error_code;

  // Makes the socket non-blocking. `tls` is null for plain TCP.
  stream(socket_type&& socket, const tls_context* tls) : socket_(std::move(socket)) {
    error_code ignored;
    socket_.non_blocking(true, ignored);
    if (tls != nullptr) tls_ = std::make_unique<tls_channel>(*tls, socket_.native_handle());
  }

  // The socket, for its options, and to cancel operations.
  socket_type& socket() noexcept { return socket_; }
  const socket_type& socket() const noexcept { return socket_; }
  // Null for plain TCP.
  const tls_channel* tls() const noexcept { return tls_.get(); }
  // Goes on without TLS. REQUIRES: no operation is under way.
  void become_plain() noexcept { tls_.reset(); }

  // `scratch` takes what arrives, until the handler is called. REQUIRES: tls() is not null.
  template <class Handler>
  void async_handshake(boost::asio::mutable_buffer scratch, Handler&& handler) {
    run([](tls_channel& through) { return through.handshake(); }, scratch, std::forward<Handler>(handler));
  }

  template <class Handler>
  void async_read_some(boost::asio::mutable_buffer to, Handler&& handler) {
    if (!tls_) return socket_.async_read_some(to, std::forward<Handler>(handler));
    const auto read = [to](tls_channel& through) { return through.read(to); };
    tls_->has_buffered_bytes() ? run(read, to, std::forward<Handler>(handler))
                               : run_after(tls_channel::wait::to_read, read, to, std::forward<Handler>(handler));
  }

  // Reads bytes from the network that are dropped, whatever they are.
  template <class Handler>
  void async_drop_some(boost::asio::mutable_buffer to, Handler&& handler) {
    socket_.async_read_some(to, std::forward<Handler>(handler));
  }

  // Writes what the kernel takes at once. Returns the number of bytes written; the rest must be written by
  // async_write(), which also reports an error.
  std::size_t write_some(boost::asio::const_buffer from) {
    error_code ec;
    if (!tls_) return socket_.write_some(from, ec);
    std::size_t written = 0;
    while (written < from.size()) {
      const auto made = tls_->write(from + written);
      if (made.next != tls_channel::wait::none || made.error) break;
      written += made.bytes;
    }
    return written;
  }

  // Writes everything. `condition` is called with what has been written so far, as for boost::asio::async_write().
  template <class Buffers, class Condition, class Handler>
  void async_write(const Buffers& from, Condition condition, Handler&& handler) {
    if (!tls_) return boost::asio::async_write(socket_, from, std::move(condition), std::forward<Handler>(handler));
    run(
        [rest = boost::beast::buffers_suffix<Buffers>(from), done = std::size_t{0},
         condition = std::move(condition)](tls_channel& through) mutable {
          while (true) {
            auto made = write_record(through, rest);
            if (made.next != tls_channel::wait::none) return made;
            done += made.bytes;
            rest.consume(made.bytes);
            condition(made.error, done);
            if (!made.error && boost::asio::buffer_size(rest) > 0) continue;
            made.bytes = done;
            return made;
          }
        },
        boost::asio::mutable_buffer(), std::forward<Handler>(handler));
  }
  template <class Buffers, class Handler>
  void async_write(const Buffers& from, Handler&& handler) {
    async_write(from, boost::asio::transfer_all(), std::forward<Handler>(handler));
  }

  // Whether the peer has sent bytes that were not read. With TLS they may be no data, or no complete record.
  bool has_unread_bytes() {
    error_code ignored;
    return (tls_ && tls_->has_buffered_bytes()) || socket_.available(ignored) > 0;
  }
  // The same for the bytes that only the kernel has.
  bool has_unreceived_bytes() {
    error_code ignored;
    return socket_.available(ignored) > 0;
  }

  // Has the kernel take no more bytes while it has this many that it has not sent yet.
  void bound_unsent(int bytes) noexcept {
    ::setsockopt(socket_.native_handle(), IPPROTO_TCP, TCP_NOTSENT_LOWAT, &bytes, sizeof bytes);
  }

  // Ends the output: TLS says so, too, if that is possible without waiting.
  void shutdown_send() {
    if (tls_) tls_->notify_close();
    error_code ignored;
    socket_.shutdown(socket_type::shutdown_send, ignored);
  }
  void close() {
    if (tls_ && socket_.is_open()) tls_->notify_close();
    error_code ignored;
    socket_.close(ignored);
  }

 private:
  using step = tls_channel::step;

  // Several small buffers, such as the parts of a chunk, go into one record.
  template <class Rest>
  static step write_record(tls_channel& through, const Rest& rest) {
    const boost::asio::const_buffer first = *boost::asio::buffer_sequence_begin(rest);
    if (first.size() >= tls_channel::record_bytes_max || first.size() == boost::asio::buffer_size(rest))
      return through.write(first);
    std::array<char, tls_channel::record_bytes_max> record;
    const std::size_t bytes = boost::asio::buffer_copy(boost::asio::buffer(record), rest);
    return through.write(boost::asio::buffer(record.data(), bytes));
  }

  // Tries until there is nothing to wait for. `scratch` takes what arrives; a write waits for nothing to arrive, as
  // there is no renegotiation.
  template <class Try, class Handler>
  void run(Try attempt, boost::asio::mutable_buffer scratch, Handler&& handler) {
    const step made = attempt(*tls_);
    if (made.next != tls_channel::wait::none)
      return run_after(made.next, std::move(attempt), scratch, std::forward<Handler>(handler));
    boost::asio::post(socket_.get_executor(), [made, then = std::forward<Handler>(handler)]() mutable {
      std::move(then)(made.error, made.bytes);
    });
  }

  template <class Try, class Handler>
  void run_after(tls_channel::wait what, Try attempt, boost::asio::mutable_buffer scratch, Handler&& handler) {
    auto again = [this, attempt = std::move(attempt), scratch, then = std::forward<Handler>(handler)](
                     const error_code& ec, std::size_t received) mutable {
      if (ec && ec != boost::asio::error::eof) return std::move(then)(ec, std::size_t{0});
      if (received > 0 || ec) tls_->receive(boost::asio::buffer(scratch, received));
      const step made = attempt(*tls_);
      if (made.next != tls_channel::wait::none)
        return run_after(made.next, std::move(attempt), scratch, std::move(then));
      std::move(then)(made.error, made.bytes);
    };
    if (what == tls_channel::wait::to_read && scratch.size() > 0)
      return socket_.async_read_some(scratch, std::move(again));
    const auto until = what == tls_channel::wait::to_read ? socket_type::wait_read : socket_type::wait_write;
    socket_.async_wait(until, [again = std::move(again)](const error_code& ec) mutable { again(ec, 0); });
  }

  socket_type socket_;
  std::unique_ptr<tls_channel> tls_;
};

}  // namespace ordem::http_edge
