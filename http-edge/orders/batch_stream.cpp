#include "http-edge/orders/batch_stream.hpp"

#include <boost/asio/error.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/system/errc.hpp>
#include <utility>

#include "http-edge/orders/rendering.hpp"

namespace ordem::http_edge {
namespace {

namespace asio = boost::asio;
using boost::beast::error_code;

}  // namespace

batch_stream::batch_stream(batch_connection& connection, request_parser& parser, const batch_request& request,
                           const batch_resources& resources)
    : connection_(connection),
      parser_(parser),
      form_(request.lines),
      origin_(request.origin),
      resources_(resources),
      lines_(resources.line_bytes_max),
      window_(resources.orders),
      memory_(resources.response_memory) {
  if (request.generates_keys) keys_.emplace();
  parser_.get().body().expect_at_most(resources.line_bytes_max + batch_limits::read_bytes);
}

void batch_stream::advance() {
  window_.write_due(verdicts_);
  take_lines();
  window_.write_due(verdicts_);  // of lines that were refused at once
  count_verdicts();
  write();  // last, as it may end the batch and destroy this
}

// Returns whether another line may be taken. A single line always has room, so that a batch makes progress line by line
// when other responses use up the budget.
bool batch_stream::has_room() noexcept {
  const std::size_t pending = window_.bytes() + verdicts_.size() + sending_.size();
  if (window_.size() >= connection_.lines_in_flight_max()) return false;
  if (pending >= batch_limits::pending_bytes_max) return false;
  return hold_memory() || pending == 0;
}

// Returns false if the budget does not have the memory. The permit changes in steps, so most lines do not touch the
// budget.
bool batch_stream::hold_memory() noexcept {
  const std::size_t bytes = window_.bytes() + verdicts_.capacity() + sending_.capacity();
  return memory_.resize((bytes + batch_limits::held_step_bytes - 1) / batch_limits::held_step_bytes *
                        batch_limits::held_step_bytes);
}

batch_stream::waits_for batch_stream::now_waits_for() const noexcept {
  if (writing_) return waits_for::client_to_read;
  return reading_ && window_.in_flight() == 0 ? waits_for::client_to_send : waits_for::engine;
}

// --- lines in ---

// Takes lines while there is room, and reads more of the body if there is room left.
void batch_stream::take_lines() {
  if (reading_) return;  // all received lines have been taken
  while (has_room() && !all_taken_) {
    check_begin();
    if (is_array_ || !connection_.begin_line()) return;
    if (const auto line = lines_.next(parser_.get().body().view(), parser_.is_done())) {
      const std::size_t in_flight_before = window_.in_flight();
      take(*line);
      if (window_.in_flight() == in_flight_before) connection_.end_line();  // the line was refused
      continue;
    }
    connection_.cancel_line();
    if (!parse_more()) {
      all_taken_ = parser_.is_done() || broken_;
      if (!all_taken_) read_more();
      return;
    }
  }
}

// A client that sends all orders as one JSON array gets one error, and not one for each line of it.
void batch_stream::check_begin() {
  if (begun_) return;
  const auto first = lines_.first_byte(parser_.get().body().view());
  begun_ = first.has_value();
  is_array_ = all_taken_ = first == '[';
}

// Parses received bytes into the body. Returns false if that changed nothing.
bool batch_stream::parse_more() {
  if (broken_ || parser_.is_done() || connection_.unparsed_bytes() == 0) return false;
  parser_.get().body().drop_front(lines_.take_used());
  const auto parsed = connection_.parse_body();
  broken_ = parsed.error;
  if (broken_ == boost::system::errc::not_enough_memory && (response_begun_ || !window_.empty())) {
    window_.add({std::nullopt,
                 problem_response(problem::overloaded, "the batch ends here: " + std::string(body_memory_detail))});
  }
  return parsed.progressed || broken_;
}

void batch_stream::take(const line_splitter::line& line) {
  begun_ = true;
  if (line.too_long) {
    return window_.add({std::nullopt, problem_response(problem::body_too_large, "the line is larger than --max-body")});
  }
  auto read = read_batch_line(form_, line.text, origin_, keys_ ? &*keys_ : nullptr, resources_.line_parser);
  if (const auto* refused = std::get_if<refused_line>(&read)) return window_.add(*refused);
  auto& write = std::get<message>(read);
  if (connection_.draining()) {
    return window_.add({std::move(write.guid), refusal_response(unavailability::draining)});
  }
  const std::uint32_t number = window_.add(write.guid, line.text.size());
  submit(turns_.begin({number, std::move(write)}));
}

void batch_stream::submit(std::optional<order_turns::turn>&& line) {
  if (line) connection_.submit_line(std::move(line->what), line->line);
}

void batch_stream::read_more() {
  reading_ = true;
  connection_.read_body();
}

void batch_stream::on_bytes(error_code ec) {
  reading_ = false;
  broken_ = ec;  // the client may still read the verdicts on complete lines
  advance();
}

// --- verdicts out ---

void batch_stream::on_answer(std::uint32_t line, answer&& what) {
  window_.complete(line, std::move(what));
  connection_.end_line();
  submit(turns_.end(line));
  if (!std::exchange(turn_is_scheduled_, true)) connection_.schedule_turn();
}

void batch_stream::on_turn() {
  turn_is_scheduled_ = false;
  advance();
}

void batch_stream::count_verdicts() {
  const auto counts = window_.take_counts();
  for (std::size_t i = 0; i < counts.by_status.size(); ++i) {
    if (counts.by_status[i] == 0) continue;
    verdicts_by_status_[i] += counts.by_status[i];
    resources_.verdicts_by_status[i].fetch_add(counts.by_status[i], std::memory_order_relaxed);
  }
  for (const codec::problem each : counts.problems)
    resources_.verdicts_by_problem[static_cast<std::size_t>(each)].fetch_add(1, std::memory_order_relaxed);
}

void batch_stream::write() {
  if (writing_) return;
  if (is_array_) {
    return connection_.refuse_batch(problem::not_ndjson,
                                    "the body is a JSON array, but a batch is NDJSON: one JSON object per line");
  }
  response_ends_ = all_taken_ && window_.empty();
  if (verdicts_.empty() && !response_ends_) return;
  if (verdicts_.empty() && broken_) return abort_batch();

  before_.clear();
  after_.clear();
  if (!std::exchange(response_begun_, true)) {
    stays_open_ = append_chunked_head(before_, batch_media_type, connection_.keeps_alive(), connection_.request_id());
  }
  sending_.swap(verdicts_);
  if (!sending_.empty()) {
    append_chunk_size(before_, sending_.size());
    after_ = "\r\n";
  }
  if (response_ends_ && !broken_) after_ += "0\r\n\r\n";
  writing_ = true;
  connection_.write_chunk({asio::buffer(before_), asio::buffer(sending_), asio::buffer(after_)});
}

void batch_stream::on_written() {
  writing_ = false;
  sending_.clear();
  if (sending_.capacity() > batch_limits::write_bytes) std::string().swap(sending_);
  hold_memory();
  response_ends_ ? connection_.end_batch(stays_open_ && !broken_) : advance();
}

// The body broke off, and every verdict has been sent.
void batch_stream::abort_batch() {
  response_begun_ ? connection_.end_batch(false) : connection_.refuse_batch(broken_);
}

}  // namespace ordem::http_edge
