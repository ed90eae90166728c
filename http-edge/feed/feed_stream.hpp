// One reader of the change feed: a position that moves on as its events are sent. Of a stream it sends what there is as
// chunks, without an end; of a page it collects events until the page is full or nothing more is there. Owned by the
// session of its connection; all calls are made on the session's I/O thread.
//
// A stream tells now and then how far it has looked, so that a reader whose filter takes few events can go on from
// there: as "id: N" without data, which a browser takes as the id of the last event, or as the line {"position":N}.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include "engine/model/ids.hpp"
#include "http-edge/feed/change_feed.hpp"
#include "http-edge/feed/feed_connection.hpp"
#include "http-edge/feed/feed_request.hpp"

namespace ordem::http_edge {

namespace feed_limits {
// A stream without an event sends its position after this time, which also shows proxies that it is alive.
inline constexpr auto mark_interval = std::chrono::seconds(10);
// A stream is ended after this time, so that its reader comes again and is authorised again.
inline constexpr auto stream_time_max = std::chrono::minutes(15);
}  // namespace feed_limits

class feed_stream {
 public:
  using clock = std::chrono::steady_clock;

  // `of` and `connection` must outlive the stream.
  feed_stream(feed_connection& connection, change_feed& of, change_feed::permit&& permit, feed_request&& what,
              clock::time_point now);

  void start();

  // Events, as described in feed_connection.
  void on_written();
  void on_read(change_feed::read_result&& block);
  // Blocks were published.
  void on_blocks();
  // Time passes: called now and then.
  void on_tick(clock::time_point now);
  // The server drains: a page is answered, and a stream ends after what is being written.
  void end();

  // Returns whether the client has to read before anything else happens. The deadline of the connection applies then.
  bool is_writing() const noexcept { return state_ == state::writing; }
  bool is_page() const noexcept { return request_.form == feed_form::page; }
  // Returns how far the reader has got.
  position now_at() const noexcept { return position_; }

 private:
  enum class state : std::uint8_t { running, waiting, reading, writing };

  void advance();
  bool take(const shared_feed_block& from);
  bool take_events(const feed_block& from);
  void send(std::string_view text);
  void send_mark();
  void finish();
  void cut(feed_cut why);
  void respond_page();
  bool page_is_full() const noexcept;
  void report_position() const noexcept;
  void append_mark(std::string& out) const;

  feed_connection& connection_;
  change_feed& feed_;
  const change_feed::permit permit_;
  const feed_request request_;
  const clock::time_point began_at_;
  clock::time_point sent_at_;
  state state_ = state::running;
  bool is_ending_ = false;     // nothing is sent but the end
  bool last_is_sent_ = false;  // the last chunk is being written
  position position_;          // all events up to it have been sent or collected
  shared_feed_block sending_;  // being written
  shared_feed_block read_;     // was read from the log for this reader alone
  std::string text_;           // what is sent, or collected, apart from whole blocks
  std::string before_;         // the head of the chunk, and of the response
  std::size_t page_events_ = 0;
};

}  // namespace ordem::http_edge
