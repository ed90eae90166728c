#include "engine/model/order_id_generator.hpp"

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <set>
#include <thread>
#include <vector>

#include "tests/engine/orders.hpp"

namespace ordem {
namespace {

using namespace testing;

constexpr hash_slot some_slot{0x1234};

std::uint64_t milliseconds_in(const order_id& id) {
  std::uint64_t ms = 0;
  for (int i = 0; i < 6; ++i) ms = ms << 8 | id.bytes.at(static_cast<std::size_t>(i));
  return ms;
}

std::uint64_t as_ms(timestamp at) {
  return static_cast<std::uint64_t>(at.time_since_epoch().count());
}

unsigned counter_in(const order_id& id) {
  return (id.bytes[6] & 0x0Fu) << 8 | id.bytes[7];
}

TEST_CASE("an id tells its time, and the ids of earlier times are lower than the lowest id at that time") {
  order_id_sequence sequence;
  order_id_generator ids(1, sequence);
  const auto before = ids.next(sample_time, some_slot);
  const timestamp at = sample_time + milliseconds{1};
  const auto first = ids.next(at, some_slot);
  CHECK(time_in(before) == sample_time);
  CHECK(time_in(first) == at);
  CHECK(before < lowest_id_at(at));
  CHECK(lowest_id_at(at) < first);
  CHECK(lowest_id_at(timestamp{milliseconds{-1}}) == order_id{});
  CHECK(time_in(lowest_id_at(timestamp::max())).time_since_epoch().count() == (std::int64_t{1} << 48) - 1);
  const auto second = ids.next(at, some_slot);
  CHECK(first < lowest_id_like(second));
  CHECK(lowest_id_like(second) < second);
}

TEST_CASE("a new id is a UUIDv7 of its time, with version and variant") {
  order_id_sequence sequence;
  order_id_generator ids(1, sequence);
  for (int i = 0; i < 100; ++i) {
    const auto id = ids.next(sample_time + milliseconds{i}, some_slot);
    CHECK(milliseconds_in(id) == as_ms(sample_time) + static_cast<std::uint64_t>(i));
    CHECK(id.bytes[6] >> 4 == 7);
    CHECK(id.bytes[8] >> 6 == 0b10);
    CHECK(counter_in(id) == 0);
  }
}

TEST_CASE("a new id carries the slot, up to the highest") {
  order_id_sequence sequence;
  order_id_generator ids(1, sequence);
  for (const std::uint16_t number : std::array<std::uint16_t, 6>{0, 1, 255, 256, 0x1234, hash_slot::count - 1}) {
    CAPTURE(number);
    CHECK(ids.next(sample_time, {number}).slot() == hash_slot{number});
  }
}

TEST_CASE("ids of one millisecond count up") {
  order_id_sequence sequence;
  order_id_generator ids(1, sequence);
  for (unsigned i = 0; i < 100; ++i) {
    const auto id = ids.next(sample_time, some_slot);
    CHECK(counter_in(id) == i);
    CHECK(milliseconds_in(id) == as_ms(sample_time));
  }
}

TEST_CASE("more than 4096 ids of one millisecond run ahead of the clock and still ascend") {
  order_id_sequence sequence;
  order_id_generator ids(1, sequence);
  order_id last = ids.next(sample_time, some_slot);
  for (int i = 1; i < 10'000; ++i) {
    const order_id id = ids.next(sample_time, some_slot);
    REQUIRE(last < id);
    last = id;
  }
  CHECK(milliseconds_in(last) == as_ms(sample_time) + 2);  // 10000 = 2 * 4096 + 1808
  CHECK(counter_in(last) == 1807);
}

TEST_CASE("ids ascend while the clock stands still, is behind the ids, and has caught up with them") {
  order_id_sequence sequence;
  order_id_generator ids(1, sequence);
  order_id last = ids.next(sample_time, some_slot);
  const auto make = [&](milliseconds since) {
    const order_id id = ids.next(sample_time + since, some_slot);
    CHECK(last < id);
    last = id;
    return id;
  };
  for (int i = 0; i < 4096; ++i) make(milliseconds{0});
  CHECK(milliseconds_in(make(milliseconds{1})) == as_ms(sample_time) + 1);
  CHECK(milliseconds_in(make(milliseconds{2})) == as_ms(sample_time) + 2);
}

TEST_CASE("ids ascend when the clock steps back, and follow it again later") {
  order_id_sequence sequence;
  order_id_generator ids(1, sequence);
  order_id last = ids.next(sample_time, some_slot);
  for (const int back_ms : {1, 1'000, 86'400'000}) {
    for (int i = 0; i < 3'000; ++i) {
      const order_id id = ids.next(sample_time - milliseconds{back_ms}, some_slot);
      REQUIRE(last < id);
      last = id;
    }
  }
  const auto id = ids.next(sample_time + std::chrono::hours{1}, some_slot);
  CHECK(last < id);
  CHECK(milliseconds_in(id) == as_ms(sample_time + std::chrono::hours{1}));
}

TEST_CASE("ids of one slot ascend although other slots come in between") {
  order_id_sequence sequence;
  order_id_generator ids(1, sequence);
  std::array<order_id, 3> last{};
  for (int i = 0; i < 9'000; ++i) {
    const auto slot = static_cast<std::uint16_t>(i % 3 * 5'000);
    auto& before = last.at(static_cast<std::size_t>(i % 3));
    const order_id id = ids.next(sample_time, {slot});
    REQUIRE(before < id);
    before = id;
  }
}

TEST_CASE("ids of several generators ascend in the order in which they were asked for, whatever their slots") {
  order_id_sequence sequence;
  order_id_generator some(1, sequence);
  order_id_generator other(2, sequence);
  order_id last = some.next(sample_time, {hash_slot::count - 1});
  for (std::uint16_t i = 0; i < 9'000; ++i) {
    // The clock of one batch is older than that of another.
    const order_id id =
        i % 2 == 0 ? other.next(sample_time - milliseconds{5}, {i}) : some.next(sample_time, {hash_slot::count - 1});
    REQUIRE(last < id);
    last = id;
  }
}

TEST_CASE("ids go on after the newest that there was, although the clock is behind it") {
  order_id_sequence before;
  order_id_generator first(1, before);
  order_id newest{};
  for (int i = 0; i < 5'000; ++i) newest = first.next(sample_time, {hash_slot::count - 1});

  order_id_sequence sequence(newest);
  order_id_generator ids(2, sequence);
  CHECK(newest < ids.next(sample_time - std::chrono::hours{48}, {0}));
  CHECK(newest < ids.next(timestamp{}, {0}));
  CHECK(milliseconds_in(ids.next(sample_time + std::chrono::hours{1}, {0})) ==
        as_ms(sample_time + std::chrono::hours{1}));
}

TEST_CASE("a sequence that many threads take from gives each number once, and to each thread ascending") {
  constexpr std::size_t threads = 4;
  constexpr std::size_t each = 20'000;
  order_id_sequence sequence;
  std::array<std::vector<std::uint64_t>, threads> taken;
  std::vector<std::thread> all;
  for (auto& mine : taken) {
    all.emplace_back([&] {
      for (std::size_t i = 0; i < each; ++i) mine.push_back(sequence.next(sample_time));
    });
  }
  for (auto& thread : all) thread.join();
  std::set<std::uint64_t> numbers;
  for (const auto& mine : taken) {
    CHECK(std::is_sorted(mine.begin(), mine.end()));
    numbers.insert(mine.begin(), mine.end());
  }
  CHECK(numbers.size() == threads * each);
}

TEST_CASE("generators of different seeds make different ids of the same time and slot") {
  std::set<order_id> made;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    order_id_sequence sequence;
    made.insert(order_id_generator(seed, sequence).next(sample_time, some_slot));
  }
  CHECK(made.size() == 100);
}

}  // namespace
}  // namespace ordem
