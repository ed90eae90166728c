#include "http-edge/server/session.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <utility>

#include "engine/base/limits.hpp"
#include "http-edge/captures/capture_handler.hpp"
#include "http-edge/orders/handler.hpp"
#include "http-edge/orders/rendering.hpp"
#include "http-edge/protocol/route.hpp"
#include "http-edge/server/io_thread.hpp"

namespace ordem::http_edge {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::beast::error_code;

constexpr std::size_t read_bytes = 4096;
// Before one request. The next one is not HTTP.
constexpr int empty_lines_max = 4;
// After an answer that ends the connection, so much of what the client still sends is read and dropped, and for so
// long, so that a reset does not overtake the answer.
constexpr std::size_t lingered_bytes_max = std::size_t{4} << 20;
constexpr auto linger_time = std::chrono::seconds(2);
// While the server drains, a connection without a request is closed after this. A client that has just read an answer,
// or just connected, may have sent its next request already; a busy one sends it sooner than this and is answered.
constexpr auto drain_idle_time = std::chrono::milliseconds(100);
// A page is read so long before the other connections of the thread have their turn.
constexpr auto page_turn = std::chrono::milliseconds(2);
// While a page is being read it may take so much: the text of its orders doubles as it grows.
constexpr std::size_t page_memory = 2 * limits::page_bytes_max;

constexpr std::string_view continue_line = "HTTP/1.1 100 Continue\r\n\r\n";

}  // namespace

session::session(socket_type&& socket, connection_count::place&& place, io_thread& thread)
    : socket_(std::move(socket)),
      place_(std::move(place)),
      thread_(thread),
      buffer_memory_(thread.counters().body_memory),
      out_memory_(thread.counters().response_memory) {
  body_memory_.count_in(thread.counters().body_memory);
  error_code ignored;
  socket_.non_blocking(true, ignored);  // see write_out()
}

void session::start() {
  error_code ignored;
  socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
  next_request();
}

void session::start_refusing() {
  received_at_ = clock::now();
  response refused = problem_response(problem::too_many_connections, "no more connections are taken");
  refused.close = true;
  respond(refused);
}

// --- reading ---

void session::next_request() {
  stage_ = stage::idle;
  continue_is_due_ = false;
  empty_lines_ = 0;
  deadline_ = clock::now() + thread_.settings().idle_timeout;
  if (thread_.draining()) drain();
  parser_.emplace();
  parser_->header_limit(static_cast<std::uint32_t>(thread_.settings().header_bytes_max));
  parser_->body_limit(boost::none);  // until the header tells which request comes
  parser_->get().body() = std::move(body_memory_);
  if (buffer_.size() == 0 && buffer_.capacity() > memory_budget::uncounted_bytes) {
    buffer_.shrink_to_fit();
    buffer_memory_.resize(buffer_.capacity());
  }
  parse_buffered();
}

void session::parse_buffered() {
  while (buffer_.size() > 0) {
    if (stage_ == stage::idle) {
      if (skip_empty_lines()) break;
      stage_ = stage::receiving;
      deadline_ = clock::now() + thread_.settings().request_timeout;
    }
    const bool had_header = parser_->is_header_done();
    error_code ec;
    const std::size_t used = parser_->put(buffer_.data(), ec);
    buffer_.consume(used);
    if (ec && ec != http::error::need_more) return refuse_unparsable(ec);
    if (!had_header && parser_->is_header_done() && !accept_header()) return;
    if (!head_) parser_->get().body().clear();  // of a request that is refused already: only its end matters
    if (parser_->is_done()) return handle_request();
    if (ec != http::error::need_more && used > 0) continue;
    // The parser waits for the end of a line of the header, of a chunk's extension, of a trailer: that has the header's
    // bound.
    if (buffer_.size() > thread_.settings().header_bytes_max) return refuse_unparsable(http::error::header_limit);
    break;
  }
  if (parser_->is_header_done() && waits_for_continue()) return send_continue();
  read_more();
}

// RFC 9112, section 2.2: some clients end a body with a line end that they do not count. True if nothing else has come.
bool session::skip_empty_lines() {
  const auto here = [this] {
    return std::string_view(static_cast<const char*>(buffer_.data().data()), buffer_.size());
  };
  for (; empty_lines_ < empty_lines_max && here().starts_with("\r\n"); ++empty_lines_) buffer_.consume(2);
  return here().empty() || (empty_lines_ < empty_lines_max && here() == "\r");
}

