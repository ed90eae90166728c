// One batch on a connection of the test: lines in, verdicts out, and how it ends.
#include "http-edge/orders/batch_stream.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/error.hpp>
#include <boost/beast/http/error.hpp>
#include <catch2/catch.hpp>
#include <charconv>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http-edge/orders/batch_limits.hpp"
#include "tests/engine/codec/bodies.hpp"
#include "tests/http-edge/exchange.hpp"
#include "tests/support_cpp/samples.hpp"

namespace ordem::http_edge {
namespace {

using namespace testing;
using boost::beast::error_code;
using codec::line_form;
using waits_for = batch_stream::waits_for;

constexpr std::string_view last_chunk = "0\r\n\r\n";

struct submitted_line {
  message what;
  std::uint32_t number = 0;
};

// Does what a session does, when the test says so. The body comes in chunks.
class batch_test : private batch_connection {
 public:
  std::vector<submitted_line> submitted;
  std::string response;    // what was written so far
  std::vector<bool> ends;  // calls of end_batch
  std::vector<error_code> refusals;
  std::vector<codec::problem> problems;
  int turns = 0;                                                   // that are scheduled
  std::size_t places = std::numeric_limits<std::uint32_t>::max();  // for lines, within the bounds of the tenant
  std::size_t lines_max = batch_limits::lines_in_flight_max;       // what the server allows at present
  bool reading = false;
  bool writing = false;
  bool drains = false;
  bool closes_after = false;
  memory_budget memory{std::numeric_limits<std::size_t>::max()};
  std::array<std::atomic<std::uint64_t>, 6> counts{};
  std::array<std::atomic<std::uint64_t>, codec::problem_count> problem_counts{};
  fake_orders orders;
  std::unique_ptr<batch_stream> stream;  // null once it has ended

  void start(line_form lines = line_form::create, std::size_t line_bytes_max = std::size_t{1} << 20) {
    parser_.body_limit(boost::none);
    error_code ec;
    const std::string_view head = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
    parser_.put(boost::asio::buffer(head), ec);
    REQUIRE_FALSE(ec);
    parser_.eager(true);
    stream = std::make_unique<batch_stream>(
        static_cast<batch_connection&>(*this), parser_, batch_request{lines, false},
        batch_resources{line_bytes_max, orders, memory, line_parser_, counts, problem_counts});
    stream->start();
  }

  // Bytes arrive. REQUIRES: it reads.
  void arrive_raw(std::string_view bytes) {
    REQUIRE(std::exchange(reading, false));
    unparsed_ += bytes;
    stream->on_bytes({});
  }
  void arrive(std::string_view body) { arrive_raw(chunk(body)); }
  void arrive_and_end(std::string_view body) {
    arrive_raw((body.empty() ? "" : chunk(body)) + std::string(last_chunk));
  }
  // The client sends nothing more. REQUIRES: it reads.
  void break_off() {
    REQUIRE(std::exchange(reading, false));
    stream->on_bytes(boost::asio::error::eof);
  }

  // The engine answers that line, with an order that takes about so many bytes.
  void answer(std::size_t which, std::size_t bytes = 0) {
    executed done;
    order made = sample_order(which + 1);
    made.content.customer_id += std::string(bytes, 'c');
    done.order = shared(std::move(made));
    done.expires_at = sample_time;
    stream->on_answer(submitted[which].number, std::move(done));
  }
  // What the event loop does next. Returns how many turns there were.
  int turn() {
    const int scheduled = std::exchange(turns, 0);
    for (int i = 0; i < scheduled; ++i) stream->on_turn();
    return scheduled;
  }
  // The client has read all that was written.
  void client_reads() {
    REQUIRE(std::exchange(writing, false));
    stream->on_written();
  }

  // Returns the keys of the verdicts that were written, as GUIDs; "" for null.
  std::vector<std::string> verdicts() const {
    constexpr std::string_view begin = "{\"idempotency_key\":";
    std::vector<std::string> keys;
    for (auto at = response.find(begin); at != std::string::npos; at = response.find(begin, at + 1)) {
      const auto from = at + begin.size();
      const std::string key = response.substr(from, response.find(',', from) - from);
      keys.push_back(key == "null" ? "" : key.substr(1, key.size() - 2));
    }
    return keys;
  }
  std::vector<std::string> submitted_keys() const {
    std::vector<std::string> keys;
    for (const submitted_line& each : submitted) keys.emplace_back(each.what.guid.view());
    return keys;
  }

 private:
  static std::string chunk(std::string_view data) {
    std::array<char, 16> digits;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), data.size(), 16).ptr;
    return std::string(digits.data(), end) + "\r\n" + std::string(data) + "\r\n";
  }

