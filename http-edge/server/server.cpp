#include "http-edge/server/server.hpp"

#include <algorithm>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <future>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "http-edge/handler.hpp"
#include "http-edge/server/io_thread.hpp"

namespace ordem::http_edge {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

// The number of connections that the kernel holds until they are accepted.
constexpr int backlog = 4096;
// The pause after a failed accept, for example because no file descriptor is left.
constexpr auto accept_pause = std::chrono::milliseconds(100);
// The part of a drain, at its end, in which incomplete requests are refused. At most a tenth of the drain.
constexpr auto farewell_time_max = std::chrono::milliseconds(500);

// Returns an empty text if the client has reset the connection already.
std::string peer_address_of(const session::socket_type& socket) {
  boost::system::error_code ec;
  const auto peer = socket.remote_endpoint(ec).address();
  if (ec) return {};
  if (peer.is_v6() && peer.to_v6().is_v4_mapped())
    return make_address_v4(asio::ip::v4_mapped, peer.to_v6()).to_string();
  return peer.to_string();
}

// The names in Host that the server accepts; see access_settings.
allowed_hosts hosts_of(const server_settings& settings) {
  return settings.access.hosts.empty() && !is_loopback(settings.address) ? allowed_hosts()
                                                                         : allowed_hosts(settings.access.hosts);
}

}  // namespace

bool is_loopback(const std::string& address) {
  boost::system::error_code ec;
  const auto parsed = asio::ip::make_address(address, ec);
  if (ec) return false;
  return parsed.is_v6() && parsed.to_v6().is_v4_mapped()
             ? make_address_v4(asio::ip::v4_mapped, parsed.to_v6()).is_loopback()
             : parsed.is_loopback();
}

struct server::parts {
  parts(server_settings checked_settings, server_parts connected)
      : settings(std::move(checked_settings)),
        status(connected.status),
        context{nullptr,
                connected.clock,
                connected.status,
                std::move(connected.metrics_text),
                std::move(connected.positions),
                false},
        on_accept_failure(std::move(connected.on_accept_failure)),
        counters(settings),
        access(settings.access, hosts_of(settings), std::move(connected.on_denial)) {
    for (std::uint32_t i = 0; i < settings.io_threads; ++i) {
      auto authenticator = connected.make_authenticator ? connected.make_authenticator() : nullptr;
      threads.push_back(std::make_unique<io_thread>(settings, context, counters, access, std::move(authenticator)));
    }
    acceptor.emplace(threads.front()->io_context());
    accept_timer.emplace(threads.front()->io_context());
  }

  tl::expected<void, std::string> listen();
  void accept_next();
  void on_accepted(boost::system::error_code ec, io_thread& thread, session::socket_type&& socket);
  void serve(io_thread& thread, session::socket_type&& socket);
  io_thread& take_thread();
  void accept_backlog();
  void stop_accepting();

  const server_settings settings;
  service_status* status;
  handler_context context;
  std::function<void(const std::string&)> on_accept_failure;
  edge_counters counters;
  access_state access;
  std::vector<std::unique_ptr<io_thread>> threads;
  std::optional<tcp::acceptor> acceptor;
  std::optional<asio::steady_timer> accept_timer;
  std::size_t next_thread = 0;
  bool accept_fails = false;  // the last accept failed
  std::uint16_t port = 0;
  bool started = false;
};

tl::expected<void, std::string> server::parts::listen() {
  const auto failed = [this](const boost::system::error_code& ec) {
    return tl::make_unexpected("cannot listen on " + settings.address + ":" + std::to_string(settings.port) + ": " +
                               ec.message());
  };
  boost::system::error_code ec;
  const auto address = asio::ip::make_address(settings.address, ec);
  if (ec) return tl::make_unexpected("'" + settings.address + "' is not an IP address to listen on");
  const tcp::endpoint endpoint(address, settings.port);
  acceptor->open(endpoint.protocol(), ec);
  if (!ec) acceptor->set_option(tcp::acceptor::reuse_address(true), ec);
  // All addresses include those of IPv4, whatever the system's default (net.ipv6.bindv6only).
  if (!ec && address == asio::ip::address_v6::any()) acceptor->set_option(asio::ip::v6_only(false), ec);
  if (!ec) acceptor->bind(endpoint, ec);
  if (!ec) acceptor->listen(backlog, ec);
  if (ec) return failed(ec);
  port = acceptor->local_endpoint(ec).port();
  return {};
}

