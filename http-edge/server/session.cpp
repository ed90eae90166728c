#include "http-edge/server/session.hpp"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <functional>
#include <optional>
#include <utility>

#include "engine/base/limits.hpp"
#include "http-edge/handler.hpp"
#include "http-edge/orders/batch_limits.hpp"
#include "http-edge/orders/order_handler.hpp"
#include "http-edge/server/io_thread.hpp"

namespace ordem::http_edge {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::beast::error_code;

constexpr std::size_t read_bytes = 4096;
// The time that Retry-After names. A connection whose message was refused is held back for it.
constexpr auto held_back_time = std::chrono::seconds(1);
// Empty lines that are skipped before one request. What follows more of them is not HTTP.
constexpr int empty_lines_max = 4;
// After the last response of a connection, incoming bytes are read and dropped up to these bounds. Closing at once
// could reset the connection before the client has read the response.
constexpr std::size_t lingered_bytes_max = std::size_t{4} << 20;
constexpr auto linger_time = std::chrono::seconds(2);
// While the server drains, an idle connection is closed after this time. A client that has just read a response, or has
// just connected, may already have sent its next request; a busy client sends it within this time.
constexpr auto drain_idle_time = std::chrono::milliseconds(100);
// The time for which a page is read before the other connections of the thread get their turn.
constexpr auto page_turn = std::chrono::milliseconds(2);
// The memory that a page may need while it is being read: the text of its orders doubles as it grows.
constexpr std::size_t page_memory = 2 * limits::page_bytes_max;

// The time for a TLS handshake, if --request-timeout is not shorter; from the begin of a drain, the second one.
constexpr auto handshake_time_max = std::chrono::seconds(10);
constexpr auto drain_handshake_time = std::chrono::seconds(1);

// Of a stream of the change feed that the client does not read, the kernel holds this much. Without the bound it would
// take megabytes for each such client.
constexpr int feed_unsent_bytes_max = 128 << 10;

// While the server drains, a stream whose client reads nothing is closed after this.
constexpr auto drain_feed_time = std::chrono::seconds(1);

constexpr std::string_view continue_line = "HTTP/1.1 100 Continue\r\n\r\n";

}  // namespace

session::session(accepted_connection&& accepted, io_thread& thread)
    : stream_(std::move(accepted.socket), accepted.tls.get()),
      connection_(std::move(accepted.info)),
      permit_(std::move(accepted.permit)),
      address_permit_(std::move(accepted.address)),
      refusal_(accepted.refusal),
      thread_(thread),
      buffer_memory_(thread.counters().body_memory),
      out_memory_(thread.counters().response_memory),
      metrics_memory_(thread.counters().metrics_memory),
      line_timer_(thread.io_context()) {
  body_memory_.count_in(thread.counters().body_memory);
  if (thread.context().request_log != nullptr) trail_ = std::make_unique<request_trail>();
}

void session::start() {
  if (!refusal_.empty()) return refuse_connection(problem::too_many_connections, refusal_);
  error_code ignored;
  stream_.socket().set_option(asio::ip::tcp::no_delay(true), ignored);
  stream_.tls() != nullptr ? begin_handshake() : next_request();
}

void session::refuse_connection(problem which, std::string_view detail) {
  received_at_ = clock::now();
  if (trail_) *trail_ = {.is_open = true, .began_at = received_at_};
  response refused = problem_response(which, detail);
  refused.close = true;
  respond(refused);
}

void session::begin_handshake() {
  stage_ = stage::handshaking;
  deadline_ = clock::now() + std::min<clock::duration>(thread_.settings().request_timeout, handshake_time_max);
  stream_.async_handshake(buffer_.prepare(read_bytes),
                          [self = shared_from_this()](error_code ec, std::size_t) { self->on_handshake(ec); });
}

void session::on_handshake(error_code ec) {
  if (stage_ == stage::closed) return;
  edge_counters& counters = thread_.counters();
  auto subject = ec ? std::nullopt : stream_.tls()->peer_subject();
  if (!subject) {
    counters.tls_handshakes_failed.fetch_add(1, std::memory_order_relaxed);
    if (!stream_.tls()->met_plain_http()) return linger();  // the client is to read the alert
    stream_.become_plain();
    return refuse_connection(problem::malformed_request, "this port speaks TLS alone: use https://");
  }
  auto& counted = stream_.tls()->is_resumed() ? counters.tls_handshakes_resumed : counters.tls_handshakes_full;
  counted.fetch_add(1, std::memory_order_relaxed);
  connection_.certificate_subject = std::move(*subject);
  next_request();
}

