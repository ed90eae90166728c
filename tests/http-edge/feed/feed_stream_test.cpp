#include "http-edge/feed/feed_stream.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <condition_variable>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "tests/http-edge/feed/fake_changes.hpp"

namespace ordem::http_edge {
namespace {

using namespace testing;

// A connection that keeps what is written. Reads from the log are done by the feed's threads, and waited for here.
struct stream_test : feed_connection {
  fake_changes changes;
  feed_counters counters;
  change_feed feed{10, counters};
  std::unique_ptr<feed_stream> stream;
  std::string written;      // without the framing of chunks
  bool is_writing = false;  // a write is under way
  bool last_chunk = false;
  std::optional<bool> ended;
  std::optional<response> answered;
  std::size_t memory = 0;
  std::size_t memory_max = std::size_t{16} << 20;
  feed_stream::clock::time_point began = feed_stream::clock::now();

  ~stream_test() override {
    stream.reset();
    feed.stop();
  }

  stream_test() {
    feed.add_listener([this] {
      const std::lock_guard lock(mutex_);
      ++published_;
      changed_.notify_all();
    });
    feed.attach(changes);
  }
  void begin(feed_request what) {
    stream = std::make_unique<feed_stream>(*this, feed, feed.admit().value(), std::move(what), began);
    stream->start();
    pass();
  }
  feed_request lines(position after = {}, feed_filter by = {}) {
    return {feed_form::lines, std::move(by), after, 0, std::chrono::seconds(0)};
  }
  feed_request page(position after, std::size_t events, feed_filter by = {}, int wait = 0) {
    return {feed_form::page, std::move(by), after, events, std::chrono::seconds(wait)};
  }
  void write(int count, const std::string& customer = "a") {
    for (int i = 0; i < count; ++i) changes.append(customer);
    changes.show();
    feed.on_visible();
  }

  // Completes writes and reads until nothing is under way.
  void pass() {
    while (stream && (is_writing || reading_)) {
      if (is_writing) {
        is_writing = false;
        stream->on_written();
        continue;
      }
      finish_read();
    }
  }
  void finish_read() {
    auto read = std::move(*reading_);
    reading_.reset();
    stream->on_read(read.get());
  }
  // The same, again whenever blocks are published, until the stream has got there.
  void pass_to(position at) {
    std::unique_lock lock(mutex_);
    while (true) {
      const auto before = published_;
      lock.unlock();
      pass();
      if (!stream || stream->now_at() >= at) return;
      stream->on_blocks();
      pass();
      if (!stream || stream->now_at() >= at) return;
      lock.lock();
      changed_.wait(lock, [&] { return published_ != before; });
    }
  }
  std::uint64_t lines_written() const {
    return static_cast<std::uint64_t>(std::count(written.begin(), written.end(), '\n'));
  }

