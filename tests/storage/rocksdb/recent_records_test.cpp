#include "storage/rocksdb/recent_records.hpp"

#include <atomic>
#include <catch2/catch.hpp>
#include <map>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "tests/storage/rocksdb/the_end.hpp"
#include "tests/support_cpp/seed.hpp"

namespace ordem::storage {
namespace {

using Catch::Matchers::Equals;
using testing::the_end;

void put(recent_records& to, const std::string& key, std::string_view value, std::uint64_t at) {
  to.put(key, value, {at});
}

std::vector<std::string> texts_of(const std::vector<const recent_record*>& records) {
  std::vector<std::string> all;
  for (const recent_record* each : records) {
    all.push_back(std::string(each->key()) + (each->removed ? "-" : "=") + std::string(each->value()));
  }
  return all;
}

TEST_CASE("records that were put are found, and no others") {
  recent_records records(10);
  CHECK(records.find("a", the_end) == nullptr);
  put(records, "a", "1", 1);
  put(records, "ab", "", 2);
  REQUIRE(records.find("a", the_end) != nullptr);
  CHECK(records.find("a", the_end)->value() == "1");
  CHECK(records.find("ab", the_end)->value().empty());
  CHECK(records.find("b", the_end) == nullptr);
  CHECK(records.find("", the_end) == nullptr);
  CHECK(records.size() == 2);
}

TEST_CASE("a reader sees the newest record up to its position") {
  recent_records records(10);
  put(records, "a", "old", 3);
  put(records, "a", "new", 7);
  CHECK(records.find("a", {2}) == nullptr);
  CHECK(records.find("a", {3})->value() == "old");
  CHECK(records.find("a", {6})->value() == "old");
  CHECK(records.find("a", {7})->value() == "new");
}

TEST_CASE("sorted returns each key once, in byte order, as of the position") {
  recent_records records(10);
  put(records, "b", "1", 1);
  put(records, "a", "2", 2);
  put(records, "b", "3", 3);
  records.remove("a", {4});
  put(records, "\xFF", "5", 5);
  CHECK_THAT(texts_of(records.sorted({2})), Equals(std::vector<std::string>{"a=2", "b=1"}));
  CHECK_THAT(texts_of(records.sorted(the_end)), Equals(std::vector<std::string>{"a-", "b=3", "\xFF=5"}));
}

TEST_CASE("a full table has all records, including long values") {
  const auto seed = testing::seed_of_run();
  INFO("ORDEM_SEED=" << seed);
  std::mt19937_64 random(seed);
  constexpr std::size_t count = 5000;
  recent_records records(count);
  std::map<std::string, std::string> expected;
  for (std::uint64_t i = 1; i <= count; ++i) {
    const std::string key = std::to_string(random() % 3000);
    const std::string value(i % 500 == 0 ? 300'000 : i % 40, static_cast<char>('a' + i % 26));
    put(records, key, value, i);
    expected[key] = value;
  }
  std::vector<std::string> all;
  for (const auto& [key, value] : expected) {
    REQUIRE(records.find(key, the_end)->value() == value);
    all.push_back(key + "=" + value);
  }
  CHECK(texts_of(records.sorted(the_end)) == all);
}

TEST_CASE("other threads find all records up to the position that they know") {
  constexpr std::uint64_t count = 50'000;
  recent_records records(count);
  std::atomic<std::uint64_t> written{0};
  std::atomic<std::uint64_t> wrong{0};
  const auto read = [&](std::uint64_t seed) {
    std::mt19937_64 random(seed);
    while (written.load() < count) {
      const position upto{written.load()};
      if (upto.number == 0) continue;
      const std::uint64_t number = 1 + random() % upto.number;
      const auto* found = records.find("key-" + std::to_string(number % 20'000), upto);
      // The newest record of the key.
      const std::uint64_t newest = number + (upto.number - number) / 20'000 * 20'000;
      if (found == nullptr || found->value() != std::to_string(newest)) ++wrong;
    }
  };
  std::thread first(read, 1);
  std::thread second(read, 2);
  for (std::uint64_t i = 1; i <= count; ++i) {
    put(records, "key-" + std::to_string(i % 20'000), std::to_string(i), i);
    written.store(i);
  }
  first.join();
  second.join();
  CHECK(wrong == 0);
}

}  // namespace
}  // namespace ordem::storage