// --- reading ---

void session::next_request() {
  stage_ = stage::idle;
  resource_.reset();
  standing_ = standing::unknown;
  admission_.reset();
  context_.clear();
  span_.reset();
  continue_is_due_ = false;
  empty_lines_ = 0;
  deadline_ = clock::now() + thread_.settings().idle_timeout;
  if (thread_.draining()) drain();
  parser_.emplace();
  parser_->header_limit(static_cast<std::uint32_t>(thread_.settings().header_bytes_max));
  parser_->body_limit(boost::none);  // set once the header names the resource
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
      if (thread_.overloaded() && has_to_wait()) return hold_back();
      stage_ = stage::receiving;
      const auto now = clock::now();
      deadline_ = now + thread_.settings().request_timeout;
      if (trail_) *trail_ = {.is_open = true, .began_at = now};
    }
    const bool had_header = parser_->is_header_done();
    error_code ec;
    const std::size_t used = parser_->put(buffer_.data(), ec);
    buffer_.consume(used);
    if (trail_) trail_->bytes_in += used;
    if (ec && ec != http::error::need_more) return refuse_unparsable(ec);
    if (!had_header && parser_->is_header_done() && !accept_header()) return;
    if (!head_) parser_->get().body().clear();  // the request has been refused: only the end of its body matters
    if (parser_->is_done()) return handle_request();
    if (ec != http::error::need_more && used > 0) continue;
    // The parser waits for the end of a header line, a chunk's extension or a trailer: header_bytes_max bounds them.
    if (buffer_.size() > thread_.settings().header_bytes_max) return refuse_unparsable(http::error::header_limit);
    break;
  }
  if (parser_->is_header_done() && waits_for_continue()) return send_continue();
  read_more();
}

// Decides about a message before it is parsed. Returns true if it has to wait. Reads never wait: their methods begin
// with other letters than those of writes, which are POST, PUT, PATCH and DELETE.
bool session::has_to_wait() {
  const char first = *static_cast<const char*>(buffer_.data().data());
  if (admission_ || thread_.draining() || (first != 'P' && first != 'D')) return false;
  admission_ = thread_.admit();
  if (admission_ != admission::wait) return false;
  admission_.reset();
  return true;
}

// RFC 9112, section 2.2: some clients end a body with a line end that they do not count. Returns true if no other bytes
// have arrived.
bool session::skip_empty_lines() {
  const auto here = [this] {
    return std::string_view(static_cast<const char*>(buffer_.data().data()), buffer_.size());
  };
  for (; empty_lines_ < empty_lines_max && here().starts_with("\r\n"); ++empty_lines_) buffer_.consume(2);
  return here().empty() || (empty_lines_ < empty_lines_max && here() == "\r");
}

// Checks the header, which also decides how the body is read. Returns false if the caller must not continue with the
// request.
bool session::accept_header() {
  const auto& request = parser_->get();
  wire_ = {request.method() == http::verb::head, http_edge::keeps_alive(request), request.version() < 11, {}};
  complete_context();
  auto to = find_route(request.target());
  resource_ = resource_of(to);
  if (thread_.context().tracer != nullptr) begin_trace();
  if (const auto fault = find_fault(request)) {
    refuse(fault->which, fault->detail);
    return false;
  }
  parser_->eager(true);
  handler& checks = thread_.handler();
  auto authorized = checks.authorize(request, to, connection_);
  standing_ = authorized ? standing::authorized : standing::denied;
  if (!authorized) head_ = tl::make_unexpected(std::move(authorized.error()));
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
  if (authorized) {
    permit_of_tenant_ = std::move(authorized->permit);
    if (trail_) trail_->origin = authorized->origin;
    head_ = checks.read_head(request, std::move(to), connection_, std::move(authorized->origin));
    if (head_ && !batch && thread_.overloaded() && !admits_message()) {
      head_ = tl::make_unexpected(refusal_of(problem::overloaded, "messages take too long at present; nothing was done",
                                             request.method(), *resource_, thread_.context()));
    }
  }
  continue_is_due_ = expects_continue(request);
  if (waits_for_continue() && head_) {
    if (auto refused = checks.refuse_unsent_body(request, *head_)) head_ = tl::make_unexpected(std::move(*refused));
  }
  if (batch && head_ && thread_.draining()) {
    head_ = tl::make_unexpected(refused_request(problem::draining, "no new batch is taken", request.method(),
                                                requested_resource(), thread_.context()));
  }
  if (!head_ && (batch || waits_for_continue())) {
    refuse_unsent_body();
    return false;
  }
  if (batch) begin_batch();
  return !batch;
}

