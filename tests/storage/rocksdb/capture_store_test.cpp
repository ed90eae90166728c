// Captures in the store: written, read, scanned, and in the log among the messages.

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <random>

#include "storage/log/store.hpp"
#include "tests/storage/capture_entries.hpp"
#include "tests/storage/open_store_support.hpp"
#include "tests/support_cpp/seed.hpp"

namespace ordem::storage {
namespace {

using namespace testing;

constexpr milliseconds tick{1};

struct capture_store_test : testing::open_store {
  shared_capture find(const capture_key& key, timestamp now = sample_time) const {
    return store->find_capture(key, now).value();
  }
  std::vector<std::string> all_keys(timestamp now = sample_time) const {
    std::vector<std::string> all;
    REQUIRE(store->scan_captures(now, [&](const capture_key& key, const shared_capture&) {
      all.emplace_back(key.view());
      return true;
    }));
    return all;
  }
};

const capture_key other_key = key_of("other-key-AA");

using names = std::vector<std::string>;

// --- writing and reading ---

TEST_CASE_METHOD(capture_store_test, "a new store has no captures") {
  CHECK(find(some_key) == nullptr);
  CHECK(all_keys().empty());
}

TEST_CASE_METHOD(capture_store_test, "a capture is found as it was last written, also after a restart") {
  const bool starts_anew = GENERATE(true, false);
  write({allocation_entry(some_key)});
  if (starts_anew) reopen();
  CHECK(is_same(find(some_key), allocated_at(sample_time)));
  CHECK(find(other_key) == nullptr);
  write({record_entry(some_key, "r")});
  if (starts_anew) reopen();
  CHECK(is_same(find(some_key), recorded_at(sample_time, response_of("r"))));
}

TEST_CASE_METHOD(capture_store_test, "a capture without lease or end, and one with every kind of header, come back") {
  const auto for_ever = std::make_shared<const capture>(capture{sample_time, std::nullopt, std::nullopt, nullptr});
  const captured_response response{999, std::string("\0\xFF", 2), {{"A", "b"}, {"C", names{"d", ""}}, {"", names{}}}};
  const auto completed = recorded_at(sample_time, std::make_shared<const captured_response>(response));
  write({capture_entry{some_key, sample_time, for_ever}, capture_entry{other_key, sample_time, completed}});
  reopen();
  CHECK(is_same(find(some_key, sample_time + std::chrono::hours(24 * 365 * 100)), for_ever));
  CHECK(is_same(find(other_key), completed));
}

TEST_CASE_METHOD(capture_store_test, "a capture that was given up is not found, and may be allocated again") {
  write({allocation_entry(some_key), allocation_entry(other_key)});
  write({release_entry(some_key)});
  CHECK(find(some_key) == nullptr);
  CHECK(all_keys() == names{"other-key-AA"});
  reopen();
  CHECK(find(some_key) == nullptr);
  write({allocation_entry(some_key)});
  CHECK(find(some_key) != nullptr);
}

TEST_CASE_METHOD(capture_store_test, "a capture is found and visited to its last millisecond") {
  write({allocation_entry(some_key), record_entry(other_key, "r", sample_time + tick)});
  const timestamp expiry = sample_time + sample_terms.ttl;
  CHECK(find(some_key, expiry - tick) != nullptr);
  CHECK(find(some_key, expiry) == nullptr);
  CHECK(find(other_key, expiry) != nullptr);
  CHECK(find(other_key, expiry + tick) == nullptr);
  CHECK(all_keys(expiry - tick) == names{"other-key-AA", "some-key"});
  CHECK(all_keys(expiry) == names{"other-key-AA"});
  CHECK(all_keys(expiry + tick).empty());
}

TEST_CASE_METHOD(capture_store_test, "captures are visited in byte order of their keys, whatever their length") {
  const std::string longest(limits::capture_key_characters_max, 'a');
  const names expected = {"--", "-_", "00", "000", "0000", "01",    "AA", "Aa",
                          "ZZ", "_-", "__", "aA",  "aa",   longest, "zz"};
  REQUIRE(std::is_sorted(expected.begin(), expected.end()));
  for (auto name = expected.rbegin(); name != expected.rend(); ++name) write({allocation_entry(key_of(*name))});
  CHECK(all_keys() == expected);
  store->close();  // writes the memtables to files
  CHECK(all_keys() == expected);
}

TEST_CASE_METHOD(capture_store_test, "a scan of captures ends when its visitor returns false, and reads one snapshot") {
  for (std::uint64_t i = 1; i <= 5; ++i) write({record_entry(key_of(i), "first")});
  const int limit = GENERATE(1, 3, 5);
  int visited = 0;
  REQUIRE(store->scan_captures(sample_time, [&](const capture_key&, const shared_capture& each) {
    if (visited == 0) write({release_entry(key_of(2)), record_entry(key_of(3), "second"), allocation_entry(key_of(9))});
    CHECK(each->response->body == "first");
    return ++visited < limit;
  }));
  CHECK(visited == limit);
}

TEST_CASE_METHOD(capture_store_test, "no change of a capture is visible before its sync") {
  write({allocation_entry(some_key)});
  REQUIRE(store->append(std::vector<entry>{record_entry(some_key, "r"), allocation_entry(other_key)}) == position{3});
  CHECK(find(some_key)->response == nullptr);
  CHECK(find(other_key) == nullptr);
  CHECK(all_keys() == names{"some-key"});
  CHECK(replayed().size() == 1);
  REQUIRE(store->sync());
  CHECK(find(some_key)->response != nullptr);
  CHECK(all_keys().size() == 2);
}

TEST_CASE_METHOD(capture_store_test, "no durable change of a capture is visible before it is applied") {
  write_to_log({allocation_entry(some_key)});
  write_to_log({release_entry(some_key)});
  CHECK(find(some_key) == nullptr);
  store->apply({1});
  CHECK(find(some_key) != nullptr);
  store->apply({2});
  CHECK(find(some_key) == nullptr);
}

TEST_CASE_METHOD(capture_store_test, "the statistics count captures separately from messages") {
  write({allocation_entry(some_key), create_entry(1), allocation_entry(other_key)});
  CHECK(store->stats().estimated_captures == 2);
  CHECK(store->stats().estimated_messages == 1);
}

// --- the log ---

TEST_CASE_METHOD(capture_store_test,
                 "several changes of one capture in one group end in the last, and all are logged") {
  const std::vector<entry> group = {allocation_entry(some_key),
                                    release_entry(some_key, sample_time + tick),
                                    allocation_entry(some_key, sample_time + 2 * tick),
                                    record_entry(some_key, "r", sample_time + 3 * tick),
                                    allocation_entry(other_key),
                                    release_entry(other_key)};
  write(group);
  reopen();
  CHECK(find(some_key)->response->body == "r");
  CHECK(find(other_key) == nullptr);
  const auto all = replayed();
  REQUIRE(all.size() == group.size());
  for (std::size_t i = 0; i < group.size(); ++i) {
    CHECK(all[i].position == position{i + 1});
    CHECK(all[i].message() == nullptr);
    REQUIRE(all[i].capture() != nullptr);
    CHECK(is_same(*all[i].capture(), std::get<capture_entry>(group[i])));
    CHECK(all[i].at() == std::get<capture_entry>(group[i]).at);
  }
}

TEST_CASE_METHOD(capture_store_test, "captures and orders share a group, each with its position in the log") {
  const message_entry created = create_entry(1);
  const message_entry changed = change_entry(created.after, content_of("c-2002"));
  write({allocation_entry(some_key), created, record_entry(some_key, "r"), changed, release_entry(other_key)});
  if (GENERATE(true, false)) reopen();
  CHECK(find(some_key)->response->body == "r");
  CHECK(*store->find_order(order_id_of(1)).value() == *changed.after);
  CHECK(store->find_message(created.guid, sample_time).value() == created.record);
  CHECK(ids_in(list_orders(*store, "c-2002", {}, 10)) == std::vector{order_id_of(1)});

  const auto all = replayed();
  REQUIRE(all.size() == 5);
  const bool is_capture[] = {true, false, true, false, true};
  for (std::size_t i = 0; i < all.size(); ++i) {
    CHECK((all[i].capture() != nullptr) == is_capture[i]);
    CHECK((all[i].message() != nullptr) != is_capture[i]);
  }
  CHECK(*all[3].message()->after == *changed.after);
  CHECK(all[3].at() == changed.record.created_at);
  CHECK(replayed({3}).front().capture()->after->response->body == "r");
}

TEST_CASE_METHOD(capture_store_test, "the log keeps a capture that has expired") {
  write({record_entry(some_key, "r")});
  clock.advance(2 * sample_terms.ttl);
  reopen();
  CHECK(find(some_key, clock.now()) == nullptr);
  CHECK(replayed().front().capture()->after->response->body == "r");
}

TEST_CASE_METHOD(capture_store_test,
                 "one read of the log returns no more captured responses than its bound, but at least one") {
  const std::string half(log_read_captured_bytes_max / 2, 'x');
  const auto [body, expected] = GENERATE_COPY(table<std::string, std::size_t>({
      {half, 2},
      {half.substr(1), 3},
      {half + half, 1},
      {half + half + half, 1},
  }));
  settings.durability = durability::os;
  reopen();
  // In one group and in several.
  write({record_entry(key_of(1), body), record_entry(key_of(2), body)});
  for (std::uint64_t i = 3; i <= 4; ++i) write({record_entry(key_of(i), body)});
  write({allocation_entry(key_of(5))});

  const auto first = store->read_log({1}, 100);
  REQUIRE(first);
  CHECK(first->size() == expected);
  std::uint64_t read = 0;
  while (read < 5) {
    const auto some = store->read_log({read + 1}, 100);
    REQUIRE(some);
    REQUIRE_FALSE(some->empty());
    for (const logged_entry& each : *some) {
      REQUIRE(each.position == position{++read});
      REQUIRE(each.capture()->key == key_of(read));
    }
  }
  CHECK(store->read_log({1}, 1).value().size() == 1);
  CHECK(store->read_log({6}, 100).value().empty());
}

TEST_CASE_METHOD(capture_store_test, "random changes of captures lead to the right state, and the log has them all") {
  const auto seed = seed_of_run();
  INFO("ORDEM_SEED=" << seed);
  std::mt19937_64 random(seed);
  std::map<std::string, shared_capture> expected;
  std::vector<capture_entry> history;
  std::uint64_t orders = 0;
  while (history.size() < 300) {
    std::vector<entry> group;
    for (auto size = 1 + random() % 20; size > 0; --size) {
      const capture_key key = key_of(random() % 30);
      const timestamp at = sample_time + milliseconds(history.size());
      capture_entry next = random() % 3 == 0   ? release_entry(key, at)
                           : random() % 2 == 0 ? allocation_entry(key, at)
                                               : record_entry(key, std::to_string(history.size()), at);
      expected[std::string(key.view())] = next.after;
      history.push_back(next);
      group.push_back(std::move(next));
      if (random() % 4 == 0) group.push_back(create_entry(++orders));
    }
    write(group);
    if (random() % 10 == 0) reopen();
  }
  for (const auto& [name, state] : expected) REQUIRE(is_same(find(key_of(name)), state));
  std::erase_if(expected, [](const auto& each) { return each.second == nullptr; });
  names kept;
  for (const auto& [name, state] : expected) kept.push_back(name);
  CHECK(all_keys() == kept);

  std::size_t logged = 0;
  for (const logged_entry& each : replayed()) {
    if (each.capture() != nullptr) REQUIRE(is_same(*each.capture(), history.at(logged++)));
  }
  CHECK(logged == history.size());
}

}  // namespace
}  // namespace ordem::storage
