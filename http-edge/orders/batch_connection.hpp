// The operations of a connection that a batch uses. Implemented by session, which owns the batch and calls it back; all
// calls are made on the connection's I/O thread.
#pragma once

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/beast/core/error.hpp>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "engine/codec/problem.hpp"
#include "engine/model/message.hpp"

namespace ordem::http_edge {

class batch_connection {
 public:
  // The head of a chunk, its data and its end.
  using chunk_parts = std::array<boost::asio::const_buffer, 3>;

  // Whether the parser used any of the received bytes, and why the body cannot be parsed further.
  struct parse_result {
    bool progressed = false;
    boost::beast::error_code error;
  };

  batch_connection() = default;
  batch_connection(const batch_connection&) = delete;
  batch_connection& operator=(const batch_connection&) = delete;
  virtual ~batch_connection() = default;

  // Returns the number of bytes that have been received but not parsed.
  virtual std::size_t unparsed_bytes() const noexcept = 0;
  // Parses received bytes: the parser appends them to the body.
  virtual parse_result parse_body() = 0;

  // Starts a read, which ends with batch_stream::on_bytes(), or closes the connection if it fails.
  virtual void read_body() = 0;
  // Starts a write, which ends with batch_stream::on_written(), or closes the connection if it fails. The bytes must
  // not change until then.
  virtual void write_chunk(const chunk_parts& parts) = 0;
  // Calls batch_stream::on_turn() after the handlers that are ready now.
  virtual void schedule_turn() = 0;

  // Takes a line's place within the bounds of the tenant. If there is none now, returns false and calls
  // batch_stream::on_turn() once there may be one.
  virtual bool begin_line() = 0;
  // The line has its verdict.
  virtual void end_line() noexcept = 0;
  // There was no line.
  virtual void cancel_line() noexcept = 0;

  // Submits the message of a line to the engine, whose answer comes by batch_stream::on_answer() with this number.
  virtual void submit_line(message&& what, std::uint32_t line) = 0;

  // Returns how many lines may be in flight at present: at most batch_limits::lines_in_flight_max, and fewer while the
  // server has more messages than it can execute in time.
  virtual std::size_t lines_in_flight_max() const noexcept = 0;
  // Returns whether the server drains: it accepts no more lines.
  virtual bool draining() const noexcept = 0;
  // Returns whether the connection may stay open after the response.
  virtual bool keeps_alive() const noexcept = 0;
  // Returns the value of X-Request-Id of the response.
  virtual std::string_view request_id() const noexcept = 0;

  // End the batch, and destroy it before they return. end_batch: the response was sent, `complete` or up to the last
  // verdict. refuse_batch: no byte of a response was sent, because the body could not be read, or is not a batch.
  virtual void end_batch(bool complete) = 0;
  virtual void refuse_batch(boost::beast::error_code why) = 0;
  virtual void refuse_batch(codec::problem which, std::string_view detail) = 0;
};

}  // namespace ordem::http_edge