// Returns whether the request goes on. Only messages and calls of captures can be refused.
bool session::admits_message() {
  if (!is_executed(*resource_, parser_->get().method())) return true;
  if (!admission_) admission_ = thread_.admit();
  if (admission_ != admission::refuse) {
    held_until_ = {};
    return true;
  }
  refused_at_ = clock::now();
  held_until_ = refused_at_ + held_back_time;
  return false;
}

// A client that goes on without heeding Retry-After gets its next 429 about a second later, so that the refusals of a
// flood cost other tenants little. Its connection is not left unread: by it a proxy may send a request of another
// tenant.
void session::respond_refused_head() {
  if (head_.error().status != 429 || clock::now() >= limited_until_ || thread_.draining()) return send_refused_head();
  stage_ = stage::executing;
  thread_.delay(shared_from_this());
}

void session::end_delay() {
  if (stage_ != stage::executing) return;
  received_at_ = clock::now();  // the time of a response does not include the delay
  send_refused_head();
}

void session::send_refused_head() {
  const auto since = std::exchange(refused_at_, {});
  const response refused = std::move(head_.error());
  if (refused.status == 429) limited_until_ = clock::now() + held_back_time;
  respond(refused);
  if (since != clock::time_point()) thread_.count_refusal(since);
}

// Reads the request's context, unless that has been done, from as much of the header as has been parsed.
void session::complete_context() {
  if (!context_.request_id.empty()) return;
  if (parser_) read_request_context(parser_->get(), context_);
  if (context_.request_id.empty()) thread_.request_ids().generate(context_.request_id);
}

// Operations are not traced: probes and scrapes come every few seconds and tell nothing.
void session::begin_trace() {
  if (is_of_operations(*resource_)) return;
  std::optional<remote_parent> parent;
  if (context_.parent) parent = {{context_.parent->trace_id, context_.parent->span_id}, context_.parent->sampled};
  if (auto trace = thread_.context().tracer->begin(parent, context_.trace_state))
    span_ = std::make_unique<request_span>(std::move(trace), clock::now());
}

shared_trace session::trace_of(const engine_request& submitted) {
  if (!span_ || batch_) return nullptr;
  span_->note_key(submitted);
  return span_->trace();
}

void session::end_trace(unsigned status) {
  const auto ended = std::move(span_);
  thread_.context().tracer->record(ended->end({.header = parser_->get(),
                                               .to = *resource_,
                                               .by_tls = stream_.tls() != nullptr,
                                               .request_id = context_.request_id,
                                               .status = status}));
}

// Returns the resource that the target names. A request may have to be refused before its header is complete.
resource session::requested_resource() {
  if (!resource_) resource_ = resource_of(find_route(parser_->get().target()));
  return *resource_;
}

// Makes room for `bytes` more in the buffer. Returns false if the budget does not have the memory.
bool session::make_room(std::size_t bytes) {
  const std::size_t needed = buffer_.size() + bytes;
  if (needed <= buffer_.capacity()) return true;
  return buffer_memory_.resize(std::max(needed, 2 * buffer_.size()));  // as flat_buffer grows
}

// Leaves the next request of a client that has just been refused in the socket, where it costs nothing.
void session::wait_for_release() {
  stream_.socket().async_wait(stream::socket_type::wait_read, [self = shared_from_this()](error_code ec) {
    if (self->stage_ != stage::idle) return;
    ec ? self->close() : self->hold_back();
  });
}

void session::hold_back() {
  is_held_back_ = true;
  thread_.hold_back(shared_from_this());
}

