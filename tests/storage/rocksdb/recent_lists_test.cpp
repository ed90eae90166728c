#include "storage/rocksdb/recent_lists.hpp"

#include <array>
#include <atomic>
#include <catch2/catch.hpp>
#include <cstdio>
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
using texts = std::vector<std::string>;

constexpr std::size_t name_bytes = 5;

std::string list_key_of(const std::string& name, std::uint64_t number) {
  std::array<char, 24> digits{};
  std::snprintf(digits.data(), digits.size(), "%010llu", static_cast<unsigned long long>(number));
  return name + digits.data();
}

std::string text_of(const listed_key& record) {
  return std::string(record.key()) + (record.removed ? "-" : "+");
}

texts all_from(const recent_lists& lists, const std::string& name, const std::string& from, position upto) {
  texts all;
  for (auto at = lists.seek(name, from, upto); at.get() != nullptr; at.next()) all.push_back(text_of(*at.get()));
  return all;
}

texts sorted_texts(const recent_lists& lists, position upto) {
  texts all;
  for (const listed_key* each : lists.sorted(upto)) all.push_back(text_of(*each));
  return all;
}

TEST_CASE("a list returns its keys in byte order, whatever the order of insertion") {
  recent_lists lists(10, 10);
  CHECK(all_from(lists, "cust1", "cust1", the_end).empty());
  lists.put("cust1/c", name_bytes, {1});
  lists.put("cust1/a", name_bytes, {2});
  lists.put("cust2/b", name_bytes, {3});
  lists.put("cust1/b", name_bytes, {4});
  CHECK_THAT(all_from(lists, "cust1", "cust1", the_end), Equals(texts{"cust1/a+", "cust1/b+", "cust1/c+"}));
  CHECK_THAT(all_from(lists, "cust1", "cust1/b", the_end), Equals(texts{"cust1/b+", "cust1/c+"}));
  CHECK_THAT(all_from(lists, "cust1", "cust1/bb", the_end), Equals(texts{"cust1/c+"}));
  CHECK_THAT(all_from(lists, "cust2", "cust2", the_end), Equals(texts{"cust2/b+"}));
  CHECK(all_from(lists, "cust3", "cust3", the_end).empty());
  CHECK_THAT(sorted_texts(lists, the_end), Equals(texts{"cust1/a+", "cust1/b+", "cust1/c+", "cust2/b+"}));
  CHECK(lists.size() == 4);
}

TEST_CASE("a key is read as of the reader's position") {
  recent_lists lists(10, 10);
  lists.put("cust1/b", name_bytes, {2});
  lists.remove("cust1/b", name_bytes, {4});
  lists.put("cust1/a", name_bytes, {5});
  lists.put("cust1/b", name_bytes, {7});
  const std::vector<texts> expected = {{},
                                       {},
                                       {"cust1/b+"},
                                       {"cust1/b+"},
                                       {"cust1/b-"},
                                       {"cust1/a+", "cust1/b-"},
                                       {"cust1/a+", "cust1/b-"},
                                       {"cust1/a+", "cust1/b+"}};
  for (std::uint64_t upto = 0; upto < expected.size(); ++upto) {
    CAPTURE(upto);
    CHECK_THAT(all_from(lists, "cust1", "cust1", {upto}), Equals(expected[upto]));
    CHECK_THAT(sorted_texts(lists, {upto}), Equals(expected[upto]));
  }
}

TEST_CASE("lists hold what a map of sets would, for every reader's position") {
  const auto seed = testing::seed_of_run();
  INFO("ORDEM_SEED=" << seed);
  std::mt19937_64 random(seed);
  constexpr std::uint64_t count = 4000;
  recent_lists lists(count, count);
  // For each key, its changes by position.
  std::map<std::string, std::map<std::uint64_t, bool>> changes;
  for (std::uint64_t at = 1; at <= count; ++at) {
    const std::string name = random() % 2 == 0 ? "busy." : "c" + std::to_string(1000 + random() % 500);
    // Mostly descending, like keys of new orders; some far back, some repeated.
    const std::string key = list_key_of(name, random() % 4 == 0 ? random() % count : count - at);
    const bool removed = random() % 4 == 0;
    removed ? lists.remove(key, name_bytes, {at}) : lists.put(key, name_bytes, {at});
    changes[key][at] = removed;
  }
  const auto expected_from = [&](const std::string& name, const std::string& from, std::uint64_t upto) {
    texts all;
    for (auto each = changes.lower_bound(from); each != changes.end() && each->first.starts_with(name); ++each) {
      const auto after = each->second.upper_bound(upto);
      if (after != each->second.begin()) all.push_back(each->first + (std::prev(after)->second ? "-" : "+"));
    }
    return all;
  };
  for (int i = 0; i < 300; ++i) {
    const std::uint64_t upto = random() % (count + 1);
    const std::string name = i % 2 == 0 ? "busy." : "c" + std::to_string(1000 + random() % 500);
    const std::string from = list_key_of(name, random() % count);
    CAPTURE(upto, from);
    REQUIRE(all_from(lists, name, from, {upto}) == expected_from(name, from, upto));
  }
  CHECK(sorted_texts(lists, {count / 2}) == expected_from("", "", count / 2));
}

TEST_CASE("an order that changes its customer ten thousand times costs a reader one step") {
  constexpr std::uint64_t count = 20'000;
  recent_lists lists(count + 2, 1);
  lists.put("cust1/b", name_bytes, {1});
  for (std::uint64_t at = 2; at <= count; ++at) {
    at % 2 == 0 ? lists.remove("cust1/a", name_bytes, {at}) : lists.put("cust1/a", name_bytes, {at});
  }
  CHECK_THAT(all_from(lists, "cust1", "cust1", the_end), Equals(texts{"cust1/a-", "cust1/b+"}));
  CHECK_THAT(all_from(lists, "cust1", "cust1", {3}), Equals(texts{"cust1/a+", "cust1/b+"}));
  CHECK_THAT(all_from(lists, "cust1", "cust1", {1}), Equals(texts{"cust1/b+"}));
}

TEST_CASE("readers of other threads see every key up to the position that they know, in order") {
  constexpr std::uint64_t count = 50'000;
  recent_lists lists(count, count);
  std::atomic<std::uint64_t> written{0};
  std::atomic<std::uint64_t> wrong{0};
  // The key of entry n is count - n, with neighbours exchanged, so that every other one goes to the second place.
  const auto number_of = [](std::uint64_t at) { return count - ((at - 1) ^ 1); };
  const auto read = [&](std::uint64_t seed) {
    std::mt19937_64 random(seed);
    while (written.load() < count) {
      const std::uint64_t upto = written.load() & ~std::uint64_t{1};
      if (upto < 20) continue;
      const std::uint64_t first = upto - random() % (upto - 10);
      auto at = lists.seek("cust1", list_key_of("cust1", count - (first - 1)), {upto});
      for (std::uint64_t i = 0; i < 10; ++i) {
        if (at.get() == nullptr || at.get()->key() != list_key_of("cust1", count - (first - 1) + i)) {
          ++wrong;
          break;
        }
        at.next();
      }
    }
  };
  std::thread first(read, 1);
  std::thread second(read, 2);
  for (std::uint64_t at = 1; at <= count; ++at) {
    lists.put(list_key_of("cust1", number_of(at)), name_bytes, {at});
    written.store(at);
  }
  first.join();
  second.join();
  CHECK(wrong == 0);
}

}  // namespace
}  // namespace ordem::storage
