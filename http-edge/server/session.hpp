// One connection: reads a request, has it handled, waits for the engine if necessary, writes the response, then goes on
// to the next request. Pipelined requests are handled one after the other, in order. Created and called by one I/O
// thread; kept alive by its pending operations and by its requests in the engine.
#pragma once

#include <array>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/intrusive/list.hpp>
#include <chrono>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "engine/model/outcome.hpp"
#include "engine/ports/engine_port.hpp"
#include "engine/ports/tracing.hpp"
#include "http-edge/access/tenant_limits.hpp"
#include "http-edge/feed/feed_connection.hpp"
#include "http-edge/feed/feed_stream.hpp"
#include "http-edge/orders/batch_connection.hpp"
#include "http-edge/orders/batch_stream.hpp"
#include "http-edge/orders/order_page.hpp"
#include "http-edge/protocol/connection_info.hpp"
#include "http-edge/protocol/memory_budget.hpp"
#include "http-edge/protocol/padded_body.hpp"
#include "http-edge/protocol/request_context.hpp"
#include "http-edge/protocol/request_head.hpp"
#include "http-edge/protocol/request_header.hpp"
#include "http-edge/protocol/response.hpp"
#include "http-edge/protocol/route.hpp"
#include "http-edge/server/address_counts.hpp"
#include "http-edge/server/admission_control.hpp"
#include "http-edge/server/connection_count.hpp"
#include "http-edge/server/request_span.hpp"
#include "http-edge/server/request_trail.hpp"
#include "http-edge/server/stream.hpp"