void session::resume(admission how) {
  is_held_back_ = false;
  if (stage_ != stage::idle) return;
  admission_ = how;
  if (buffer_.size() > 0) return parse_buffered();
  if (stream_.tls() != nullptr) return read_more();
  // At once, so that the message is in flight before the next one is looked at.
  if (!make_room(read_bytes)) return refuse_unparsable(make_error_code(boost::system::errc::not_enough_memory));
  error_code ec;
  const std::size_t count = stream_.socket().read_some(buffer_.prepare(read_bytes), ec);
  ec == asio::error::would_block ? read_more() : on_bytes(ec, count);
}

void session::read_more() {
  // With TLS the beginning of a request may have been received already.
  const bool is_unread = buffer_.size() == 0 && (stream_.tls() == nullptr || !stream_.tls()->has_buffered_bytes());
  if (stage_ == stage::idle && is_unread && !admission_ && thread_.overloaded() && !thread_.draining() &&
      clock::now() < held_until_) {
    return wait_for_release();
  }
  if (!make_room(read_bytes)) return refuse_unparsable(make_error_code(boost::system::errc::not_enough_memory));
  stream_.async_read_some(buffer_.prepare(read_bytes),
                          [self = shared_from_this()](error_code ec, std::size_t count) { self->on_bytes(ec, count); });
}

void session::on_bytes(error_code ec, std::size_t count) {
  if (stage_ != stage::idle && stage_ != stage::receiving) return;  // timed out or closed meanwhile
  if (ec) return close();  // the client has disconnected: a response could not be delivered
  buffer_.commit(count);
  parse_buffered();
}

bool session::waits_for_continue() const {
  return continue_is_due_ && !parser_->is_done();
}

void session::send_continue() {
  continue_is_due_ = false;
  stream_.async_write(asio::buffer(continue_line), [self = shared_from_this()](error_code ec, std::size_t) {
    if (self->stage_ != stage::receiving) return;
    if (ec) return self->close();
    self->is_batch() ? self->begin_batch() : self->read_more();
  });
}

// Responds without waiting for the body: that of a batch may have any length, and a client that waits for 100 Continue
// may never send it.
void session::refuse_unsent_body() {
  received_at_ = clock::now();
  error_code ignored;
  if (!parser_->is_done()) buffer_.consume(parser_->put(buffer_.data(), ignored));
  head_.error().close = head_.error().close || !parser_->is_done();
  respond_refused_head();
}

std::uint64_t session::body_bytes_max() const {
  const server_settings& settings = thread_.settings();
  return is_of_captures(*resource_) ? std::max(settings.body_bytes_max, capture_body_bytes_max(settings))
                                    : settings.body_bytes_max;
}

// --- batches ---

bool session::is_batch() const {
  return resource_ && is_of_batches(*resource_) && parser_->get().method() == http::verb::post;
}

void session::begin_batch() {
  received_at_ = clock::now();
  if (waits_for_continue()) return send_continue();
  permit_of_tenant_.release_all();  // each line takes a place of its own
  stage_ = stage::batching;
  edge_counters& counters = thread_.counters();
  const batch_resources resources{
      thread_.settings().body_bytes_max, *thread_.context().orders, counters.response_memory,
      thread_.handler().line_parser(),   counters.batch_lines,      counters.batch_problems};
  batch_ = std::make_unique<batch_stream>(static_cast<batch_connection&>(*this), *parser_, batch_request_of(*head_),
                                          resources);
  batch_->start();
}

session::parse_result session::parse_body() {
  error_code ec;
  const std::size_t used = parser_->put(buffer_.data(), ec);
  buffer_.consume(used);
  if (trail_) trail_->bytes_in += used;
  if (ec == http::error::need_more) ec = {};
  // The parser waits for the end of a chunk's extension, or of a trailer.
  if (!ec && used == 0 && !parser_->is_done() && buffer_.size() > thread_.settings().header_bytes_max)
    ec = http::error::header_limit;
  if (ec || parser_->is_done()) received_at_ = clock::now();
  return {used > 0, ec};
}

void session::read_body() {
  extend_deadline();
  const bool has_memory = make_room(batch_limits::read_bytes);
  stream_.async_read_some(
      buffer_.prepare(has_memory ? batch_limits::read_bytes : memory_budget::uncounted_bytes),
      [self = shared_from_this()](error_code ec, std::size_t count) { self->on_batch_bytes(ec, count); });
}

void session::on_batch_bytes(error_code ec, std::size_t count) {
  if (stage_ != stage::batching) return;
  if (ec && ec != asio::error::eof) return close();
  buffer_.commit(count);
  batch_->on_bytes(ec);
}