  std::size_t unparsed_bytes() const noexcept override { return unparsed_.size(); }
  parse_result parse_body() override {
    error_code ec;
    const std::size_t used = parser_.put(boost::asio::buffer(unparsed_), ec);
    unparsed_.erase(0, used);
    if (ec == boost::beast::http::error::need_more) ec = {};
    return {used > 0, ec};
  }
  void read_body() override {
    CHECK_FALSE(reading);
    reading = true;
  }
  void write_chunk(const chunk_parts& parts) override {
    CHECK_FALSE(writing);
    writing = true;
    for (const auto& each : parts) response.append(static_cast<const char*>(each.data()), each.size());
  }
  void schedule_turn() override { ++turns; }
  bool begin_line() override {
    if (places == 0) return false;
    --places;
    return true;
  }
  void end_line() noexcept override { ++places; }
  void cancel_line() noexcept override { ++places; }
  void submit_line(message&& what, std::uint32_t line) override { submitted.push_back({std::move(what), line}); }
  std::size_t lines_in_flight_max() const noexcept override { return lines_max; }
  bool draining() const noexcept override { return drains; }
  bool keeps_alive() const noexcept override { return !closes_after; }
  std::string_view request_id() const noexcept override { return "of-the-batch"; }
  void end_batch(bool complete) override {
    ends.push_back(complete);
    stream.reset();
  }
  void refuse_batch(error_code why) override {
    refusals.push_back(why);
    stream.reset();
  }
  void refuse_batch(codec::problem which, std::string_view) override {
    problems.push_back(which);
    stream.reset();
  }

  request_parser parser_;
  simdjson::dom::parser line_parser_;
  std::string unparsed_;
};

std::string line(std::uint64_t number) {
  return R"({"idempotency_key":")" + std::string(guid_of(number).view()) + R"(","order":)" +
         std::string(contract_json) + "}\n";
}
std::string lines(std::uint64_t first, std::uint64_t count) {
  std::string all;
  for (std::uint64_t i = 0; i < count; ++i) all += line(first + i);
  return all;
}
std::string status_line(std::uint64_t number, std::uint64_t order, std::uint64_t version) {
  return R"({"op":"status","idempotency_key":")" + std::string(guid_of(number).view()) + R"(","order_id":")" +
         order_id_of(order).to_string() + R"(","version":)" + std::to_string(version) + R"(,"status":"confirmed"})" +
         "\n";
}
std::vector<std::string> keys(std::uint64_t first, std::uint64_t count) {
  std::vector<std::string> all;
  for (std::uint64_t i = 0; i < count; ++i) all.emplace_back(guid_of(first + i).view());
  return all;
}

// --- lines and verdicts ---

TEST_CASE_METHOD(batch_test, "verdicts are written in the order of the lines, whatever that of the answers") {
  start();
  arrive(lines(1, 3));
  CHECK(submitted_keys() == keys(1, 3));
  answer(2);
  answer(1);
  turn();
  CHECK(response.empty());
  answer(0);
  CHECK(response.empty());  // the answers of one turn are written together
  turn();
  CHECK(verdicts() == keys(1, 3));
  CHECK(response.starts_with("HTTP/1.1 200 OK\r\n"));
  CHECK(counts[2] == 3);
}

TEST_CASE_METHOD(batch_test, "the answers of one turn of the event loop are handled by one turn of the batch") {
  start();
  arrive(lines(1, 50));
  for (std::size_t i = 0; i < 50; ++i) answer(i);
  CHECK(turn() == 1);
  CHECK(verdicts() == keys(1, 50));
  CHECK(turn() == 0);
}

TEST_CASE_METHOD(batch_test, "a line is submitted as soon as it has arrived, while earlier verdicts are written") {
  start();
  const std::string second = line(2);
  arrive(line(1) + second.substr(0, 20));
  CHECK(submitted_keys() == keys(1, 1));
  answer(0);
  turn();
  CHECK(writing);
  arrive(second.substr(20));
  CHECK(submitted_keys() == keys(1, 2));
  answer(1);
  turn();
  CHECK(verdicts() == keys(1, 1));  // the first write has not ended
  client_reads();
  CHECK(verdicts() == keys(1, 2));
}

TEST_CASE_METHOD(batch_test, "a line about an order is submitted after the answer to the line before about it") {
  start(line_form::command);
  arrive(status_line(1, 7, 1) + status_line(2, 7, 2) + status_line(3, 8, 1) + status_line(4, 7, 3));
  const auto only = [](std::vector<std::uint64_t> numbers) {
    std::vector<std::string> all;
    for (const std::uint64_t each : numbers) all.emplace_back(guid_of(each).view());
    return all;
  };
  CHECK(submitted_keys() == only({1, 3}));
  answer(0);
  CHECK(submitted_keys() == only({1, 3, 2}));
  answer(2);
  CHECK(submitted_keys() == only({1, 3, 2, 4}));
  answer(3);
  answer(1);
  turn();
  CHECK(verdicts() == keys(1, 4));
}

