#include "bench/load/connection.hpp"

#include <boost/asio/write.hpp>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace ordem::bench {

namespace asio = boost::asio;
using asio::ip::tcp;

connection::connection(asio::io_context& context, const tcp::endpoint& server,
                       std::unique_ptr<bench::workload> workload)
    : server_(server), socket_(context), timer_(context), workload_(std::move(workload)) {
  boost::system::error_code refused;
  socket_.connect(server, refused);
  if (refused) {
    throw std::runtime_error("cannot connect to " + server.address().to_string() + ":" + std::to_string(server.port()) +
                             ": " + refused.message());
  }
  socket_.set_option(tcp::no_delay(true));
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
  const auto [write_error, written] = co_await asio::async_write(socket_, asio::buffer(request), with_error);
  if (write_error) co_return write_error.message();

  reader_.reset();
  while (reader_.state() == read_state::incomplete) {
    const auto space = reader_.space();
    const auto [read_error, bytes] =
        co_await socket_.async_read_some(asio::buffer(space.data(), space.size()), with_error);
    if (read_error) co_return read_error.message();
    reader_.received(bytes);
  }
  is_ended_ = reader_.ends_connection();
  co_return std::string(reader_.complaint());
}

io_task<std::string> connection::connect_again() {
  boost::system::error_code ignored;
  socket_.close(ignored);
  const auto [refused] = co_await socket_.async_connect(server_, with_error);
  if (refused) co_return "cannot connect again: " + refused.message();
  socket_.set_option(tcp::no_delay(true), ignored);
  is_ended_ = false;
  co_return std::string();
}

io_task<void> connection::wait_until(run_clock::time_point time) {
  timer_.expires_at(time);
  co_await timer_.async_wait(with_error);
}

void connection::close() {
  boost::system::error_code ignored;
  socket_.close(ignored);
  timer_.cancel();
}

bool connection::is_to_own_machine() const {
  return socket_.local_endpoint().address() == socket_.remote_endpoint().address();
}

std::string describe(std::string_view what, const answer& got) {
  constexpr std::size_t shown_bytes_max = 600;
  std::string text(what);
  text.append(": ").append(std::to_string(got.status)).append(" ").append(got.body.substr(0, shown_bytes_max));
  return text;
}

}  // namespace ordem::bench