template <class OnWritten>
void session::write_chunk_parts(const std::array<asio::const_buffer, 3>& parts, OnWritten on_written) {
  extend_deadline();
  if (trail_) trail_->bytes_out += boost::asio::buffer_size(parts);
  // Each part of the write that succeeds extends the deadline.
  const auto next_write_bytes = [this](error_code ec, std::size_t) -> std::size_t {
    extend_deadline();
    return ec ? 0 : batch_limits::write_bytes;
  };
  stream_.async_write(parts, next_write_bytes,
                      [self = shared_from_this(), on_written](error_code ec, std::size_t) { on_written(*self, ec); });
}

void session::write_chunk(const chunk_parts& parts) {
  write_chunk_parts(parts, std::mem_fn(&session::on_batch_written));
}

void session::on_batch_written(error_code ec) {
  if (stage_ != stage::batching) return;
  ec ? close() : batch_->on_written();
}

void session::schedule_turn() {
  extend_deadline();
  asio::post(thread_.io_context(), [self = shared_from_this()] {
    if (self->stage_ == stage::batching) self->batch_->on_turn();
  });
}

void session::submit_line(message&& what, std::uint32_t line) {
  thread_.submit(shared_from_this(), std::move(what), line);
}

bool session::begin_line() {
  if (thread_.draining()) return true;  // the line is refused
  const auto begun = permit_of_tenant_.begin_line(clock::now());
  if (begun) return true;
  if (std::exchange(line_is_awaited_, true)) return false;
  line_timer_.expires_after(begun.error());
  line_timer_.async_wait([self = shared_from_this()](error_code ec) {
    self->line_is_awaited_ = false;
    if (!ec && self->stage_ == stage::batching) self->batch_->on_turn();
  });
  return false;
}

void session::end_line() noexcept {
  permit_of_tenant_.end_line();
}

void session::cancel_line() noexcept {
  permit_of_tenant_.cancel_line();
}

void session::extend_deadline() {
  deadline_ = clock::now() + thread_.settings().request_timeout;
}

std::size_t session::lines_in_flight_max() const noexcept {
  const std::size_t most = thread_.settings().patient_messages_max;
  if (!thread_.overloaded()) return std::clamp(most, std::size_t{1}, batch_limits::lines_in_flight_max);
  return std::clamp(most / batch_limits::overloaded_share, std::size_t{1},
                    batch_limits::overloaded_lines_in_flight_max);
}

bool session::draining() const noexcept {
  return thread_.draining();
}

bool session::keeps_alive() const noexcept {
  return wire_.keep_alive && !thread_.draining();
}

void session::end_batch(bool complete) {
  const auto ended = std::move(batch_);  // destroyed at the end of this call, as the batch is the caller
  constexpr unsigned ok = 200;
  if (span_) end_trace(ok);
  note_answer(ok, std::nullopt);
  note_lines(*ended);
  log_request(!complete);
  stays_open_ = complete;
  buffer_.shrink_to_fit();
  buffer_memory_.resize(buffer_.capacity());
  on_written({});
}

void session::refuse_batch(error_code why) {
  const auto ended = std::move(batch_);
  why == asio::error::eof ? close() : refuse_unparsable(why);
}

void session::refuse_batch(problem which, std::string_view detail) {
  const auto ended = std::move(batch_);
  refuse(which, detail);
}

// --- the change feed ---

void session::begin_feed(feed_request&& what) {
  auto permit = thread_.feed().admit();
  if (!permit)
    return respond(problem_response(problem::overloaded, "as many readers of changes as --feed-readers allows"));
  permit_of_tenant_.release_all();
  stage_ = stage::feeding;
  feed_place_ = thread_.add_feed_reader(shared_from_this());
  feed_ = std::make_unique<feed_stream>(static_cast<feed_connection&>(*this), thread_.feed(), std::move(*permit),
                                        std::move(what), clock::now());
  if (!feed_->is_page()) {
    stream_.bound_unsent(feed_unsent_bytes_max);
    watch_reader();
  }
  feed_->start();
}

// Of the reader of a stream nothing is expected but that it closes the connection.
void session::watch_reader() {
  buffer_.clear();
  stream_.async_drop_some(buffer_.prepare(read_bytes), [self = shared_from_this()](error_code ec, std::size_t) {
    if (self->stage_ != stage::feeding) return;
    ec ? self->close() : self->watch_reader();
  });
}

