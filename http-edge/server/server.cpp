#include "http-edge/server/server.hpp"

#include <algorithm>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <deque>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http-edge/feed/change_feed.hpp"
#include "http-edge/handler.hpp"
#include "http-edge/server/address_counts.hpp"
#include "http-edge/server/io_thread.hpp"
#include "http-edge/server/tls_context.hpp"

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

// Without the mapping of IPv4 to IPv6.
std::string text_of(const asio::ip::address& peer) {
  if (peer.is_v6() && peer.to_v6().is_v4_mapped())
    return make_address_v4(asio::ip::v4_mapped, peer.to_v6()).to_string();
  return peer.to_string();
}

// The names in Host that each listener accepts; see access_settings.
hosts_by_listener hosts_of(const server_settings& settings) {
  hosts_by_listener names;
  for (const endpoint_settings& each : endpoints_of(settings)) {
    const bool takes_any = settings.access.hosts.empty() && !is_loopback(each.address);
    names[static_cast<std::size_t>(each.kind)] = takes_any ? allowed_hosts() : allowed_hosts(settings.access.hosts);
  }
  return names;
}

struct listener {
  listener(const endpoint_settings& asked, bool with_tls, asio::io_context& loop)
      : where(asked), uses_tls(with_tls), acceptor(loop), accept_timer(loop) {}

  const endpoint_settings where;
  const bool uses_tls;
  tcp::acceptor acceptor;
  asio::steady_timer accept_timer;
  tcp::endpoint peer;         // of the connection that is accepted next
  bool accept_fails = false;  // the last accept failed
  std::uint16_t port = 0;     // that it listens on
};

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
                {},
                connected.request_log},
        on_accept_failure(std::move(connected.on_accept_failure)),
        counters(settings),
        access(settings.access, hosts_of(settings), std::move(connected.on_denial), settings.captures_port.has_value()),
        feed(settings.feed_readers_max, counters.feed) {
    for (std::uint32_t i = 0; i < settings.io_threads; ++i) {
      auto authenticator = connected.make_authenticator ? connected.make_authenticator() : nullptr;
      threads.push_back(std::make_unique<io_thread>(settings, context, counters, counters.requests[i], access, feed,
                                                    std::move(authenticator)));
    }
    for (const endpoint_settings& each : endpoints_of(settings)) {
      listeners.emplace_back(each, uses_tls(settings, each), threads.front()->io_context());
    }
    context.tracer = connected.tracer;
    context.listeners = {
        .has_operations = settings.operations_port.has_value(),
        .operations_reads_data = connected.make_authenticator != nullptr || is_loopback(settings.operations_address)};
    context.reports = connected.reports;
    context.backups = connected.backups;
  }

  tl::expected<shared_tls_context, std::string> load_tls();
  tl::expected<void, std::string> listen(listener& at);
  void accept_next(listener& at);
  void on_accepted(boost::system::error_code ec, listener& at, io_thread& thread, session::socket_type&& socket);
  void serve(const listener& at, const asio::ip::address& peer, io_thread& thread, session::socket_type&& socket);
  // Returns nullopt if the client's address has as many connections as it may.
  std::optional<address_permit> take_permit(const asio::ip::address& peer);
  io_thread& take_thread();
  void accept_backlog(listener& at);
  void stop_accepting();

  const server_settings settings;
  service_status* status;
  handler_context context;
  std::function<void(const std::string&)> on_accept_failure;
  edge_counters counters;
  access_state access;
  address_counts addresses;
  change_feed feed;
  shared_tls_context tls;  // for new connections; used on the first thread
  std::vector<std::unique_ptr<io_thread>> threads;
  std::deque<listener> listeners;  // all of them on the first thread
  std::size_t next_thread = 0;
  bool started = false;
};

tl::expected<shared_tls_context, std::string> server::parts::load_tls() {
  auto loaded = tls_context::for_server(settings.tls);
  if (!loaded) return loaded;
  const auto end = (*loaded)->certificate_ends_at().time_since_epoch();
  counters.tls_certificate_end_s.store(std::chrono::duration_cast<std::chrono::seconds>(end).count());
  return loaded;
}

