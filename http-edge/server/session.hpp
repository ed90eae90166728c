// One connection: reads a request, has it handled, waits for the engine if it must, writes the answer, and so on in
// turn. Requests that a client pipelines are answered one after the other, in order. Lives on one I/O thread, which
// owns its deadlines.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/intrusive/list.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "engine/model/outcome.hpp"
#include "http-edge/orders/batch_stream.hpp"
#include "http-edge/orders/handler.hpp"
#include "http-edge/orders/order_page.hpp"
#include "http-edge/protocol/memory_budget.hpp"
#include "http-edge/protocol/padded_body.hpp"
#include "http-edge/protocol/request_header.hpp"
#include "http-edge/protocol/response.hpp"
#include "http-edge/server/connection_count.hpp"

namespace ordem::http_edge {

class io_thread;

inline constexpr std::string_view body_memory_detail =
    "the requests that are arriving take as much memory as --body-memory allows";

// The sessions of an I/O thread; one that ends leaves the list by itself.
using session_hook = boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;

class session : public std::enable_shared_from_this<session>, public session_hook {
 public:
  using clock = std::chrono::steady_clock;
  using socket_type = boost::asio::basic_stream_socket<boost::asio::ip::tcp, boost::asio::io_context::executor_type>;

  session(socket_type&& socket, connection_count::place&& place, io_thread& thread);
  session(const session&) = delete;
  session& operator=(const session&) = delete;

  void start();
  // The connection is one too many: it is told so and closed.
  void start_refusing();
  // The engine's answer to what was submitted; of a batch, to that line.
  void on_answer(std::uint32_t line, answer&& what);
  // Called now and then: ends what has taken too long.
  void check_deadline(clock::time_point now);
  // The server drains: the next answer is the connection's last, and if no request comes soon it is closed.
  void drain();
  // The drain ends: what has not come whole by now is answered that it is not taken.
  void end_drain();

 private:
  friend class batch_stream;
  enum class stage : std::uint8_t { idle, receiving, executing, batching, writing, lingering, closed };

  void next_request();
  void parse_buffered();
  bool skip_empty_lines();
  bool accept_header();
  void read_more();
  bool make_room(std::size_t bytes);
  void on_bytes(boost::beast::error_code ec, std::size_t count);
  bool waits_for_continue() const;
  void refuse_unsent_body();
  void send_continue();
  void handle_request();
  void read_page();
  bool is_batch() const;
  void begin_batch();
  void end_batch(bool whole);
  void refuse(problem which, std::string_view detail);
  void refuse_unparsable(boost::beast::error_code why);
  void refuse_unfinished(problem which, std::string_view detail);
  void respond(const response& what);
  bool is_last_answer();
  bool has_unread_bytes();
  void refuse_for_memory(bool closes);
  void write_out();
  void on_written(boost::beast::error_code ec);
  void linger();
  void close();
  std::uint64_t body_bytes_max() const;

  socket_type socket_;
  const connection_count::place place_;
  io_thread& thread_;
  stage stage_ = stage::idle;
  clock::time_point deadline_;
  clock::time_point received_at_;
  boost::beast::flat_buffer buffer_;
  memory_budget::permit buffer_memory_;
  std::optional<request_parser> parser_;
  padded_body::value_type body_memory_;
  tl::expected<request_head, response> head_;  // of the request whose body is read, or the answer that refuses it
  wire_options wire_;
  std::string out_;
  memory_budget::permit out_memory_;
  std::unique_ptr<batch_stream> batch_;  // the one that is under way
  std::unique_ptr<order_page> page_;     // the one that is being read
  bool captures_ = false;                // what executes is a call of captures
  bool continue_is_due_ = false;
  int empty_lines_ = 0;  // that were skipped before the request
  bool stays_open_ = true;
  std::size_t lingered_bytes_ = 0;
};

using session_list = boost::intrusive::list<session, boost::intrusive::constant_time_size<false>>;

}  // namespace ordem::http_edge