void session::leave_feed() {
  feed_.reset();
  thread_.remove_feed_reader(feed_place_);
}

void session::on_feed_blocks() {
  if (stage_ == stage::feeding) feed_->on_blocks();
}

void session::write_feed(const feed_parts& parts) {
  write_chunk_parts(parts, std::mem_fn(&session::on_feed_written));
}

void session::on_feed_written(error_code ec) {
  if (stage_ != stage::feeding) return;
  ec ? close() : feed_->on_written();
}

void session::read_feed(position after, const feed_filter& by) {
  // The reference goes back to this thread, the only one that may destroy a session.
  thread_.feed().read(after, by, [self = shared_from_this()](change_feed::read_result&& block) mutable {
    asio::io_context& loop = self->thread_.io_context();
    asio::post(loop, [self = std::move(self), block = std::move(block)]() mutable {
      if (self->stage_ == stage::feeding) self->feed_->on_read(std::move(block));
    });
  });
}

void session::end_feed(bool complete) {
  const auto self = shared_from_this();  // the thread's list may have the only reference
  const auto ended = std::move(feed_);   // destroyed at the end of this call, as it is the caller
  leave_feed();
  constexpr unsigned ok = 200;
  if (span_) end_trace(ok);
  received_at_ = clock::now();  // how long the stream was read is no time of a response
  note_answer(ok, std::nullopt);
  log_request(!complete);
  if (!complete) return close();
  stays_open_ = false;
  error_code ignored;
  stream_.socket().cancel(ignored);
  on_written({});
}

void session::end_feed(const response& what) {
  const auto self = shared_from_this();
  const auto ended = std::move(feed_);
  leave_feed();
  respond(what);
}

// --- responses ---

void session::handle_request() {
  stage_ = stage::executing;
  received_at_ = clock::now();
  if (!head_) return respond_refused_head();
  if (head_->is_gated && !thread_.context().gate->is_open()) return wait_for_gate();
  execute_request();
}

void session::wait_for_gate() {
  stage_ = stage::waiting;
  deadline_ = clock::now() + thread_.settings().request_timeout;
  const auto number = thread_.wait_for_gate(shared_from_this());
  if (!number) return end_wait_for_gate(problem::overloaded, "too many reads wait for the owner of the log");
  gate_number_ = *number;
}

void session::on_gate(bool opened) {
  if (!opened) return end_wait_for_gate(problem::no_owner, no_owner_detail);
  stage_ = stage::executing;
  execute_request();
}

void session::end_wait_for_gate(problem which, std::string_view detail) {
  respond(refusal_of(which, detail, parser_->get().method(), *resource_, thread_.context()));
}

// The thread may have the only reference, and is going through its sessions now. `detail` must be a literal.
void session::give_up_gate(problem which, std::string_view detail) {
  stage_ = stage::executing;
  asio::post(thread_.io_context(),
             [self = thread_.forget_read(gate_number_), which, detail] { self->end_wait_for_gate(which, detail); });
}