// What may follow depends on the header, and all that it refuses is found here. False if it is no longer for the
// session to go on with the request.
bool session::accept_header() {
  const auto& request = parser_->get();
  wire_ = {request.method() == http::verb::head, keeps_alive(request), request.version() < 11};
  if (const auto fault = find_fault(request)) {
    refuse(fault->which, fault->detail);
    return false;
  }
  parser_->eager(true);
  const bool batch = is_batch();
  if (!batch) {
    const std::uint64_t bytes_max = body_bytes_max();
    if (parser_->content_length().value_or(0) > bytes_max) {
      refuse_unparsable(http::error::body_limit);
      return false;
    }
    parser_->body_limit(bytes_max);
    if (parser_->chunked()) parser_->get().body().expect_at_most(bytes_max);
  }
  const handler& judge = thread_.handler();
  head_ = judge.read_head(request);
  continue_is_due_ = expects_continue(request);
  if (waits_for_continue() && head_) {
    if (auto refused = judge.refuse_unsent_body(request, *head_)) head_ = tl::make_unexpected(std::move(*refused));
  }
  if (batch && head_ && thread_.draining()) {
    head_ = tl::make_unexpected(refused_request(problem::draining, "no new batch is taken", request.method(),
                                                request.target(), thread_.context()));
  }
  if (!head_ && (batch || waits_for_continue())) {
    refuse_unsent_body();
    return false;
  }
  if (batch) begin_batch();
  return !batch;
}

// Makes room in the buffer. False if the budget does not have the memory.
bool session::make_room(std::size_t bytes) {
  const std::size_t needed = buffer_.size() + bytes;
  if (needed <= buffer_.capacity()) return true;
  return buffer_memory_.resize(std::max(needed, 2 * buffer_.size()));  // as it grows
}

void session::read_more() {
  if (!make_room(read_bytes)) return refuse_unparsable(make_error_code(boost::system::errc::not_enough_memory));
  socket_.async_read_some(buffer_.prepare(read_bytes),
                          [self = shared_from_this()](error_code ec, std::size_t count) { self->on_bytes(ec, count); });
}

void session::on_bytes(error_code ec, std::size_t count) {
  if (stage_ != stage::idle && stage_ != stage::receiving) return;  // timed out or closed meanwhile
  if (ec) return close();  // the client has gone, or its request broke off: there is nobody to tell
  buffer_.commit(count);
  parse_buffered();
}

bool session::waits_for_continue() const {
  return continue_is_due_ && !parser_->is_done();
}

void session::send_continue() {
  continue_is_due_ = false;
  asio::async_write(socket_, asio::buffer(continue_line), [self = shared_from_this()](error_code ec, std::size_t) {
    if (self->stage_ != stage::receiving) return;
    if (ec) return self->close();
    self->is_batch() ? self->begin_batch() : self->read_more();
  });
}

// The body of a batch may be of any length, and one that the client was not told to send may never come: unless it has
// come whole already, it is not waited for.
void session::refuse_unsent_body() {
  received_at_ = clock::now();
  error_code ignored;
  if (!parser_->is_done()) buffer_.consume(parser_->put(buffer_.data(), ignored));
  response refused = std::move(head_.error());
  refused.close = refused.close || !parser_->is_done();
  respond(refused);
}

std::uint64_t session::body_bytes_max() const {
  const server_settings& settings = thread_.settings();
  const bool is_small = !parser_->chunked() && parser_->content_length().value_or(0) <= settings.body_bytes_max;
  const auto to = is_small ? std::nullopt : find_route(parser_->get().target());
  return to && is_of_captures(to->resource) ? std::max(settings.body_bytes_max, capture_body_bytes_max(settings))
                                            : settings.body_bytes_max;
}

// --- batches ---

bool session::is_batch() const {
  const auto& request = parser_->get();
  if (request.method() != http::verb::post || request.target() == "/api/v1/orders") return false;
  const auto to = find_route(request.target());
  return to && to->resource == resource::order_batch;
}

void session::begin_batch() {
  received_at_ = clock::now();
  if (waits_for_continue()) return send_continue();
  stage_ = stage::batching;
  batch_ = std::make_unique<batch_stream>(*this);
  batch_->advance();
}

// `whole`: its answer has its end, and another request may follow.
void session::end_batch(bool whole) {
  const auto ended = std::move(batch_);  // until nobody uses it
  constexpr unsigned ok = 200;
  thread_.count_response(ok, clock::now() - received_at_);
  stays_open_ = whole;
  buffer_.shrink_to_fit();
  buffer_memory_.resize(buffer_.capacity());
  on_written({});
}

// --- answering ---

void session::handle_request() {
  stage_ = stage::executing;
  received_at_ = clock::now();
  if (!head_) return respond(head_.error());
  auto result = thread_.handler().handle(parser_->get(), std::move(*head_));
  captures_ = std::holds_alternative<capture_request>(result);
  if (const auto* known = std::get_if<response>(&result)) {
    respond(*known);
  } else if (auto* page = std::get_if<order_page>(&result)) {
    page_ = std::make_unique<order_page>(std::move(*page));
    read_page();
  } else if (captures_) {
    thread_.submit(shared_from_this(), std::move(std::get<capture_request>(result)));
  } else {
    thread_.submit(shared_from_this(), std::move(std::get<message>(result)));
  }
}

void session::read_page() {
  if (stage_ == stage::closed) return;
  if (const auto whole = page_->read_until(clock::now() + page_turn)) {
    page_.reset();
    return respond(*whole);
  }
  if (!out_memory_.resize(page_memory)) {
    page_.reset();
    return refuse_for_memory(false);
  }
  asio::post(thread_.io_context(), [self = shared_from_this()] { self->read_page(); });
}

