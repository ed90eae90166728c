// The processing of one batch: takes lines from the body as it arrives, submits them to the engine, and
// writes their verdicts while further lines arrive. Owned by the session of its connection; all calls are made on the
// session's I/O thread.
//
// Received bytes, completed writes and answers make progress possible. All answers of one turn of the event loop are
// handled together, by one call of advance().
#pragma once

#include <simdjson.h>

#include <array>
#include <atomic>
#include <boost/beast/core/error.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "engine/codec/problem.hpp"
#include "engine/codec/write_body.hpp"
#include "engine/model/outcome.hpp"
#include "engine/ports/readers.hpp"
#include "http-edge/orders/batch_connection.hpp"
#include "http-edge/orders/batch_line.hpp"
#include "http-edge/orders/batch_window.hpp"
#include "http-edge/orders/generated_keys.hpp"
#include "http-edge/orders/order_turns.hpp"
#include "http-edge/protocol/line_splitter.hpp"
#include "http-edge/protocol/memory_budget.hpp"
#include "http-edge/protocol/request_header.hpp"

namespace ordem::http_edge {

// What a batch shares with the other requests of its I/O thread, or of the server.
struct batch_resources {
  std::size_t line_bytes_max;
  const order_lookup& orders;  // as for batch_window
  memory_budget& response_memory;
  simdjson::dom::parser& line_parser;                             // as for read_batch_line()
  std::array<std::atomic<std::uint64_t>, 6>& verdicts_by_status;  // counters, by the first digit of the status
  std::array<std::atomic<std::uint64_t>, codec::problem_count>& verdicts_by_problem;
};

class batch_stream {
 public:
  // Whose next step a batch waits for. The deadline of the connection applies only to the client.
  enum class waits_for : std::uint8_t { engine, client_to_read, client_to_send };

  // `parser` has parsed the header. All arguments must outlive the batch.
  batch_stream(batch_connection& connection, request_parser& parser, const batch_request& request,
               const batch_resources& resources);

  // Starts with the bytes that have been received.
  void start() { advance(); }

  // Events, as described in batch_connection.
  void on_bytes(boost::beast::error_code ec);
  void on_written();
  void on_answer(std::uint32_t line, answer&& what);
  void on_turn();

  waits_for now_waits_for() const noexcept;
  // Returns whether a part of the response has been sent.
  bool response_begun() const noexcept { return response_begun_; }
  // Returns the number of verdicts so far, by the first digit of the status.
  const batch_window::status_counts& verdicts() const noexcept { return verdicts_by_status_; }

 private:
  void advance();
  void take_lines();
  bool parse_more();
  void check_begin();
  void take(const line_splitter::line& line);
  void submit(std::optional<order_turns::turn>&& line);
  void read_more();
  void write();
  void abort_batch();
  void count_verdicts();
  bool has_room() noexcept;
  bool hold_memory() noexcept;

  batch_connection& connection_;
  request_parser& parser_;
  const codec::line_form form_;
  const origin origin_;  // of every line
  std::optional<generated_keys> keys_;
  const batch_resources resources_;
  line_splitter lines_;
  order_turns turns_;
  batch_window window_;
  batch_window::status_counts verdicts_by_status_{};
  memory_budget::permit memory_;     // for the window and for verdicts
  bool begun_ = false;               // the first byte of the first line has arrived
  bool is_array_ = false;            // the body is a JSON array, so it has no lines
  bool all_taken_ = false;           // no line is left in the body
  boost::beast::error_code broken_;  // why the body ended early
  bool response_begun_ = false;      // its head was sent
  bool response_ends_ = false;       // the write under way is the last one
  bool stays_open_ = false;          // as the head of the response says
  bool reading_ = false;
  bool writing_ = false;
  bool turn_is_scheduled_ = false;
  std::string verdicts_;  // to be written next
  std::string sending_;   // the verdicts being written, as one chunk, between the next two
  std::string before_;
  std::string after_;
};

}  // namespace ordem::http_edge