namespace ordem::http_edge {

class io_thread;

// The hook for an I/O thread's list of sessions. A session leaves the list when it is destroyed.
using session_hook = boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;

// A connection that a listener has accepted, for a session to serve.
struct accepted_connection {
  stream::socket_type socket;
  shared_tls_context tls;  // null for plain TCP
  connection_info info;
  connection_permit permit;
  address_permit address;
  // Why the connection gets 503 and is closed; empty if it is served. Text that is never destroyed.
  std::string_view refusal;
};

class session final : public std::enable_shared_from_this<session>,
                      public session_hook,
                      private batch_connection,
                      private feed_connection {
 public:
  using clock = std::chrono::steady_clock;
  using socket_type = stream::socket_type;

  session(accepted_connection&& accepted, io_thread& thread);
  session(const session&) = delete;
  session& operator=(const session&) = delete;
  ~session() override = default;

  // Serves the connection, or refuses it with the reason that it was accepted with.
  void start();
  // The engine's answer to a submitted request. `line` is the number that was given to io_thread::submit().
  void on_answer(std::uint32_t line, answer&& what);
  // Goes on with the request that io_thread::hold_back() has held back.
  void resume(admission how);
  // The read gate has opened for the read that io_thread::wait_for_gate() has kept, or it has not in time.
  void on_gate(bool opened);
  // Responds to the request that io_thread::delay() has kept.
  void end_delay();
  // The change feed has published blocks.
  void on_feed_blocks();
  // Returns the trace that the engine continues, or null if the request is not sampled or a line of a batch.
  shared_trace trace_of(const engine_request& submitted);
  // Ends the request or the connection if its deadline has passed. Called at regular intervals.
  void check_deadline(clock::time_point now);
  // Starts to drain: the next response is the last, and the connection is closed if no request arrives soon.
  void drain();
  // Ends the drain: a request that has not arrived completely is refused.
  void end_drain();

 private:
  // Whether the request may be made at all; see handler::authorize().
  enum class standing : std::uint8_t { unknown, authorized, denied };
  enum class stage : std::uint8_t {
    handshaking,
    idle,
    receiving,
    waiting,  // for the read gate
    executing,
    batching,
    feeding,
    writing,
    lingering,
    closed
  };

  void refuse_connection(problem which, std::string_view detail);
  void begin_handshake();
  void on_handshake(boost::beast::error_code ec);
  void next_request();
  void parse_buffered();
  bool skip_empty_lines();
  bool accept_header();
  bool has_to_wait();
  void hold_back();
  bool admits_message();
  void respond_refused_head();
  void send_refused_head();
  void wait_for_release();
  void read_more();
  bool make_room(std::size_t bytes);
  void on_bytes(boost::beast::error_code ec, std::size_t count);
  bool waits_for_continue() const;
  void refuse_unsent_body();
  void send_continue();
  void handle_request();
  void wait_for_gate();
  void end_wait_for_gate(problem which, std::string_view detail);
  void give_up_gate(problem which, std::string_view detail);
  void execute_request();
  void read_page();
  resource requested_resource();
  bool is_batch() const;
  void begin_batch();
  void on_batch_bytes(boost::beast::error_code ec, std::size_t count);
  // Writes what a batch or the feed sends at once. Calls on_written(session, error).
  template <class OnWritten>
  void write_chunk_parts(const std::array<boost::asio::const_buffer, 3>& parts, OnWritten on_written);
  void on_batch_written(boost::beast::error_code ec);
  void begin_feed(feed_request&& what);
  void watch_reader();
  void leave_feed();
  void on_feed_written(boost::beast::error_code ec);
  void extend_deadline();
  void refuse(problem which, std::string_view detail);
  void refuse_unparsable(boost::beast::error_code why);
  void refuse_unfinished(problem which, std::string_view detail);
  void respond(const response& what);
  bool is_last_response();
  void complete_context();
  void note_answer(unsigned status, std::optional<problem> which);
  void note_lines(const batch_stream& of);
  void log_request(bool cut);
  bool reserve_response();
  void begin_trace();
  void end_trace(unsigned status);
  void refuse_for_memory(bool closes);
  void write_out();
  void on_written(boost::beast::error_code ec);
  void linger();
  void close();
  std::uint64_t body_bytes_max() const;

  // batch_connection: called by batch_.
  std::size_t unparsed_bytes() const noexcept override { return buffer_.size(); }
  parse_result parse_body() override;
  void read_body() override;
  void write_chunk(const chunk_parts& parts) override;
  void schedule_turn() override;
  bool begin_line() override;
  void end_line() noexcept override;
  void cancel_line() noexcept override;
  void submit_line(message&& what, std::uint32_t line) override;
  std::size_t lines_in_flight_max() const noexcept override;
  bool draining() const noexcept override;
  bool keeps_alive() const noexcept override;
  std::string_view request_id() const noexcept override { return context_.request_id; }
  void end_batch(bool complete) override;
  void refuse_batch(boost::beast::error_code why) override;
  void refuse_batch(problem which, std::string_view detail) override;

  // feed_connection: called by feed_.
  void write_feed(const feed_parts& parts) override;
  void read_feed(position after, const feed_filter& by) override;
  bool reserve_feed(std::size_t bytes) noexcept override { return out_memory_.resize(bytes); }
  std::string_view feed_request_id() const noexcept override { return context_.request_id; }
  void end_feed(bool complete) override;
  void end_feed(const response& what) override;

  stream stream_;
  connection_info connection_;
  const connection_permit permit_;
  const address_permit address_permit_;
  const std::string_view refusal_;
  io_thread& thread_;
  stage stage_ = stage::idle;
  clock::time_point deadline_;
  clock::time_point received_at_;
  boost::beast::flat_buffer buffer_;
  memory_budget::permit buffer_memory_;
  std::optional<request_parser> parser_;
  padded_body::value_type body_memory_;
  std::optional<resource> resource_;  // of the request, once its target has been parsed
  standing standing_ = standing::unknown;
  tenant_permit permit_of_tenant_;             // of the request, until its response; of the lines of a batch
  tl::expected<request_head, response> head_;  // of the request whose body is read, or the error that refuses it
  request_context context_;                    // of the request; complete once its header has been read
  std::unique_ptr<request_span> span_;         // of the request; null if it is not sampled
  wire_options wire_;
  std::unique_ptr<request_trail> trail_;  // of the request; null if requests are not logged
  std::string out_;
  memory_budget::permit out_memory_;
  memory_budget::permit metrics_memory_;
  std::unique_ptr<batch_stream> batch_;  // the batch in progress
  boost::asio::steady_timer line_timer_;
  bool line_is_awaited_ = false;       // line_timer_ runs, as the tenant's bounds allow no line of the batch now
  std::uint64_t gate_number_ = 0;      // of the read that waits for the gate
  std::unique_ptr<order_page> page_;   // the page being read
  std::unique_ptr<feed_stream> feed_;  // the reader of the change feed
  std::list<std::shared_ptr<session>>::iterator feed_place_;  // of this in the thread's list, while there is feed_
  bool continue_is_due_ = false;
  bool is_held_back_ = false;           // io_thread::hold_back() has the request, of which no byte was parsed
  std::optional<admission> admission_;  // of the request that is being received, once decided
  clock::time_point refused_at_;        // when the message of this request was refused, or zero
  clock::time_point limited_until_;     // a request that gets 429 until then is delayed
  clock::time_point held_until_;        // until then requests are left unread while the thread is overloaded
  int empty_lines_ = 0;                 // skipped before the request
  bool stays_open_ = true;
  std::size_t lingered_bytes_ = 0;
};

using session_list = boost::intrusive::list<session, boost::intrusive::constant_time_size<false>>;

}  // namespace ordem::http_edge
