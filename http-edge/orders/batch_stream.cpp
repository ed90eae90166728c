#include "http-edge/orders/batch_stream.hpp"

#include <array>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <charconv>
#include <utility>

#include "http-edge/orders/rendering.hpp"
#include "http-edge/server/io_thread.hpp"
#include "http-edge/server/session.hpp"

namespace ordem::http_edge {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::beast::error_code;

void append_hex(std::string& out, std::size_t number) {
  std::array<char, 16> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number, 16).ptr;
  out.append(digits.data(), end);
}

}  // namespace

batch_stream::batch_stream(session& owner)
    : owner_(owner),
      lines_(owner.thread_.settings().body_bytes_max),
      memory_(owner.thread_.counters().response_memory) {
  owner.parser_->get().body().expect_at_most(owner.thread_.settings().body_bytes_max + batch_limits::read_bytes);
}

void batch_stream::advance() {
  window_.write_due(verdicts_);
  take_lines();
  window_.write_due(verdicts_);  // those that were known at once
  count_verdicts();
  write();  // the last: it may end the batch, and this with it
}

// One line by itself always has room: so a batch goes on, line by line, when other answers have taken all of the
// budget.
bool batch_stream::has_room() noexcept {
  const std::size_t pending = window_.bytes() + verdicts_.size() + sending_.size();
  if (window_.full() || pending >= batch_limits::pending_bytes_max) return false;
  return hold_memory() || pending == 0;
}

// False if the budget does not have the memory. In steps, so that most lines do not change what is held.
bool batch_stream::hold_memory() noexcept {
  const std::size_t bytes = window_.bytes() + verdicts_.capacity() + sending_.capacity();
  return memory_.resize((bytes + batch_limits::held_step_bytes - 1) / batch_limits::held_step_bytes *
                        batch_limits::held_step_bytes);
}

void batch_stream::note_progress() {
  owner_.deadline_ = session::clock::now() + owner_.thread_.settings().request_timeout;
}

// --- lines in ---

// Takes lines as long as there is room; reads on when there is some left.
void batch_stream::take_lines() {
  if (reading_) return;  // all that has come is taken
  const auto& parser = *owner_.parser_;
  while (has_room() && !all_taken_) {
    if (const auto line = lines_.next(parser.get().body().view(), parser.is_done())) {
      take(*line);
    } else if (!parse_more()) {
      all_taken_ = parser.is_done() || broken_;
      if (!all_taken_) read_more();
      return;
    }
  }
}

// Brings what has arrived through the parser into the body. False if that changes nothing.
bool batch_stream::parse_more() {
  auto& parser = *owner_.parser_;
  auto& buffer = owner_.buffer_;
  if (broken_ || parser.is_done() || buffer.size() == 0) return false;
  parser.get().body().drop_front(lines_.take_used());
  error_code ec;
  const std::size_t used = parser.put(buffer.data(), ec);
  buffer.consume(used);
  if (ec && ec != http::error::need_more) broken_ = ec;
  if (ec == boost::system::errc::not_enough_memory && (answer_begun_ || !window_.empty())) {
    window_.add({std::nullopt,
                 problem_response(problem::overloaded, "the batch ends here: " + std::string(body_memory_detail))});
  }
  // The parser waits for the end of a chunk's extension, or of a trailer.
  if (!broken_ && buffer.size() > owner_.thread_.settings().header_bytes_max && !parser.is_done() && used == 0) {
    broken_ = http::error::header_limit;
  }
  if (parser.is_done() || broken_) owner_.received_at_ = session::clock::now();
  return used > 0 || broken_;
}

void batch_stream::take(const line_splitter::line& line) {
  io_thread& thread = owner_.thread_;
  if (line.too_long) {
    return window_.add({std::nullopt, problem_response(problem::body_too_large, "the line is larger than --max-body")});
  }
  auto read = thread.handler().read_line_of_batch(line.text);
  if (const auto* refused = std::get_if<refused_line>(&read)) return window_.add(*refused);
  auto& asked = std::get<message>(read);
  if (thread.draining()) {
    return window_.add({std::move(asked.guid), refusal_response(unavailability::draining)});
  }
  const std::uint32_t number = window_.add(asked.guid, line.text.size());
  thread.submit(owner_.shared_from_this(), std::move(asked), number);
}