tl::expected<void, std::string> server::parts::listen(listener& at) {
  const auto failed = [&at](const boost::system::error_code& ec) {
    return tl::make_unexpected("cannot listen on " + at.where.address + ":" + std::to_string(at.where.port) + ": " +
                               ec.message());
  };
  boost::system::error_code ec;
  const auto address = asio::ip::make_address(at.where.address, ec);
  if (ec) return tl::make_unexpected("'" + at.where.address + "' is not an IP address to listen on");
  const tcp::endpoint endpoint(address, at.where.port);
  at.acceptor.open(endpoint.protocol(), ec);
  if (!ec) at.acceptor.set_option(tcp::acceptor::reuse_address(true), ec);
  // All addresses include those of IPv4, whatever the system's default (net.ipv6.bindv6only).
  if (!ec && address == asio::ip::address_v6::any()) at.acceptor.set_option(asio::ip::v6_only(false), ec);
  if (!ec) at.acceptor.bind(endpoint, ec);
  if (!ec) at.acceptor.listen(backlog, ec);
  if (ec) return failed(ec);
  at.port = at.acceptor.local_endpoint(ec).port();
  return {};
}

io_thread& server::parts::take_thread() {
  io_thread& taken = *threads[next_thread];
  next_thread = (next_thread + 1) % threads.size();
  return taken;
}

void server::parts::accept_next(listener& at) {
  io_thread& thread = take_thread();
  at.acceptor.async_accept(thread.io_context().get_executor(), at.peer,
                           [this, &at, &thread](boost::system::error_code ec, session::socket_type socket) {
                             on_accepted(ec, at, thread, std::move(socket));
                           });
}

void server::parts::on_accepted(boost::system::error_code ec, listener& at, io_thread& thread,
                                session::socket_type&& socket) {
  if (ec && !at.acceptor.is_open()) return;
  if (ec) {
    counters.accept_failures.fetch_add(1, std::memory_order_relaxed);
    if (!std::exchange(at.accept_fails, true)) on_accept_failure(ec.message());
    at.accept_timer.expires_after(accept_pause);
    at.accept_timer.async_wait([this, &at](boost::system::error_code cancelled) {
      if (!cancelled && at.acceptor.is_open()) accept_next(at);
    });
    return;
  }
  at.accept_fails = false;
  serve(at, at.peer.address(), thread, std::move(socket));
  if (at.acceptor.is_open()) accept_next(at);
}

std::optional<address_permit> server::parts::take_permit(const asio::ip::address& peer) {
  if (settings.connections_per_address_max == 0) return address_permit();
  return address_permit::take(addresses, network_of(peer), settings.connections_per_address_max);
}

void server::parts::serve(const listener& at, const asio::ip::address& peer, io_thread& thread,
                          session::socket_type&& socket) {
  counters.connections_accepted.fetch_add(1, std::memory_order_relaxed);
  const bool over_limit = counters.connections.served() >= settings.connections_max;
  auto permit = over_limit ? std::optional<address_permit>(std::in_place) : take_permit(peer);
  std::string_view refusal;
  if (over_limit) {
    counters.connections_refused.fetch_add(1, std::memory_order_relaxed);
    refusal = "no more connections are taken";
  } else if (!permit) {
    counters.connections_refused_by_address.fetch_add(1, std::memory_order_relaxed);
    refusal = "no more connections from this address are taken";
  }
  // A refusal by TLS would take a handshake, which costs more than most requests.
  if (!refusal.empty() && (at.uses_tls || counters.connections.refused() >= settings.refused_at_once_max)) return;
  thread.serve({std::move(socket),
                at.uses_tls ? tls : nullptr,
                {at.where.kind, text_of(peer), {}},
                connection_permit(counters.connections, refusal.empty() ? connection_permit::purpose::to_serve
                                                                        : connection_permit::purpose::to_refuse),
                permit ? std::move(*permit) : address_permit(),
                refusal});
}

