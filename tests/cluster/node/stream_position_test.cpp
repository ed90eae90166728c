// The place of a copy in streams with dead records, found by its last record alone.

#include "cluster/node/stream_position.hpp"

#include <catch2/catch.hpp>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "tests/cluster/protocol/support.hpp"
#include "tests/support_cpp/seed.hpp"

namespace ordem::cluster {
namespace {

using testing::record_writer;

// A stream in memory, of which sequences below `first` were trimmed.
struct stream {
  std::vector<shared_record> records;
  std::uint64_t first = 1;
  std::size_t reads = 0;

  void add(shared_record record) { records.push_back(std::move(record)); }
  stream_range range() const { return {first, records.size()}; }
  record_source source() {
    return [this](std::uint64_t sequence) -> tl::expected<std::optional<read_log_record>, std::string> {
      ++reads;
      if (sequence < first || sequence > records.size()) return std::nullopt;
      const std::string& record = *records[sequence - 1];
      const auto header = decode_whole_record(record);
      REQUIRE(header);
      return read_log_record{*header, std::string(storage::payload_of(*header, record))};
    };
  }
};

// The last live record of each state, with the state of the chain behind it.
struct live_record {
  storage::log_record_header header;
  chain_state after;
};

std::vector<live_record> walk(const stream& of, const chain_state& from = {}) {
  std::vector<live_record> live;
  record_chain chain(from);
  for (std::uint64_t sequence = chain.next_sequence(); sequence <= of.records.size(); ++sequence) {
    storage::log_record_header header;
    const record_link link = chain.take(sequence, *of.records[sequence - 1], header);
    REQUIRE((link == record_link::live || link == record_link::dead));
    if (link == record_link::live) live.push_back({header, chain.state()});
  }
  return live;
}

// Ownerships that end with records in flight: those of the owner before land behind the EPOCH record, and displace the
// first ones of the new owner, of which some land before their turn.
stream random_stream(std::mt19937_64& random) {
  const auto below = [&random](std::uint64_t bound) { return random() % bound; };
  stream made;
  record_writer writer;
  made.add(writer.genesis());
  std::uint64_t number = 0;
  const auto next = [&](record_writer& by) {
    by.set_step(milliseconds(below(2)));
    const auto entries = static_cast<std::uint32_t>(1 + below(3));
    return below(3) == 0 ? by.barrier() : by.group("group " + std::to_string(++number), entries);
  };
  for (std::uint64_t epoch = 1 + below(6); epoch > 0; --epoch) {
    record_writer deposed = writer;
    const bool has_owner = writer.last().epoch > 0;
    made.add(writer.epoch("node " + std::to_string(epoch), epoch));
    if (has_owner) {
      for (auto dead = below(9); dead > 0; --dead) made.add(next(deposed));
      std::vector<shared_record> window;
      for (auto count = below(8); count > 0; --count) window.push_back(next(writer));
      for (std::size_t i = 1; i < window.size(); ++i) {
        if (below(2) == 0) made.add(window[i]);
      }
      for (const auto& each : window) made.add(each);
    }
    for (auto count = below(40); count > 0; --count) made.add(next(writer));
    if (below(4) == 0) made.add(writer.release("node x"));
  }
  return made;
}

TEST_CASE("the place of every live record is found, and reading goes on from there") {
  const auto seed = ordem::testing::seed_of_run();
  INFO("ORDEM_SEED=" << seed);
  std::mt19937_64 random(seed);
  for (int i = 0; i < 100; ++i) {
    stream made = random_stream(random);
    const auto live = walk(made);
    for (const live_record& each : live) {
      const auto found = find_position(made.source(), made.range(), each.header);
      INFO((found ? "" : found.error().text));
      REQUIRE(found);
      chain_state expected = each.after;
      expected.read_to = found->read_to;  // a copy of the record that landed before its turn is as good
      expected.sequence = found->sequence;
      REQUIRE(*found == expected);
      const auto rest = walk(made, *found);
      REQUIRE((rest.empty() ? found->hash : rest.back().after.hash) == live.back().after.hash);
    }
    const auto ownership = find_ownership(made.source(), made.range());
    REQUIRE(ownership);
    REQUIRE(*ownership);
    const chain_state& end = live.back().after;
    CHECK((*ownership)->epoch == end.epoch);
    CHECK((*ownership)->is_released == end.is_released);
    if (!end.is_released) CHECK((*ownership)->owner.nonce == end.nonce);
  }
}

TEST_CASE("an empty copy begins at the start of the stream, which must have it") {
  record_writer writer;
  stream made;
  CHECK(find_position(made.source(), {1, 0}, std::nullopt) == chain_state{});
  for (int i = 0; i < 5; ++i) made.add(i == 0 ? writer.genesis() : writer.barrier());
  CHECK(find_position(made.source(), made.range(), std::nullopt) == chain_state{});
  made.first = 2;
  const auto refused = find_position(made.source(), made.range(), std::nullopt);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().what == position_error::kind::trimmed);
}

struct long_stream {
  stream made;
  record_writer writer;
  std::vector<storage::log_record_header> headers;

  void add(shared_record record) {
    made.add(std::move(record));
    headers.push_back(writer.last());
  }
  long_stream() {
    add(writer.genesis());
    add(writer.epoch("a", 1));
    for (int i = 0; i < 20'000; ++i) add(writer.group("x"));
  }
};

TEST_CASE("a record in a long stream is found by some hundred reads") {
  long_stream tested;
  const auto found = find_position(tested.made.source(), tested.made.range(), tested.headers[12'344]);
  REQUIRE(found);
  CHECK(found->sequence == 12'345);
  CHECK(found->owner == "a");
  CHECK(tested.made.reads < 600);
}

TEST_CASE("a copy that the stream has been trimmed behind needs a checkpoint; one whose owner is trimmed does not") {
  long_stream tested;
  tested.made.first = 101;
  const auto kept = find_position(tested.made.source(), tested.made.range(), tested.headers[100]);
  REQUIRE(kept);
  CHECK(kept->sequence == 101);
  CHECK(kept->epoch == 1);
  CHECK(kept->owner.empty());
  const auto trimmed = find_position(tested.made.source(), tested.made.range(), tested.headers[99]);
  REQUIRE_FALSE(trimmed);
  CHECK(trimmed.error().what == position_error::kind::trimmed);
  CHECK_THAT(trimmed.error().text, Catch::Matchers::Contains("position 98"));
}

TEST_CASE("a copy with a record that the stream does not have is of another log, or the log has lost it") {
  long_stream tested;
  storage::log_record_header wanted = tested.headers[5'000];
  SECTION("another one stands there") {
    wanted.hash ^= 1;
  }
  SECTION("the stream ends before") {
    tested.made.records.resize(5'000);
  }
  SECTION("the stream is empty") {
    tested.made.records.clear();
  }
  const auto found = find_position(tested.made.source(), tested.made.range(), wanted);
  REQUIRE_FALSE(found);
  CHECK(found.error().what == position_error::kind::not_found);
}

TEST_CASE("a stream that cannot be read is no answer") {
  long_stream tested;
  std::size_t reads = 0;
  const auto source = tested.made.source();
  const auto failing = [&](std::uint64_t sequence) -> tl::expected<std::optional<read_log_record>, std::string> {
    if (++reads == 20) return tl::make_unexpected("no leader");
    return source(sequence);
  };
  const auto found = find_position(failing, tested.made.range(), tested.headers[5'000]);
  REQUIRE_FALSE(found);
  CHECK(found.error().what == position_error::kind::unreadable);
  CHECK(found.error().text == "no leader");
}

}  // namespace
}  // namespace ordem::cluster