void session::on_answer(std::uint32_t line, answer&& what) {
  if (batch_) {
    if (stage_ == stage::batching) batch_->on_answer(line, std::move(what));
    return;
  }
  const handler_context& context = thread_.context();
  const auto visible = visible_position(context);
  respond(captures_ ? capture_response(what, visible) : write_response(what, context.clock->now(), visible));
}

// The request is not read to its end, so the connection can't go on.
void session::refuse(problem which, std::string_view detail) {
  received_at_ = clock::now();
  const auto& request = parser_->get();
  wire_ = {request.method() == http::verb::head, false, false};
  respond(refused_request(which, detail, request.method(), request.target(), thread_.context()));
}

void session::refuse_unparsable(error_code why) {
  problem which = problem::malformed_request;
  if (why == http::error::header_limit) which = problem::headers_too_large;
  if (why == http::error::body_limit) which = problem::body_too_large;
  if (why == boost::system::errc::not_enough_memory) return refuse(problem::overloaded, body_memory_detail);
  refuse(which, why.message());
}

// An answer that there is no memory for gives way to a small one, which always has its memory.
void session::respond(const response& what) {
  if (parser_) parser_->get().body().clear();
  out_.clear();
  if (is_last_answer()) wire_.keep_alive = false;
  stays_open_ = append_response(out_, what, wire_);
  if (!out_memory_.resize(out_.capacity())) return refuse_for_memory(what.close);
  thread_.count_response(what.status, clock::now() - received_at_);
  write_out();
}

void session::refuse_for_memory(bool closes) {
  std::string().swap(out_);
  const auto& request = parser_->get();
  response refused =
      refused_request(problem::overloaded, "unread answers take as much memory as --response-memory allows",
                      request.method(), request.target(), thread_.context());
  refused.close = closes;
  respond(refused);
}

// The last answer says so, and no request that is here already stays unanswered. For a client that sends without
// waiting, and does not stop, that has an end.
bool session::is_last_answer() {
  return thread_.draining() && !(thread_.takes_pipelined() && (buffer_.size() > 0 || has_unread_bytes()));
}

bool session::has_unread_bytes() {
  error_code ignored;
  return socket_.available(ignored) > 0;
}

// As a rule the kernel takes an answer whole, and at once. Not so where another request is here already: a pipeline
// would be answered in ever deeper calls.
void session::write_out() {
  stage_ = stage::writing;
  std::size_t taken = 0;
  if (buffer_.size() == 0) {
    error_code ec;
    taken = socket_.write_some(asio::buffer(out_), ec);
    if (taken == out_.size()) return on_written(ec);
  }
  deadline_ = clock::now() + thread_.settings().request_timeout;
  asio::async_write(socket_, asio::buffer(out_) + taken,
                    [self = shared_from_this()](error_code ec, std::size_t) { self->on_written(ec); });
}

void session::on_written(error_code ec) {
  if (stage_ == stage::closed) return;
  if (ec) return close();
  if (out_.capacity() > memory_budget::uncounted_bytes) std::string().swap(out_);
  out_memory_.resize(out_.capacity());
  if (!stays_open_) return linger();
  body_memory_ = std::move(parser_->get().body());
  body_memory_.clear();
  next_request();
}

// --- ending ---

void session::linger() {
  if (stage_ != stage::lingering) {
    stage_ = stage::lingering;
    deadline_ = clock::now() + linger_time;
    error_code ignored;
    socket_.shutdown(socket_type::shutdown_send, ignored);
  }
  buffer_.clear();
  socket_.async_read_some(buffer_.prepare(read_bytes), [self = shared_from_this()](error_code ec, std::size_t count) {
    if (self->stage_ == stage::closed) return;
    self->lingered_bytes_ += count;
    ec || self->lingered_bytes_ > lingered_bytes_max ? self->close() : self->linger();
  });
}

void session::close() {
  stage_ = stage::closed;
  error_code ignored;
  socket_.close(ignored);
}

void session::drain() {
  if (stage_ != stage::idle) return;
  const auto idle_since = deadline_ - thread_.settings().idle_timeout;
  deadline_ = std::min(deadline_, idle_since + drain_idle_time);
}

void session::end_drain() {
  if (stage_ == stage::batching) return batch_->end_drain();
  if (stage_ == stage::receiving)
    refuse_unfinished(problem::draining, "the request had not come whole when the server ended");
}

void session::check_deadline(clock::time_point now) {
  // What executes is bounded by the engine, not by the client.
  if (now < deadline_ || stage_ == stage::executing || stage_ == stage::closed) return;
  if (stage_ == stage::batching) return batch_->on_deadline();
  // A request that has come by now is under way: it was sent before the client could see the end.
  if (stage_ == stage::idle && has_unread_bytes()) return;
  if (stage_ != stage::receiving) return close();
  thread_.counters().timeouts.fetch_add(1, std::memory_order_relaxed);
  refuse_unfinished(problem::request_timeout, "the request did not arrive in time");
}

void session::refuse_unfinished(problem which, std::string_view detail) {
  error_code ignored;
  socket_.cancel(ignored);
  refuse(which, detail);
}

}  // namespace ordem::http_edge