// Closing the listener resets the connections that the kernel has accepted, with the requests sent on them.
void server::parts::accept_backlog(listener& at) {
  boost::system::error_code ec;
  at.acceptor.non_blocking(true, ec);
  for (int i = 0; i < backlog && !ec; ++i) {
    io_thread& thread = take_thread();
    session::socket_type socket(thread.io_context());
    tcp::endpoint peer;
    at.acceptor.accept(socket, peer, ec);
    if (!ec) serve(at, peer.address(), thread, std::move(socket));
  }
}

// Runs on the acceptors' thread, behind all completed accepts, so that it does not race with any.
void server::parts::stop_accepting() {
  std::promise<void> closed;
  asio::io_context& loop = threads.front()->io_context();
  asio::post(loop, [this, &loop, &closed] {
    for (listener& each : listeners) {
      accept_backlog(each);
      boost::system::error_code ignored;
      each.acceptor.close(ignored);
      each.accept_timer.cancel();
    }
    asio::post(loop, [&closed] { closed.set_value(); });
  });
  closed.get_future().wait();
}

server::server(server_settings settings, server_parts connected)
    : parts_(std::make_unique<parts>(std::move(settings), std::move(connected))) {}

server::~server() {
  stop();
}

tl::expected<void, std::string> server::reload_tls() {
  auto loaded = parts_->load_tls();
  if (!loaded) return tl::make_unexpected(std::move(loaded.error()));
  asio::post(parts_->threads.front()->io_context(),
             [to = parts_.get(), made = std::move(*loaded)]() mutable { to->tls = std::move(made); });
  return {};
}

tl::expected<void, std::string> server::start() {
  if (parts_->settings.tls.enabled()) {
    auto loaded = parts_->load_tls();
    if (!loaded) return tl::make_unexpected(std::move(loaded.error()));
    parts_->tls = std::move(*loaded);
  }
  for (listener& each : parts_->listeners) {
    if (auto listening = parts_->listen(each); !listening) return listening;
  }
  for (listener& each : parts_->listeners) parts_->accept_next(each);
  for (const auto& thread : parts_->threads) thread->start();
  parts_->started = true;
  return {};
}

std::vector<endpoint_settings> server::listeners() const {
  std::vector<endpoint_settings> found;
  for (const listener& each : parts_->listeners) found.push_back({each.where.kind, each.where.address, each.port});
  return found;
}

void server::attach_engine(const order_reader& orders, const change_reader& changes, const capture_reader& captures,
                           message_port& messages, const std::function<std::uint32_t(completion_queue&)>& add_queue,
                           read_gate* gate) {
  parts_->context.orders = &orders;
  parts_->context.changes = &changes;
  parts_->context.captures = &captures;
  parts_->context.gate = gate;
  parts_->feed.attach(changes);
  for (const auto& thread : parts_->threads) thread->connect(messages, add_queue(*thread));
}

void server::begin_drain() {
  parts_->status->set_draining();
  parts_->stop_accepting();
  std::vector<std::future<void>> begun;
  for (const auto& thread : parts_->threads) begun.push_back(thread->drain());
  for (const auto& each : begun) each.wait();
}

bool server::finish_drain(std::chrono::milliseconds timeout) {
  const std::chrono::milliseconds farewell_time = std::min(timeout / 10, farewell_time_max);
  if (parts_->counters.connections.wait_for_none(timeout - farewell_time)) return true;
  for (const auto& thread : parts_->threads) thread->end_drain();
  return parts_->counters.connections.wait_for_none(farewell_time);
}

void server::stop() {
  if (!std::exchange(parts_->started, false)) return;
  for (const auto& thread : parts_->threads) thread->stop();
  parts_->feed.stop();
}

void server::on_visible() noexcept {
  parts_->feed.on_visible();
}

std::uint64_t server::feed_lag() const noexcept {
  return parts_->feed.lag();
}

std::uint64_t server::feed_slowest_lag() const {
  return parts_->feed.slowest_lag();
}

const edge_counters& server::counters() const noexcept {
  return parts_->counters;
}

const access_state& server::access() const noexcept {
  return parts_->access;
}

}  // namespace ordem::http_edge
