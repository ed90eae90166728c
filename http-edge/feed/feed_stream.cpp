#include "http-edge/feed/feed_stream.hpp"

#include <algorithm>
#include <string_view>
#include <utility>
#include <variant>

#include "engine/base/limits.hpp"
#include "engine/base/text.hpp"

namespace ordem::http_edge {
namespace {

namespace asio = boost::asio;

constexpr std::string_view line_end = "\r\n";
constexpr std::string_view last_chunk = "0\r\n\r\n";
// Proxies are not to collect events (nginx); no copy of them is ever current.
constexpr std::string_view stream_headers = "Cache-Control: no-store\r\nX-Accel-Buffering: no\r\n";
// A buffer for a large event is not kept for small ones.
constexpr std::size_t kept_bytes_max = std::size_t{16} << 10;

}  // namespace

feed_stream::feed_stream(feed_connection& connection, change_feed& of, change_feed::permit&& permit,
                         feed_request&& what, clock::time_point now)
    : connection_(connection),
      feed_(of),
      permit_(std::move(permit)),
      request_(std::move(what)),
      began_at_(now),
      sent_at_(now),
      position_(request_.after) {}

// The mark at the begin tells a reader that gave no position where it began.
void feed_stream::start() {
  if (is_page()) return advance();
  append_chunked_head(before_, media_type_of(request_.form), false, connection_.feed_request_id(), stream_headers);
  send_mark();
}

// Small parts of several blocks are collected, so that they are one write.
void feed_stream::advance() {
  state_ = state::running;
  report_position();
  while (true) {
    if (is_ending_) return finish();
    if (is_page() && page_is_full()) return respond_page();
    if (!is_page() && text_.size() >= feed_block_bytes) return send(text_);
    if (read_ && read_->last() > position_) {
      if (take(read_)) return;
      continue;
    }
    read_.reset();
    const auto found = feed_.next(position_);
    if (const auto* block = std::get_if<shared_feed_block>(&found)) {
      if (take(*block)) return;
      continue;
    }
    if (!is_page() && !text_.empty()) return send(text_);
    // The newest entries of all may not be rendered yet. A client that has written one must find it on the next page.
    const bool is_at_end = std::holds_alternative<change_feed::at_end>(found);
    if (!is_at_end || (is_page() && position_ < feed_.visible())) {
      state_ = state::reading;
      return connection_.read_feed(position_, request_.filter);
    }
    if (is_page() && (page_events_ > 0 || clock::now() >= began_at_ + request_.wait)) return respond_page();
    state_ = state::waiting;
    report_position();
    return;
  }
}

// REQUIRES: nothing is collected or being written.
void feed_stream::report_position() const noexcept {
  if (!is_page()) permit_.set_sent_to(position_);
}

// Takes the events of the block behind the position. Returns true if nothing is to be done until on_written(), or if
// this was destroyed.
bool feed_stream::take(const shared_feed_block& from) {
  const bool is_whole = !is_page() && position_ <= from->after() && from->is_taken_whole(request_.filter);
  if (is_whole && text_.empty()) {
    position_ = from->last();
    feed_.counters().events.fetch_add(from->events(), std::memory_order_relaxed);
    sending_ = from;
    send(request_.form == feed_form::lines ? from->lines() : from->text());
    return true;
  }
  if (is_whole) {
    send(text_);
    return true;
  }
  if (take_events(*from)) return false;
  cut(feed_cut::memory);
  return true;
}

// Appends events to text_ until the chunk or the page is full. Returns false if there is no memory for it.
bool feed_stream::take_events(const feed_block& from) {
  bool is_full = false;
  std::uint64_t taken = 0;
  from.select(request_.filter, position_, [&](const feed_block::event& each) {
    switch (request_.form) {
      case feed_form::page:
        if (!text_.empty()) text_ += ',';
        text_ += from.json_of(each);
        break;
      case feed_form::lines: text_ += from.line_of(each); break;
      case feed_form::event_stream: text_ += from.frame_of(each); break;
    }
    ++taken;
    position_ = each.position;
    if (is_page()) ++page_events_;
    is_full = is_page() ? page_is_full() : text_.size() >= feed_block_bytes;
    return !is_full;
  });
  if (!is_full) position_ = std::max(position_, from.last());
  if (taken == 0) return true;
  feed_.counters().events.fetch_add(taken, std::memory_order_relaxed);
  return connection_.reserve_feed(text_.capacity());
}

bool feed_stream::page_is_full() const noexcept {
  if (page_events_ >= request_.events_max || text_.size() >= limits::page_bytes_max) return true;
  return position_.number - request_.after.number >= feed_limits::looked_at_max;
}

void feed_stream::send(std::string_view text) {
  state_ = state::writing;
  append_chunk_size(before_, text.size());
  connection_.write_feed({asio::buffer(before_), asio::buffer(text), asio::buffer(line_end)});
}

void feed_stream::append_mark(std::string& out) const {
  const bool is_lines = request_.form == feed_form::lines;
  out += is_lines ? "{\"position\":" : ": position\nid: ";
  append_number(out, position_.number);
  out += is_lines ? "}\n" : "\n\n";
}

void feed_stream::send_mark() {
  text_.clear();
  append_mark(text_);
  send(text_);
}

void feed_stream::on_written() {
  if (last_is_sent_) return connection_.end_feed(true);
  sending_.reset();
  before_.clear();
  if (text_.capacity() > kept_bytes_max) std::string().swap(text_);
  text_.clear();
  connection_.reserve_feed(text_.capacity());
  sent_at_ = clock::now();
  advance();
}

void feed_stream::on_read(change_feed::read_result&& block) {
  if (!block) return cut(block.error() == change_error::trimmed ? feed_cut::trimmed : feed_cut::failed);
  read_ = std::move(*block);
  advance();
}

void feed_stream::on_blocks() {
  if (state_ == state::waiting) advance();
}

void feed_stream::on_tick(clock::time_point now) {
  if (!is_page() && now >= began_at_ + feed_limits::stream_time_max) is_ending_ = true;
  if (state_ != state::waiting) return;
  if (is_ending_ || (is_page() && now >= began_at_ + request_.wait)) return advance();
  if (!is_page() && now >= sent_at_ + feed_limits::mark_interval) send_mark();
}

void feed_stream::end() {
  is_ending_ = true;
  if (state_ == state::waiting) advance();
}

// The last mark saves the reader from looking at the same entries again.
void feed_stream::finish() {
  if (is_page()) return respond_page();
  last_is_sent_ = true;
  text_.clear();
  append_mark(text_);
  state_ = state::writing;
  append_chunk_size(before_, text_.size());
  text_ += line_end;
  connection_.write_feed({asio::buffer(before_), asio::buffer(text_), asio::buffer(last_chunk)});
}

// A stream that is cut off ends without its last chunk, so that its reader takes it for what it is.
void feed_stream::cut(feed_cut why) {
  feed_.counters().count(why);
  if (!is_page()) return connection_.end_feed(false);
  switch (why) {
    case feed_cut::trimmed: return connection_.end_feed(trimmed_response(feed_.changes().first()));
    case feed_cut::failed:
      return connection_.end_feed(problem_response(problem::storage_failed, "the log could not be read"));
    case feed_cut::memory:
    case feed_cut::stalled: break;
  }
  connection_.end_feed(
      problem_response(problem::overloaded, "unread answers take as much memory as --response-memory allows"));
}

void feed_stream::respond_page() {
  response page;
  page.body.reserve(text_.size() + 128);
  page.body = "{\"code\":200,\"message\":\"ok\",\"log_id\":\"";
  page.body += feed_.changes().log_id();
  page.body += "\",\"events\":[";
  page.body += text_;
  page.body += "],\"next\":";
  append_number(page.body, position_.number);
  page.body += '}';
  page.add_header("Cache-Control", "no-store");
  std::string().swap(text_);
  connection_.end_feed(page);
}

}  // namespace ordem::http_edge