void batch_stream::read_more() {
  reading_ = true;
  note_progress();
  const bool has_memory = owner_.make_room(batch_limits::read_bytes);
  owner_.socket_.async_read_some(
      owner_.buffer_.prepare(has_memory ? batch_limits::read_bytes : memory_budget::uncounted_bytes),
      [self = owner_.shared_from_this()](error_code ec, std::size_t count) {
        if (self->stage_ == session::stage::batching) self->batch_->on_bytes(ec, count);
      });
}

void batch_stream::on_bytes(error_code ec, std::size_t count) {
  reading_ = false;
  if (ec && ec != asio::error::eof) return owner_.close();
  broken_ = ec;  // it may still read the verdicts on what came whole
  owner_.buffer_.commit(count);
  advance();
}

// --- verdicts out ---

void batch_stream::on_answer(std::uint32_t line, answer&& what) {
  window_.complete(line, std::move(what));
  if (std::exchange(turn_is_due_, true)) return;
  note_progress();
  asio::post(owner_.thread_.io_context(), [self = owner_.shared_from_this()] {
    if (self->stage_ != session::stage::batching) return;
    self->batch_->turn_is_due_ = false;
    self->batch_->advance();
  });
}

void batch_stream::count_verdicts() {
  const auto counts = window_.take_counts();
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] > 0) owner_.thread_.counters().batch_lines[i].fetch_add(counts[i], std::memory_order_relaxed);
  }
}

void batch_stream::write() {
  if (writing_) return;
  answer_ends_ = all_taken_ && window_.empty();
  if (verdicts_.empty() && !answer_ends_) return;
  if (verdicts_.empty() && broken_) return abort_batch();

  before_.clear();
  after_.clear();
  if (!std::exchange(answer_begun_, true)) {
    const bool keeps_open = owner_.wire_.keep_alive && !owner_.thread_.draining();
    stays_open_ = append_chunked_head(before_, batch_media_type, keeps_open);
  }
  sending_.swap(verdicts_);
  if (!sending_.empty()) {
    append_hex(before_, sending_.size());
    before_ += "\r\n";
    after_ = "\r\n";
  }
  if (answer_ends_ && !broken_) after_ += "0\r\n\r\n";
  writing_ = true;
  note_progress();
  const std::array<asio::const_buffer, 3> parts{asio::buffer(before_), asio::buffer(sending_), asio::buffer(after_)};
  const auto more_after = [this](error_code ec, std::size_t) -> std::size_t {
    note_progress();
    return ec ? 0 : batch_limits::write_bytes;
  };
  asio::async_write(owner_.socket_, parts, more_after, [self = owner_.shared_from_this()](error_code ec, std::size_t) {
    if (self->stage_ == session::stage::batching) self->batch_->on_written(ec);
  });
}

void batch_stream::on_written(error_code ec) {
  writing_ = false;
  sending_.clear();
  if (sending_.capacity() > batch_limits::write_bytes) std::string().swap(sending_);
  hold_memory();
  if (ec) return owner_.close();
  answer_ends_ ? owner_.end_batch(stays_open_ && !broken_) : advance();
}

// --- ending ---

// The body broke off, and all that could be told was told.
void batch_stream::abort_batch() {
  if (answer_begun_) return owner_.end_batch(false);
  broken_ == asio::error::eof ? owner_.close() : owner_.refuse_unparsable(broken_);
}

void batch_stream::on_deadline() {
  if (writing_) return owner_.close();
  // What executes is bounded by the engine, not by the client.
  if (!reading_ || window_.in_flight() > 0) return;
  owner_.thread_.counters().timeouts.fetch_add(1, std::memory_order_relaxed);
  end_unfinished(problem::request_timeout, "the request did not arrive in time");
}

void batch_stream::end_drain() {
  if (writing_ || !reading_ || window_.in_flight() > 0) return;
  end_unfinished(problem::draining, "the request had not come whole when the server ended");
}

// What has been told was told; what has not come is not waited for.
void batch_stream::end_unfinished(problem which, std::string_view detail) {
  if (!answer_begun_) return owner_.refuse_unfinished(which, detail);
  error_code ignored;
  owner_.socket_.cancel(ignored);
  owner_.end_batch(false);
}

}  // namespace ordem::http_edge