void session::execute_request() {
  auto result = thread_.handler().handle(parser_->get(), std::move(*head_));
  if (const auto* known = std::get_if<response>(&result)) {
    respond(*known);
  } else if (auto* page = std::get_if<order_page>(&result)) {
    page_ = std::make_unique<order_page>(std::move(*page));
    read_page();
  } else if (auto* feed = std::get_if<feed_request>(&result)) {
    begin_feed(std::move(*feed));
  } else if (auto* call = std::get_if<capture_request>(&result)) {
    if (trail_) trail_->submitted_at = clock::now();
    thread_.submit(shared_from_this(), std::move(*call));
  } else {
    if (trail_) trail_->submitted_at = clock::now();
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
  if (trail_) trail_->answered_at = clock::now();
  respond(answer_response(requested_resource(), what, thread_.context()));
}

// The end of the request may not be known, so the connection closes after the response.
void session::refuse(problem which, std::string_view detail) {
  received_at_ = clock::now();
  const auto& request = parser_->get();
  wire_ = {request.method() == http::verb::head, false, false, {}};
  if (standing_ == standing::denied) {  // the only error that may be sent
    head_.error().close = true;
    return respond(head_.error());
  }
  if (standing_ == standing::unknown && thread_.handler().has_identities())
    return respond(refused_before_authorization(which, detail, requested_resource()));
  respond(refused_request(which, detail, request.method(), requested_resource(), thread_.context()));
}

void session::refuse_unparsable(error_code why) {
  problem which = problem::malformed_request;
  if (why == http::error::header_limit) which = problem::headers_too_large;
  if (why == http::error::body_limit) which = problem::body_too_large;
  if (why == boost::system::errc::not_enough_memory) return refuse(problem::overloaded, body_memory_detail);
  refuse(which, why.message());
}

// If the budget has no memory for the response, an error is sent instead, which is small enough not to be counted.
void session::respond(const response& what) {
  permit_of_tenant_.release_all();
  if (parser_) parser_->get().body().clear();
  out_.clear();
  if (is_last_response()) wire_.keep_alive = false;
  complete_context();
  wire_.request_id = context_.request_id;
  stays_open_ = append_response(out_, what, wire_);
  if (!reserve_response()) return refuse_for_memory(what.close);
  if (span_) end_trace(what.status);
  if (trail_) {
    trail_->detail = what.detail;
    trail_->bytes_out = out_.size();
  }
  note_answer(what.status, what.problem);
  write_out();
}

// Counts the response, which has been rendered.
void session::note_answer(unsigned status, std::optional<problem> which) {
  const auto now = clock::now();
  const auto method = parser_ ? parser_->get().method() : http::verb::unknown;
  thread_.count({resource_.value_or(resource::unknown), method, status, which, now - received_at_});
  if (!trail_) return;
  trail_->status = status;
  trail_->problem = which;
  trail_->rendered_at = now;
}

void session::note_lines(const batch_stream& of) {
  if (!trail_) return;
  const auto& verdicts = of.verdicts();
  const std::uint64_t refused = verdicts[4] + verdicts[5];
  trail_->lines = {verdicts[2] + refused, refused};
}

// Adds the request to the log, unless it is there already. `cut`: its response was not sent to its end.
void session::log_request(bool cut) {
  if (!trail_ || !std::exchange(trail_->is_open, false)) return;
  const auto now = clock::now();
  const auto between = [](clock::time_point from, clock::time_point to) {
    const bool happened = from != clock::time_point{} && to > from;
    return happened ? std::chrono::duration_cast<std::chrono::microseconds>(to - from) : std::chrono::microseconds(0);
  };
  complete_context();
  if (batch_ && batch_->response_begun()) {
    trail_->status = 200;
    note_lines(*batch_);
  }
  thread_.context().request_log->add(
      {.context = context_,
       .origin = trail_->origin,
       .to = resource_.value_or(resource::unknown),
       .method = parser_ ? std::string_view(parser_->get().method_string()) : std::string_view(),
       .address = connection_.peer_address,
       .status = trail_->status,
       .problem = trail_->problem,
       .detail = trail_->detail,
       .lines = trail_->lines,
       .cut = cut,
       .bytes_in = trail_->bytes_in,
       .bytes_out = trail_->bytes_out,
       .total = between(trail_->began_at, now),
       .receive = between(trail_->began_at, received_at_),
       .engine = between(trail_->submitted_at, trail_->answered_at),
       .send = between(trail_->rendered_at, now)});
}

// Takes the memory of the rendered response from the budget. Metrics have some of their own, so that those who use up
// the budget do not hide it.
bool session::reserve_response() {
  if (resource_ == resource::metrics && metrics_memory_.resize(out_.capacity())) return true;
  return out_memory_.resize(out_.capacity());
}

void session::refuse_for_memory(bool closes) {
  std::string().swap(out_);
  const auto& request = parser_->get();
  response refused =
      refused_request(problem::overloaded, "unread answers take as much memory as --response-memory allows",
                      request.method(), requested_resource(), thread_.context());
  refused.close = closes;
  respond(refused);
}

// While the server drains, the last response has `Connection: close`. Requests that have already arrived are answered
// first, for a limited time if the client keeps sending without waiting for responses.
bool session::is_last_response() {
  return thread_.draining() && !(thread_.takes_pipelined() && (buffer_.size() > 0 || stream_.has_unread_bytes()));
}

// Usually the kernel accepts the complete response at once. With a pipelined request in the buffer the write is always
// asynchronous, as otherwise each request of the pipeline would deepen the call stack.
void session::write_out() {
  stage_ = stage::writing;
  std::size_t taken = 0;
  if (buffer_.size() == 0) {
    taken = stream_.write_some(asio::buffer(out_));
    if (taken == out_.size()) return on_written({});
  }
  deadline_ = clock::now() + thread_.settings().request_timeout;
  stream_.async_write(asio::const_buffer(asio::buffer(out_) + taken),
                      [self = shared_from_this()](error_code ec, std::size_t) { self->on_written(ec); });
}

void session::on_written(error_code ec) {
  if (stage_ == stage::closed) return;
  if (ec) return close();
  log_request(false);
  if (out_.capacity() > memory_budget::uncounted_bytes) std::string().swap(out_);
  out_memory_.resize(out_.capacity());
  metrics_memory_.resize(0);
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
    stream_.shutdown_send();
  }
  buffer_.clear();
  stream_.async_drop_some(buffer_.prepare(read_bytes), [self = shared_from_this()](error_code ec, std::size_t count) {
    if (self->stage_ == stage::closed) return;
    self->lingered_bytes_ += count;
    ec || self->lingered_bytes_ > lingered_bytes_max ? self->close() : self->linger();
  });
}

