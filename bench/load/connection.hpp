// connection: one keep-alive connection with one request in flight.
//
// Owned by a worker, and used on its thread only.
#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <tuple>

#include "bench/load/response_reader.hpp"
#include "bench/load/workload.hpp"
#include "http-edge/server/stream.hpp"
#include "http-edge/server/tls_context.hpp"

namespace ordem::bench {

// Naming the executor avoids the type-erased one.
using io_executor = boost::asio::io_context::executor_type;
using tcp_socket = http_edge::stream::socket_type;
using run_clock = std::chrono::steady_clock;
using run_timer = boost::asio::basic_waitable_timer<run_clock, boost::asio::wait_traits<run_clock>, io_executor>;
template <class Value>
using io_task = boost::asio::awaitable<Value, io_executor>;
inline constexpr boost::asio::as_tuple_t<boost::asio::use_awaitable_t<io_executor>> with_error;

class connection {
 public:
  /// Connects, by TLS if `tls` is not null; the handshake is part of the first exchange. Blocks; throws
  /// std::runtime_error on failure. `tls` must outlive this.
  connection(boost::asio::io_context& context, const boost::asio::ip::tcp::endpoint& server,
             const http_edge::tls_context* tls, std::unique_ptr<bench::workload> workload);

  /// Sends the next request and reads until its answer is whole; first connects anew if the last answer ended the
  /// connection. Returns the error; empty on success.
  io_task<std::string> exchange();

  /// Returns at `time`, or when the connection is closed.
  io_task<void> wait_until(run_clock::time_point time);

  /// Cancels the current operation.
  void close();

  [[nodiscard]] bench::workload& workload() noexcept { return *workload_; }
  /// The answer of the last exchange. REQUIRES: it succeeded.
  [[nodiscard]] answer last_answer() const noexcept { return reader_.whole(); }
  /// Whether the last exchange had a connection to send its request on.
  [[nodiscard]] bool was_connected() const noexcept { return was_connected_; }
  [[nodiscard]] std::size_t request_bytes() const noexcept { return request_bytes_; }
  [[nodiscard]] std::size_t request_body_bytes() const noexcept { return request_body_bytes_; }
  /// Whether both ends are on one machine.
  [[nodiscard]] bool is_to_own_machine() const;

 private:
  io_task<std::string> connect_again();
  /// Each returns the error and the number of bytes.
  io_task<std::tuple<boost::system::error_code, std::size_t>> handshake();
  io_task<std::tuple<boost::system::error_code, std::size_t>> write(boost::asio::const_buffer from);
  io_task<std::tuple<boost::system::error_code, std::size_t>> read_some(boost::asio::mutable_buffer to);

  boost::asio::io_context& context_;
  const boost::asio::ip::tcp::endpoint server_;
  const http_edge::tls_context* tls_;
  std::optional<http_edge::stream> stream_;
  bool is_handshake_due_ = false;
  run_timer timer_;
  std::unique_ptr<bench::workload> workload_;
  response_reader reader_;
  bool is_ended_ = false;  // by the last answer
  bool was_connected_ = true;
  std::size_t request_bytes_ = 0;  // of the last request
  std::size_t request_body_bytes_ = 0;
};

/// Returns a description of a failure with its answer, for people.
[[nodiscard]] std::string describe(std::string_view what, const answer& got);

}  // namespace ordem::bench