TEST_CASE_METHOD(batch_test, "a line that is no write gets its verdict without the engine, in its place") {
  constexpr std::size_t line_bytes_max = 300;
  start(line_form::create, line_bytes_max);
  arrive(line(1) + "{}\n" + std::string(line_bytes_max + 1, ' ') + "x\n\n" + line(2));
  CHECK(submitted_keys() == keys(1, 2));
  answer(0);
  answer(1);
  turn();
  CHECK(verdicts() == std::vector<std::string>{keys(1, 1)[0], "", "", keys(2, 1)[0]});
  CHECK(response.find("\"status\":413") != std::string::npos);
  CHECK(counts[2] == 2);
  CHECK(counts[4] == 2);
}

TEST_CASE_METHOD(batch_test, "while the server drains no line is submitted, and each gets a verdict that says so") {
  start();
  arrive(line(1));
  drains = true;
  arrive_and_end(line(2));
  CHECK(submitted_keys() == keys(1, 1));
  answer(0);
  turn();
  CHECK(verdicts() == keys(1, 2));
  CHECK(response.find("/problems/draining") != std::string::npos);
}

// --- bounds ---

TEST_CASE_METHOD(batch_test, "a full window takes no line, and reads nothing, before verdicts are due") {
  constexpr std::size_t max = batch_limits::lines_in_flight_max;
  start();
  arrive(lines(1, max + 10));
  CHECK(submitted.size() == max);
  CHECK_FALSE(reading);
  CHECK(stream->now_waits_for() == waits_for::engine);
  for (std::size_t i = 1; i < max; ++i) answer(i);  // all but the first
  turn();
  CHECK(submitted.size() == max);
  answer(0);
  turn();
  CHECK(submitted.size() == max + 10);
  CHECK(verdicts() == keys(1, max));
  CHECK(reading);
}

TEST_CASE_METHOD(batch_test, "a client that does not read its verdicts is not read from either, at a bound of bytes") {
  constexpr std::size_t verdict_bytes = 100'000;
  constexpr std::size_t count = 1000;
  start();
  std::size_t arrived = 0;
  std::size_t answered = 0;
  while (reading && arrived < count) {
    arrive(lines(1 + arrived, 10));
    arrived += 10;
    for (; answered < submitted.size(); ++answered) answer(answered, verdict_bytes);
    turn();
  }
  CHECK(arrived < count);
  CHECK(submitted.size() * verdict_bytes > batch_limits::pending_bytes_max);
  CHECK((submitted.size() - 20) * verdict_bytes < batch_limits::pending_bytes_max);
  CHECK(stream->now_waits_for() == waits_for::client_to_read);
  CHECK(memory.used() < batch_limits::pending_bytes_max * 3);

  while (verdicts().size() < answered || writing) client_reads();
  CHECK(verdicts() == keys(1, answered));
  CHECK(reading);
}

TEST_CASE_METHOD(batch_test, "without memory of the budget a batch goes on line by line") {
  const memory_budget::permit all = [&] {
    memory_budget::permit made(memory);
    made.resize(std::numeric_limits<std::size_t>::max());
    return made;
  }();
  start();
  arrive(lines(1, 3));
  for (std::size_t i = 0; i < 3; ++i) {
    REQUIRE(submitted.size() == i + 1);
    answer(i);
    turn();
    REQUIRE(submitted.size() == i + 1);  // the verdict is not written yet
    client_reads();
  }
  CHECK(verdicts() == keys(1, 3));
}

// --- the end ---

TEST_CASE_METHOD(batch_test, "a batch ends with its last verdict, and the connection stays open") {
  closes_after = GENERATE(true, false);
  start();
  arrive_and_end(lines(1, 2).substr(0, lines(1, 2).size() - 1));  // the last line has no line end
  CHECK(submitted.size() == 2);
  answer(0);
  answer(1);
  turn();
  CHECK(response.ends_with(last_chunk));
  CHECK((response.find("Connection: close") != std::string::npos) == closes_after);
  CHECK(ends.empty());
  client_reads();
  CHECK(ends == std::vector{!closes_after});
}

TEST_CASE_METHOD(batch_test, "an empty batch has an empty response") {
  start();
  arrive_and_end(GENERATE("", "\n \n"));
  CHECK(verdicts().empty());
  CHECK(response.ends_with(last_chunk));
  client_reads();
  CHECK(ends == std::vector{true});
}

