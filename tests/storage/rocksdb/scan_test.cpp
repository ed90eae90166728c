// Scans of all orders and all messages, each in key order, of one snapshot.

#include <catch2/catch.hpp>

#include "storage/log/store.hpp"
#include "tests/storage/open_store_support.hpp"

namespace ordem::storage {
namespace {

using namespace testing;

struct scan_test : testing::open_store {
  std::vector<order> all_orders() const {
    std::vector<order> all;
    REQUIRE(store->scan_orders([&](const shared_order& each) {
      all.push_back(*each);
      return true;
    }));
    return all;
  }
  std::vector<std::string> all_guids(timestamp now = sample_time) const {
    std::vector<std::string> all;
    REQUIRE(store->scan_messages(now, [&](const guid& id, const message_record&) {
      all.emplace_back(id.view());
      return true;
    }));
    return all;
  }
};

message_entry entry_called(const std::string& name, std::uint64_t number) {
  return entry_of(creation(guid_of(name)), nullptr, order_id_of(number));
}

TEST_CASE_METHOD(scan_test, "a scan of an empty store visits nothing") {
  CHECK(all_orders().empty());
  CHECK(all_guids().empty());
}

TEST_CASE_METHOD(scan_test, "each order is visited once, at its current version, in ascending order of ids") {
  std::vector<order> expected;
  for (const std::uint64_t number : {7U, 1U, 300U, 2U, 256U, 255U}) write(life_of(number, 1 + number % 3));
  for (const std::uint64_t number : {1U, 2U, 7U, 255U, 256U, 300U}) {
    expected.push_back(*life_of(number, 1 + number % 3).back().after);
  }
  CHECK(all_orders() == expected);
  store->close();  // writes the memtables to files
  CHECK(all_orders() == expected);
}

TEST_CASE_METHOD(scan_test, "messages are visited once each, in byte order of their GUIDs, whatever their length") {
  const std::string longest(limits::guid_bytes_max, 'a');
  const std::vector<std::string> expected = {"!", "-", "1", "10", "2", "A", "Z", "a", "a!", longest, "ab", "~"};
  std::uint64_t number = 0;
  for (auto name = expected.rbegin(); name != expected.rend(); ++name) write({entry_called(*name, ++number)});
  CHECK(all_guids() == expected);
}

TEST_CASE_METHOD(scan_test, "a scan returns the record of a message, also of a rejected one") {
  const auto life = life_of(1, 2);
  write(life);
  const message_entry rejected = entry_of(replacement(guid_of("late"), order_id_of(1), {1}), life[1].after, {});
  write({rejected});
  std::size_t seen = 0;
  REQUIRE(store->scan_messages(sample_time, [&](const guid& id, const message_record& record) {
    for (const message_entry& each : {life[0], life[1], rejected}) {
      if (each.guid == id && each.record == record) ++seen;
    }
    return true;
  }));
  CHECK(seen == 3);
}

TEST_CASE_METHOD(scan_test, "a scan ends when its visitor returns false") {
  for (std::uint64_t i = 1; i <= 5; ++i) write({entry_called("k-" + std::to_string(i), i)});
  const int limit = GENERATE(1, 3, 5);
  int visited = 0;
  REQUIRE(store->scan_orders([&](const shared_order&) { return ++visited < limit; }));
  CHECK(visited == limit);
  visited = 0;
  REQUIRE(store->scan_messages(sample_time, [&](const guid&, const message_record&) { return ++visited < limit; }));
  CHECK(visited == limit);
}

TEST_CASE_METHOD(scan_test, "an expired message is skipped, and the scan continues") {
  const auto later = [](milliseconds by) { return sample_time + by; };
  write({entry_of(creation(guid_of("a")), nullptr, order_id_of(1), later(milliseconds(1)))});
  write({entry_of(creation(guid_of("b")), nullptr, order_id_of(2), later(milliseconds(0)))});
  write({entry_of(creation(guid_of("c")), nullptr, order_id_of(3), later(milliseconds(2)))});
  using names = std::vector<std::string>;
  CHECK(all_guids(later(sample_ttl) - milliseconds(1)) == names{"a", "b", "c"});
  CHECK(all_guids(later(sample_ttl)) == names{"a", "c"});
  CHECK(all_guids(later(sample_ttl) + milliseconds(1)) == names{"c"});
  CHECK(all_guids(later(sample_ttl) + milliseconds(2)).empty());
  CHECK(all_orders().size() == 3);
}

TEST_CASE_METHOD(scan_test, "a scan visits nothing before its sync") {
  write(life_of(1, 1));
  const order before = all_orders().front();
  REQUIRE(store->append(group_of({change_entry(shared(before)), create_entry(2)})));
  CHECK(all_orders() == std::vector{before});
  CHECK(all_guids().size() == 1);
  REQUIRE(store->sync());
  CHECK(all_orders().size() == 2);
  CHECK(all_orders().front().version == version{2});
  CHECK(all_guids().size() == 3);
}

TEST_CASE_METHOD(scan_test, "a scan visits nothing that is durable and not applied") {
  write_to_log({create_entry(1)});
  write_to_log({create_entry(2)});
  CHECK(all_orders().empty());
  CHECK(all_guids().empty());
  store->apply({1});
  CHECK(all_orders().size() == 1);
  CHECK(all_guids().size() == 1);
}

TEST_CASE_METHOD(scan_test, "a scan sees one state, whatever is written while it runs") {
  write(life_of(1, 1));
  write({create_entry(3)});
  std::vector<std::uint64_t> versions;
  REQUIRE(store->scan_orders([&](const shared_order& each) {
    if (versions.empty()) {
      write({create_entry(2), change_entry(store->find_order(order_id_of(3)).value())});
    }
    versions.push_back(each->version.number);
    return true;
  }));
  CHECK(versions == std::vector<std::uint64_t>{1, 1});

  std::size_t messages = 0;
  REQUIRE(store->scan_messages(sample_time, [&](const guid&, const message_record&) {
    if (messages++ == 0) write({entry_called("zzz", 9)});
    return true;
  }));
  CHECK(messages == 4);
}

}  // namespace
}  // namespace ordem::storage
