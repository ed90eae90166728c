#include "cluster/nats/stream_reader.hpp"

#include "tests/cluster/servers/servers.hpp"

namespace ordem::cluster {
namespace {

struct ready {};

// A reader, and what it has read: each record must be the next one.
class reading {
 public:
  reading(nats_connection& connection, const stream_settings& stream, std::uint64_t from,
          std::size_t untaken_bytes_max = std::size_t{8} << 20)
      : next_(from),
        reader_(connection, {.stream = stream.names.stream,
                             .tail_subject = stream.names.tail_subject,
                             .from = from,
                             .untaken_bytes_max = untaken_bytes_max,
                             .on_ready = [this] { events_.push({}); }}) {}

  std::size_t take() {
    reader_.take(records_);
    for (const stream_record& each : records_) {
      REQUIRE(each.sequence == next_);
      REQUIRE(each.bytes == record_text(next_, each.bytes.size()));
      ++next_;
    }
    return records_.size();
  }

  void read_until(std::uint64_t last) {
    while (take() > 0 || next_ <= last) {
      if (next_ <= last && !events_.pop(patience)) FAIL("nothing was read in time; the next one is " << next_);
    }
    CHECK(next_ == last + 1);
  }

  void wait_current(bool current = true) {
    while (reader_.is_current() != current) {
      if (!events_.pop(patience)) FAIL("the reader's state does not change");
    }
  }

  stream_reader& reader() { return reader_; }
  std::uint64_t next() const { return next_; }
  void skip_to(std::uint64_t sequence) {
    reader_.skip_to(sequence);
    next_ = sequence;
  }

 private:
  std::uint64_t next_;
  std::vector<stream_record> records_;
  waiting_queue<ready> events_;
  stream_reader reader_;
};

void append_large(links& to, std::uint64_t after, std::uint64_t last, std::size_t size) {
  for (std::uint64_t sequence = after + 1; sequence <= last; ++sequence) {
    REQUIRE(to[0].append({.epoch = 1, .sequence = sequence}, sequence - 1, record_text(sequence, size)));
    const auto answer = to.answer();
    REQUIRE(answer);
    REQUIRE(std::holds_alternative<record_stored>(answer->answer));
  }
}

TEST_CASE("the stream is read to its end, and then as it grows") {
  const auto connection = connect();
  const auto stream = make_stream(*connection);
  links to(stream);
  append_until(to, 0, 300);  // more than one batch
  reading all(*connection, stream, 1);
  all.read_until(300);
  all.wait_current();
  append_until(to, 300, 400);
  all.read_until(400);
  // From the middle, and from behind the end.
  reading middle(*connection, stream, 399);
  middle.read_until(400);
  reading behind(*connection, stream, 401);
  behind.wait_current();
  append_until(to, 400, 402);
  behind.read_until(402);
  all.read_until(402);
}

TEST_CASE("a reader of an empty stream is current, and reads the first record") {
  const auto connection = connect();
  const auto stream = make_stream(*connection);
  links to(stream);
  reading all(*connection, stream, 1);
  all.wait_current();
  append_until(to, 0, 3);
  all.read_until(3);
}

TEST_CASE("a record is read as it is stored, without a question to the stream") {
  const auto connection = connect();
  const auto stream = make_stream(*connection);
  links to(stream);
  reading all(*connection, stream, 1);
  all.wait_current();
  const auto began = std::chrono::steady_clock::now();
  constexpr std::uint64_t records = 30;
  for (std::uint64_t i = 0; i < records; ++i) {
    append_until(to, i, i + 1);
    all.read_until(i + 1);
  }
  // A reader without copies asks once a second, so it would take a second for each.
  CHECK(std::chrono::steady_clock::now() - began < std::chrono::seconds(records / 2));
}

TEST_CASE("a copy that comes before others is not read before them") {
  const auto connection = connect();
  const auto stream = make_stream(*connection);
  const auto ahead = make_stream(*connection);
  links to(stream);
  links to_ahead(ahead);
  append_until(to, 0, 3);
  append_until(to_ahead, 0, 10);
  // Gets the copies of another stream, so that of sequence 11 comes when 4 is the next one, as if seven had been lost.
  stream_settings mixed = stream;
  mixed.names.tail_subject = ahead.names.tail_subject;
  reading all(*connection, mixed, 1);
  all.read_until(3);
  all.wait_current();
  append_until(to_ahead, 10, 11);
  all.wait_current(false);
  CHECK(all.take() == 0);
  append_until(to, 3, 11);
  all.read_until(11);
  all.wait_current();
}

TEST_CASE("records as large as can be are read one by one") {
  const auto connection = connect();
  const auto stream = make_stream(*connection);
  links to(stream);
  append_large(to, 0, 5, record_bytes_max);
  reading all(*connection, stream, 1);
  all.read_until(5);
  append_large(to, 5, 7, record_bytes_max);
  all.read_until(7);
}

TEST_CASE("a reader pauses while what it has read is not taken, and loses nothing") {
  const auto connection = connect();
  const auto stream = make_stream(*connection);
  links to(stream);
  reading slow(*connection, stream, 1, 100'000);
  slow.wait_current();
  constexpr std::size_t size = 60'000;
  append_large(to, 0, 120, size);  // 7 MB: more than the reader holds and than the copies that wait
  // One batch may be on its way when the reader pauses.
  std::vector<stream_record> records;
  slow.reader().take(records);
  std::size_t bytes = 0;
  for (const auto& each : records) bytes += each.bytes.size();
  CHECK(bytes <= 100'000 + read_batch_bytes + size);
  CHECK(records.size() < 120);
  slow.skip_to(records.size() + 1);
  slow.read_until(120);
  append_large(to, 120, 125, size);
  slow.read_until(125);
}

TEST_CASE("a reader leaves out what it is told to skip") {
  const auto connection = connect();
  const auto stream = make_stream(*connection);
  links to(stream);
  reading all(*connection, stream, 1);
  append_until(to, 0, 10);
  all.read_until(10);
  all.skip_to(16);
  append_until(to, 10, 20);
  all.read_until(20);
}

TEST_CASE("when the leader's server is killed, appends and the reader go on, and nothing is lost or doubled",
          "[kill]") {
  const auto connection = connect();
  const auto stream = make_stream(*connection);
  links to(stream);
  reading all(*connection, stream, 1);
  append_until(to, 0, 50);
  const auto before = read_stream_info(*connection, stream.names.stream);
  REQUIRE((before && *before && !(*before)->leader.empty()));
  kill_server((*before)->leader);
  append_until(to, 50, 100);
  all.read_until(100);
  // The link to that server says that it is down, and takes nothing.
  const auto is_down = [&] {
    for (std::size_t i = 0; i < to.count(); ++i) {
      if (!to[i].is_up()) return true;
    }
    return false;
  };
  to.wait_for_state(is_down);
  for (std::size_t i = 0; i < to.count(); ++i) {
    if (!to[i].is_up()) CHECK_FALSE(to[i].append({.epoch = 1, .sequence = 101}, 100, "x"));
  }
  // What was read is what is in the stream.
  reading again(*connection, stream, 1);
  again.read_until(100);
  const auto after = read_stream_info(*connection, stream.names.stream);
  REQUIRE((after && *after));
  CHECK((*after)->last_sequence == 100);
  CHECK((*after)->leader != (*before)->leader);
}

}  // namespace
}  // namespace ordem::cluster