TEST_CASE_METHOD(batch_test, "a body that breaks off gets the verdicts on its whole lines, and no end") {
  start();
  arrive(lines(1, 2) + line(3).substr(0, 30));
  answer(0);
  turn();
  if (GENERATE(true, false)) client_reads();
  break_off();
  CHECK(submitted_keys() == keys(1, 2));
  answer(1);
  turn();
  for (int i = 0; writing && i < 3; ++i) client_reads();
  CHECK(verdicts() == keys(1, 2));
  CHECK_FALSE(response.ends_with(last_chunk));
  CHECK(ends == std::vector{false});
}

TEST_CASE_METHOD(batch_test, "a body that breaks off after the verdicts were written ends the batch at once") {
  start();
  arrive(lines(1, 1));
  answer(0);
  turn();
  client_reads();
  CHECK(stream->now_waits_for() == waits_for::client_to_send);
  break_off();
  CHECK_FALSE(writing);
  CHECK(ends == std::vector{false});
}

TEST_CASE_METHOD(batch_test, "a batch that breaks off before its first verdict is refused with the reason") {
  start();
  arrive(line(1).substr(0, 30));
  SECTION("the connection ends") {
    break_off();
    CHECK(refusals == std::vector<error_code>{boost::asio::error::eof});
  }
  SECTION("the body is not in chunks") {
    arrive_raw("no size\r\n");
    CHECK(refusals == std::vector<error_code>{boost::beast::http::error::bad_chunk});
  }
  CHECK(response.empty());
  CHECK(submitted.empty());
}

TEST_CASE_METHOD(batch_test, "a batch that breaks off while its first line is executed gets the verdict") {
  start();
  arrive(line(1));
  break_off();
  CHECK(refusals.empty());
  answer(0);
  turn();
  CHECK(verdicts() == keys(1, 1));
  client_reads();
  CHECK(ends == std::vector{false});
}

TEST_CASE_METHOD(batch_test, "a body that is a JSON array is refused as a whole, from its first byte") {
  start();
  arrive(GENERATE("[", " \n [{}", "\xEF\xBB\xBF["));
  CHECK(problems == std::vector{codec::problem::not_ndjson});
  CHECK(response.empty());
  CHECK(submitted.empty());
}

// --- the bounds of the tenant ---

TEST_CASE_METHOD(batch_test, "a batch has as many lines in flight as its tenant may, and reads no more meanwhile") {
  places = 2;
  start();
  arrive(lines(1, 4));
  CHECK(submitted_keys() == keys(1, 2));
  CHECK_FALSE(reading);
  CHECK(stream->now_waits_for() == waits_for::engine);
  answer(1);
  turn();
  CHECK(submitted_keys() == keys(1, 3));
  answer(0);
  answer(2);
  turn();
  CHECK(submitted_keys() == keys(1, 4));
  CHECK(verdicts() == keys(1, 3));
  answer(3);
  turn();
  CHECK(reading);
  CHECK(places == 2);
}

TEST_CASE_METHOD(batch_test, "a batch without a place for a line goes on at the turn that it gets") {
  places = 0;
  start();
  CHECK_FALSE(reading);
  places = 1;
  stream->on_turn();
  arrive(line(1));
  CHECK(submitted_keys() == keys(1, 1));
  answer(0);
  turn();
  CHECK(verdicts() == keys(1, 1));
}

TEST_CASE_METHOD(batch_test, "a refused line gives its place back at once, and so does the end of the body") {
  places = 1;
  start();
  arrive_and_end("{}\n{}\n" + line(1));
  CHECK(submitted_keys() == keys(1, 1));
  answer(0);
  turn();
  client_reads();
  if (writing) client_reads();
  CHECK(ends == std::vector{true});
  CHECK(places == 1);
}

// --- an overloaded server ---

TEST_CASE_METHOD(batch_test, "a batch has no more lines in flight than the server allows at the time") {
  start();
  arrive(lines(1, 3));
  CHECK(submitted_keys() == keys(1, 3));
  lines_max = 2;
  arrive(lines(4, 3));
  CHECK(submitted_keys() == keys(1, 3));
  CHECK_FALSE(reading);
  answer(0);
  turn();
  CHECK(submitted_keys() == keys(1, 3));  // two are in flight
  answer(1);
  turn();
  CHECK(submitted_keys() == keys(1, 4));
  lines_max = batch_limits::lines_in_flight_max;
  answer(2);
  turn();
  CHECK(submitted_keys() == keys(1, 6));
}

}  // namespace
}  // namespace ordem::http_edge
