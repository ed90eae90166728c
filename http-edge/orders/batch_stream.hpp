// A batch of orders on a connection, once its header has been accepted: takes lines from the body while it arrives,
// hands them to the engine, and writes their verdicts while more arrive. Owned by its session, and on that one's
// thread.
//
// What moves it on are bytes that came, bytes that left, and answers; all that happen in one turn of the thread's loop
// are answered by one look at what can be done (advance).
#pragma once

#include <boost/beast/core/error.hpp>
#include <cstdint>
#include <string>
#include <string_view>

#include "engine/codec/problem.hpp"
#include "engine/model/outcome.hpp"
#include "http-edge/orders/batch_window.hpp"
#include "http-edge/protocol/line_splitter.hpp"
#include "http-edge/protocol/memory_budget.hpp"

namespace ordem::http_edge {

class session;

class batch_stream {
 public:
  // `owner` has parsed the header.
  explicit batch_stream(session& owner);

  // Begins with what has arrived already.
  void advance();
  void on_answer(std::uint32_t line, answer&& what);
  // Nothing has moved for as long as --request-timeout.
  void on_deadline();
  // The server's drain ends.
  void end_drain();

 private:
  void end_unfinished(problem which, std::string_view detail);
  void take_lines();
  bool parse_more();
  void take(const line_splitter::line& line);
  void abort_batch();
  void read_more();
  void on_bytes(boost::beast::error_code ec, std::size_t count);
  void write();
  void on_written(boost::beast::error_code ec);
  void note_progress();
  void count_verdicts();
  bool has_room() noexcept;
  bool hold_memory() noexcept;

  session& owner_;
  line_splitter lines_;
  batch_window window_;
  memory_budget::permit memory_;     // for the window and for verdicts
  bool all_taken_ = false;           // no further line will be
  boost::beast::error_code broken_;  // why the body ended before its end
  bool answer_begun_ = false;        // its head was sent
  bool answer_ends_ = false;         // what is being written is the last of it
  bool stays_open_ = false;          // as the answer's head says
  bool reading_ = false;
  bool writing_ = false;
  bool turn_is_due_ = false;
  std::string verdicts_;  // to be written next
  std::string sending_;   // verdicts that are being written, as one chunk, between these two
  std::string before_;
  std::string after_;
};

}  // namespace ordem::http_edge