void session::close() {
  stage_ = stage::closed;
  if (feed_) leave_feed();
  log_request(true);
  stream_.close();
}

void session::drain() {
  if (stage_ == stage::handshaking) deadline_ = std::min(deadline_, clock::now() + drain_handshake_time);
  if (stage_ == stage::feeding) {
    deadline_ = std::min(deadline_, clock::now() + drain_feed_time);  // extended by each write that succeeds
    return feed_->end();
  }
  if (stage_ != stage::idle) return;
  const auto idle_since = deadline_ - thread_.settings().idle_timeout;
  deadline_ = std::min(deadline_, idle_since + drain_idle_time);
}

void session::end_drain() {
  if (stage_ == stage::handshaking || stage_ == stage::feeding) return close();
  if (stage_ == stage::waiting)
    return give_up_gate(problem::draining, "the read could not begin before the server ended");
  const bool batch_is_unfinished =
      stage_ == stage::batching && batch_->now_waits_for() == batch_stream::waits_for::client_to_send;
  if (stage_ == stage::receiving || batch_is_unfinished)
    refuse_unfinished(problem::draining, "the request had not come whole when the server ended");
}

void session::check_deadline(clock::time_point now) {
  if (stage_ == stage::feeding) {
    feed_->on_tick(now);
    if (stage_ != stage::feeding || !feed_->is_writing()) return;
  }
  if (now < deadline_) return;
  error_code ignored;
  switch (stage_) {
    case stage::executing:  // the engine answers every request: no deadline applies
    case stage::closed: return;
    case stage::handshaking:
      thread_.counters().tls_handshakes_failed.fetch_add(1, std::memory_order_relaxed);
      return close();
    case stage::idle:
      // A client that has sent a request by now did so before it could see the connection close. What a read has taken
      // comes to on_bytes() yet; one that has taken nothing ends with an error, which closes the connection.
      if (!is_held_back_ && !stream_.has_unreceived_bytes()) stream_.socket().cancel(ignored);
      return;
    case stage::waiting: return give_up_gate(problem::no_owner, no_owner_detail);  // the gate itself does so earlier
    case stage::feeding: thread_.counters().feed.count(feed_cut::stalled); return close();
    case stage::writing:
    case stage::lingering: return close();
    case stage::batching:
      switch (batch_->now_waits_for()) {
        case batch_stream::waits_for::engine: return;
        case batch_stream::waits_for::client_to_read: return close();
        case batch_stream::waits_for::client_to_send: break;
      }
      break;
    case stage::receiving: break;
  }
  thread_.counters().timeouts.fetch_add(1, std::memory_order_relaxed);
  refuse_unfinished(problem::request_timeout, "the request did not arrive in time");
}

// Ends a request that has not arrived completely. A batch that has sent verdicts ends without a further response.
void session::refuse_unfinished(problem which, std::string_view detail) {
  error_code ignored;
  stream_.socket().cancel(ignored);
  if (stage_ == stage::batching && batch_->response_begun()) return end_batch(false);
  refuse(which, detail);
}

}  // namespace ordem::http_edge
