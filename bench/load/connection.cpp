#include "bench/load/connection.hpp"

#include <boost/asio/async_result.hpp>
#include <boost/asio/write.hpp>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace ordem::bench {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

// Waits for an operation that takes a handler.
template <class Begin>
auto result_of(Begin begin) {
  return asio::async_initiate<decltype(with_error), void(boost::system::error_code, std::size_t)>(
      [](auto handler, Begin what) { what(std::move(handler)); }, with_error, std::move(begin));
}

}  // namespace

connection::connection(asio::io_context& context, const tcp::endpoint& server, const http_edge::tls_context* tls,
                       std::unique_ptr<bench::workload> workload)
    : context_(context), server_(server), tls_(tls), timer_(context), workload_(std::move(workload)) {
  boost::system::error_code refused;
  tcp_socket socket(context);
  socket.connect(server, refused);
  if (refused) {
    throw std::runtime_error("cannot connect to " + server.address().to_string() + ":" + std::to_string(server.port()) +
                             ": " + refused.message());
  }
  socket.set_option(tcp::no_delay(true));
  stream_.emplace(std::move(socket), tls_);
  is_handshake_due_ = tls_ != nullptr;
}

io_task<std::tuple<boost::system::error_code, std::size_t>> connection::handshake() {
  is_handshake_due_ = false;
  const auto scratch = reader_.space();
  return result_of([this, scratch](auto handler) {
    stream_->async_handshake(asio::buffer(scratch.data(), scratch.size()), std::move(handler));
  });
}

io_task<std::tuple<boost::system::error_code, std::size_t>> connection::write(asio::const_buffer from) {
  if (tls_ == nullptr) return asio::async_write(stream_->socket(), from, with_error);
  return result_of([this, from](auto handler) { stream_->async_write(from, std::move(handler)); });
}

io_task<std::tuple<boost::system::error_code, std::size_t>> connection::read_some(asio::mutable_buffer to) {
  if (tls_ == nullptr) return stream_->socket().async_read_some(to, with_error);
  return result_of([this, to](auto handler) { stream_->async_read_some(to, std::move(handler)); });
}

io_task<std::string> connection::exchange() {
  constexpr std::string_view head_end = "\r\n\r\n";
  const auto request = workload_->next_request();
  request_bytes_ = request.size();
  request_body_bytes_ = request.size() - request.find(head_end) - head_end.size();
  if (is_ended_) {
    std::string failure = co_await connect_again();
    was_connected_ = failure.empty();
    if (!was_connected_) co_return failure;
  }
  reader_.reset();
  if (is_handshake_due_) {
    const auto [handshake_error, none] = co_await handshake();
    if (handshake_error) co_return "no TLS: " + handshake_error.message();
  }
  const auto [write_error, written] = co_await write(asio::buffer(request));
  if (write_error) co_return write_error.message();

  while (reader_.state() == read_state::incomplete) {
    const auto space = reader_.space();
    const auto [read_error, bytes] = co_await read_some(asio::buffer(space.data(), space.size()));
    if (read_error) co_return read_error.message();
    reader_.received(bytes);
  }
  is_ended_ = reader_.ends_connection();
  co_return std::string(reader_.complaint());
}

io_task<std::string> connection::connect_again() {
  boost::system::error_code ignored;
  stream_->close();
  tcp_socket socket(context_);
  const auto [refused] = co_await socket.async_connect(server_, with_error);
  if (refused) co_return "cannot connect again: " + refused.message();
  socket.set_option(tcp::no_delay(true), ignored);
  stream_.emplace(std::move(socket), tls_);
  is_handshake_due_ = tls_ != nullptr;
  is_ended_ = false;
  co_return std::string();
}

io_task<void> connection::wait_until(run_clock::time_point time) {
  timer_.expires_at(time);
  co_await timer_.async_wait(with_error);
}

void connection::close() {
  stream_->close();
  timer_.cancel();
}

bool connection::is_to_own_machine() const {
  return stream_->socket().local_endpoint().address() == stream_->socket().remote_endpoint().address();
}

std::string describe(std::string_view what, const answer& got) {
  constexpr std::size_t shown_bytes_max = 600;
  std::string text(what);
  text.append(": ").append(std::to_string(got.status)).append(" ").append(got.body.substr(0, shown_bytes_max));
  return text;
}

}  // namespace ordem::bench
