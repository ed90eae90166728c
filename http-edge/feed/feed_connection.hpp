// The operations of a connection that a reader of the feed uses. Implemented by session, which owns the reader and
// calls it back; all calls are made on the connection's I/O thread.
#pragma once

#include <array>
#include <boost/asio/buffer.hpp>
#include <cstddef>
#include <string_view>

#include "engine/model/ids.hpp"
#include "http-edge/feed/feed_filter.hpp"
#include "http-edge/protocol/response.hpp"

namespace ordem::http_edge {

class feed_connection {
 public:
  // The head of a chunk, its data and its end.
  using feed_parts = std::array<boost::asio::const_buffer, 3>;

  feed_connection() = default;
  feed_connection(const feed_connection&) = delete;
  feed_connection& operator=(const feed_connection&) = delete;
  virtual ~feed_connection() = default;

  // Starts a write, which ends with feed_stream::on_written(), never before this call returns, or closes the connection
  // if it fails, or if the client takes no byte for too long. The bytes must not change until then.
  virtual void write_feed(const feed_parts& parts) = 0;
  // Has the block behind that position read, which ends with feed_stream::on_read().
  virtual void read_feed(position after, const feed_filter& by) = 0;
  // Takes the memory of a buffer of that size from the budget of responses, in place of what was taken before. Returns
  // false if the budget does not have it.
  virtual bool reserve_feed(std::size_t bytes) noexcept = 0;
  // Returns the value of X-Request-Id of the response.
  virtual std::string_view feed_request_id() const noexcept = 0;

  // End the reader, and destroy it before they return: with the last chunk of a stream written, or in the middle of a
  // stream, or with the response that is a page or an error.
  virtual void end_feed(bool complete) = 0;
  virtual void end_feed(const response& what) = 0;
};

}  // namespace ordem::http_edge