io_thread& server::parts::take_thread() {
  io_thread& taken = *threads[next_thread];
  next_thread = (next_thread + 1) % threads.size();
  return taken;
}

void server::parts::accept_next() {
  io_thread& thread = take_thread();
  acceptor->async_accept(thread.io_context().get_executor(),
                         [this, &thread](boost::system::error_code ec, session::socket_type socket) {
                           on_accepted(ec, thread, std::move(socket));
                         });
}

void server::parts::on_accepted(boost::system::error_code ec, io_thread& thread, session::socket_type&& socket) {
  if (ec && !acceptor->is_open()) return;
  if (ec) {
    counters.accept_failures.fetch_add(1, std::memory_order_relaxed);
    if (!std::exchange(accept_fails, true)) on_accept_failure(ec.message());
    accept_timer->expires_after(accept_pause);
    accept_timer->async_wait([this](boost::system::error_code cancelled) {
      if (!cancelled && acceptor->is_open()) accept_next();
    });
    return;
  }
  accept_fails = false;
  serve(thread, std::move(socket));
  if (acceptor->is_open()) accept_next();
}

void server::parts::serve(io_thread& thread, session::socket_type&& socket) {
  counters.connections_accepted.fetch_add(1, std::memory_order_relaxed);
  const std::size_t open = counters.connections.now();
  const bool over_limit = open >= settings.connections_max;
  if (over_limit) counters.connections_refused.fetch_add(1, std::memory_order_relaxed);
  if (open < settings.connections_max + settings.refused_at_once_max) {
    connection_info info{listener_kind::main, peer_address_of(socket), {}};
    thread.serve({std::move(socket), std::move(info), connection_permit(counters.connections)}, over_limit);
  }
}

// Closing the listener resets the connections that the kernel has accepted, with the requests sent on them.
void server::parts::accept_backlog() {
  boost::system::error_code ec;
  acceptor->non_blocking(true, ec);
  for (int i = 0; i < backlog && !ec; ++i) {
    io_thread& thread = take_thread();
    auto socket = acceptor->accept(thread.io_context().get_executor(), ec);
    if (!ec) serve(thread, std::move(socket));
  }
}

// Runs on the acceptor's thread, behind all completed accepts, so that it does not race with any.
void server::parts::stop_accepting() {
  std::promise<void> closed;
  asio::io_context& loop = threads.front()->io_context();
  asio::post(loop, [this, &loop, &closed] {
    accept_backlog();
    boost::system::error_code ignored;
    acceptor->close(ignored);
    accept_timer->cancel();
    asio::post(loop, [&closed] { closed.set_value(); });
  });
  closed.get_future().wait();
}

server::server(server_settings settings, server_parts connected)
    : parts_(std::make_unique<parts>(std::move(settings), std::move(connected))) {}

server::~server() {
  stop();
}

tl::expected<void, std::string> server::start() {
  if (auto listening = parts_->listen(); !listening) return listening;
  parts_->accept_next();
  for (const auto& thread : parts_->threads) thread->start();
  parts_->started = true;
  return {};
}

std::uint16_t server::port() const noexcept {
  return parts_->port;
}

void server::attach_engine(const order_reader& orders, message_port& messages,
                           const std::function<std::uint32_t(completion_queue&)>& add_queue) {
  parts_->context.orders = &orders;
  for (const auto& thread : parts_->threads) thread->connect(messages, add_queue(*thread));
}

bool server::drain(std::chrono::milliseconds timeout) {
  parts_->status->set_draining();
  parts_->stop_accepting();
  for (const auto& thread : parts_->threads) thread->drain();
  const std::chrono::milliseconds farewell_time = std::min(timeout / 10, farewell_time_max);
  if (parts_->counters.connections.wait_for_none(timeout - farewell_time)) return true;
  for (const auto& thread : parts_->threads) thread->end_drain();
  return parts_->counters.connections.wait_for_none(farewell_time);
}

void server::stop() {
  if (!std::exchange(parts_->started, false)) return;
  for (const auto& thread : parts_->threads) thread->stop();
}

const edge_counters& server::counters() const noexcept {
  return parts_->counters;
}

const access_state& server::access() const noexcept {
  return parts_->access;
}

}  // namespace ordem::http_edge