  void write_feed(const feed_parts& parts) override {
    REQUIRE_FALSE(is_writing);
    is_writing = true;
    const std::string data(static_cast<const char*>(parts[1].data()), parts[1].size());
    const std::string end(static_cast<const char*>(parts[2].data()), parts[2].size());
    last_chunk = end != "\r\n";
    written += last_chunk ? data.substr(0, data.size() - 2) : data;
  }
  void read_feed(position after, const feed_filter& by) override {
    auto done = std::make_shared<std::promise<change_feed::read_result>>();
    reading_ = done->get_future();
    feed.read(after, by, [done](change_feed::read_result&& block) { done->set_value(std::move(block)); });
  }
  bool reserve_feed(std::size_t bytes) noexcept override {
    memory = bytes;
    return bytes <= memory_max;
  }
  std::string_view feed_request_id() const noexcept override { return "id"; }
  void end_feed(bool complete) override {
    ended = complete;
    ended_stream_ = std::move(stream);
  }
  void end_feed(const response& what) override {
    answered = what;
    ended_stream_ = std::move(stream);
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int published_ = 0;
  std::optional<std::future<change_feed::read_result>> reading_;
  std::unique_ptr<feed_stream> ended_stream_;  // it is still in a call
};

TEST_CASE_METHOD(stream_test, "a stream sends where it begins, then each event once") {
  write(5);
  begin(lines({2}));
  CHECK(written.starts_with("{\"position\":2}\n{\"specversion\""));
  CHECK(lines_written() == 4);
  CHECK(stream->now_at() == position{5});
  CHECK_FALSE(stream->is_writing());
}

TEST_CASE_METHOD(stream_test, "while a write is under way nothing else is collected") {
  write(1);
  stream = std::make_unique<feed_stream>(*this, feed, feed.admit().value(), lines(), began);
  stream->start();
  CHECK(stream->is_writing());
  write(1000);
  stream->on_blocks();
  stream->on_tick(began + std::chrono::minutes(1));
  CHECK(lines_written() == 1);  // the mark at the begin
  pass_to({1001});
  CHECK(lines_written() == 1002);
  CHECK(memory <= 2 * feed_block_bytes);
}

TEST_CASE_METHOD(stream_test, "the slowest stream is behind by what its client has not taken") {
  write(5);
  CHECK(feed.slowest_lag() == 0);
  stream = std::make_unique<feed_stream>(*this, feed, feed.admit().value(), lines({2}, {"", "a"}), began);
  stream->start();
  is_writing = false;
  stream->on_written();  // the mark at the begin; the events are to be read
  CHECK(feed.slowest_lag() == 3);
  finish_read();
  CHECK(is_writing);
  CHECK(feed.slowest_lag() == 3);
  pass();
  CHECK(feed.slowest_lag() == 0);
  write(2);
  CHECK(feed.slowest_lag() == 2);
  pass_to({7});
  CHECK(feed.slowest_lag() == 0);
  write(3, "other");  // nothing is sent of these
  pass_to({10});
  CHECK(feed.slowest_lag() == 0);
  write(4);
  CHECK(feed.slowest_lag() == 4);
  stream.reset();
  CHECK(feed.slowest_lag() == 0);
}

TEST_CASE_METHOD(stream_test, "a page is not the slowest stream") {
  write(5);
  stream = std::make_unique<feed_stream>(*this, feed, feed.admit().value(), page({}, 10), began);
  stream->start();
  CHECK(feed.slowest_lag() == 0);
  pass();
  CHECK(answered.has_value());
}

TEST_CASE_METHOD(stream_test, "a stream that has nothing to send tells where it is, now and then") {
  begin(lines({}, {"", "mine"}));
  write(3, "other");
  stream->on_tick(feed_stream::clock::now() + feed_limits::mark_interval / 2);
  CHECK(written == "{\"position\":0}\n");
  stream->on_tick(feed_stream::clock::now() + feed_limits::mark_interval);
  CHECK(written == "{\"position\":0}\n{\"position\":0}\n");
}

TEST_CASE_METHOD(stream_test, "an event stream is marked by an id without data") {
  write(2);
  begin({feed_form::event_stream, {}, {2}, 0, std::chrono::seconds(0)});
  CHECK(written == ": position\nid: 2\n\n");
}

TEST_CASE_METHOD(stream_test, "a stream that is ended says where it was, and ends whole") {
  write(3);
  begin(lines());
  stream->end();
  CHECK(last_chunk);
  pass();
  CHECK(written.ends_with("}\n{\"position\":3}\n"));
  CHECK(ended == true);
  CHECK(counters.readers == 1);  // until the session lets it go
}

TEST_CASE_METHOD(stream_test, "a stream that is ended while it writes ends after that") {
  write(3);
  stream = std::make_unique<feed_stream>(*this, feed, feed.admit().value(), lines(), began);
  stream->start();
  stream->end();
  CHECK_FALSE(last_chunk);
  pass();
  CHECK(ended == true);
}

TEST_CASE_METHOD(stream_test, "a stream ends after its time") {
  begin(lines());
  stream->on_tick(began + feed_limits::stream_time_max);
  pass();
  CHECK(ended == true);
}

TEST_CASE_METHOD(stream_test, "a stream whose next event was trimmed is cut off") {
  write(10);
  changes.trim({5});
  begin(lines({1}));
  CHECK(ended == false);
  CHECK(counters.cuts[static_cast<std::size_t>(feed_cut::trimmed)] == 1);
}

TEST_CASE_METHOD(stream_test, "a stream that can't have memory is cut off") {
  write(10);
  memory_max = 10;
  begin(lines({}, {"", "a"}));
  CHECK(ended == false);
  CHECK(counters.cuts[static_cast<std::size_t>(feed_cut::memory)] == 1);
}

TEST_CASE_METHOD(stream_test, "a page has as many events as it may, and the position behind them") {
  write(10);
  begin(page({2}, 3));
  REQUIRE(answered);
  CHECK(answered->body.ends_with("],\"next\":5}"));
  CHECK(answered->body.starts_with("{\"code\":200,\"message\":\"ok\",\"log_id\":\"" + changes.log_id() +
                                   "\",\"events\":[{"));
}

TEST_CASE_METHOD(stream_test, "a page has no event at the end, or beyond it") {
  write(10);
  SECTION("at it") {
    begin(page({10}, 3));
    CHECK(answered.value().body.ends_with("\"events\":[],\"next\":10}"));
  }
  SECTION("beyond it") {
    begin(page({15}, 3));
    CHECK(answered.value().body.ends_with("\"events\":[],\"next\":15}"));
  }
}

TEST_CASE_METHOD(stream_test, "a filtered page ends after a bounded part of the log") {
  write(25'000, "other");
  begin(page({}, 100, {"", "mine"}));
  REQUIRE(answered);
  CHECK(answered->body.find("\"events\":[],") != std::string::npos);
  CHECK_FALSE(answered->body.ends_with("\"next\":25000}"));
}

TEST_CASE_METHOD(stream_test, "a page waits for an event, for a while") {
  begin(page({}, 100, {"", "mine"}, 5));
  REQUIRE_FALSE(answered);
  SECTION("that comes") {
    write(3, "other");
    write(1, "mine");
    pass_to({4});
    CHECK(answered.value().body.ends_with("\"next\":4}"));
  }
  SECTION("that does not") {
    stream->on_tick(began + std::chrono::seconds(4));
    CHECK_FALSE(answered);
    began -= std::chrono::seconds(10);
    stream->end();  // as the end of the time, but for the clock
    CHECK(answered.value().body.ends_with("\"events\":[],\"next\":0}"));
  }
}

TEST_CASE_METHOD(stream_test, "a page of a log that can't be read is an error") {
  write(3);
  SECTION("failed") {
    changes.fail();
    begin(page({}, 10));
    CHECK(answered.value().status == 503);
  }
  SECTION("trimmed") {
    changes.trim({3});
    begin(page({}, 10));
    CHECK(answered.value().status == 410);
  }
}

}  // namespace
}  // namespace ordem::http_edge
