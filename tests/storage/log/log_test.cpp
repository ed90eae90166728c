// What every implementation of the log must do (storage/log/log.hpp). Each test runs on the segments, on the log in
// memory and on the log of the owner of a replicated one, unless that cannot do it: it is not recovered, and its
// records are bounded.

#include "storage/log/log.hpp"

#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <limits>
#include <map>
#include <random>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

#include "tests/storage/capture_entries.hpp"
#include "tests/storage/log/logs.hpp"
#include "tests/storage/support.hpp"
#include "tests/support_cpp/seed.hpp"

namespace ordem::storage {
namespace {

using namespace testing;

// A log of captures, one for each position, whose body names the position and what else was written there.
template <class Log>
struct log_test {
  Log under_test;
  std::string mark = "first ";  // in the bodies that are written from now on

  explicit log_test(const log_options& options = {}) : under_test(options) {}

  storage::log& log() noexcept { return under_test.log(); }

  std::string body_at(std::uint64_t number) const { return mark + std::to_string(number) + " "; }
  std::vector<entry> next_group(std::size_t count, std::size_t bytes = 0, timestamp at = sample_time) {
    std::vector<entry> group;
    for (std::size_t i = 1; i <= count; ++i) {
      const std::uint64_t number = log().appended().number + i;
      std::string body = body_at(number);
      if (body.size() < bytes) body.resize(bytes, 'x');
      group.push_back(record_entry(key_of(number), std::move(body), at));
    }
    return group;
  }
  auto append(std::size_t count, std::size_t bytes = 0) { return log().append(next_group(count, bytes)); }
  void write(std::size_t count, std::size_t bytes = 0, timestamp at = sample_time) {
    REQUIRE(log().append(next_group(count, bytes, at)));
    REQUIRE(log().sync());
  }

  std::vector<logged_entry> read_all(std::uint64_t first = 1) {
    std::vector<logged_entry> all;
    for (;;) {
      auto some = log().read({first + all.size()}, 100);
      REQUIRE(some);
      if (some->empty()) return all;
      std::move(some->begin(), some->end(), std::back_inserter(all));
    }
  }
  // Checks that the log has exactly the entries from `first` to `last`, each in its place.
  void check_holds(std::uint64_t last, std::uint64_t first = 1) {
    REQUIRE(log().last() == position{last});
    const auto all = read_all(first);
    REQUIRE(all.size() == last + 1 - first);
    for (std::uint64_t at = first; at <= last; ++at) {
      const logged_entry& each = all[at - first];
      REQUIRE(each.position == position{at});
      REQUIRE(each.capture() != nullptr);
      REQUIRE(each.capture()->key == key_of(at));
      REQUIRE(each.capture()->after->response->body.starts_with(body_at(at)));
    }
  }
};

// --- writing and reading ---

TEMPLATE_TEST_CASE("a new log is empty", "", segments, memory, replicated) {
  log_test<TestType> test;
  storage::log& log = test.log();
  CHECK(log.last() == position{0});
  CHECK(log.appended() == position{0});
  CHECK(log.first() == position{0});
  CHECK(log.read({1}, 10).value().empty());
  CHECK(log.bytes_after({0}).value() == 0);
  CHECK(log.sync() == position{0});
  CHECK(log.append({}) == position{0});
  CHECK_FALSE(test.under_test.newest());
  test.under_test.restart();
  CHECK(test.log().last() == position{0});
}

TEMPLATE_TEST_CASE("entries are read as they were appended, and positions have no gap over starts", "", segments,
                   memory, replicated) {
  const auto seed = seed_of_run();
  INFO("ORDEM_SEED=" << seed);
  random_values values(seed);
  log_test<TestType> test;
  std::vector<entry> written;
  for (int round = 0; round < 60; ++round) {
    std::vector<entry> group;
    for (auto size = 1 + values.below(5); size > 0; --size) group.push_back(values.entry());
    REQUIRE(test.log().append(group) == position{written.size() + group.size()});
    written.insert(written.end(), group.begin(), group.end());
    if (values.chance()) REQUIRE(test.log().sync() == position{written.size()});
    if (values.one_in(10)) test.under_test.restart();
  }
  REQUIRE(test.log().sync());
  const auto read = test.read_all();
  REQUIRE(read.size() == written.size());
  for (std::size_t i = 0; i < read.size(); ++i) {
    INFO("position " << i + 1);
    REQUIRE(read[i].position == position{i + 1});
    REQUIRE(is_logged_as(written[i], read[i].what));
    REQUIRE(read[i].at() == decided_at(written[i]));
  }
}

TEMPLATE_TEST_CASE("what is appended is read once it is durable, and not before", "", segments, memory, replicated) {
  log_test<TestType> test;
  test.write(2);
  REQUIRE(test.append(3) == position{5});
  CHECK(test.log().appended() == position{5});
  test.check_holds(2);
  REQUIRE(test.log().sync() == position{5});
  test.check_holds(5);
}

TEMPLATE_TEST_CASE("a read from any position with any limit returns the entries from there", "", segments, memory,
                   replicated) {
  log_test<TestType> test;
  for (const std::size_t count : {1U, 7U, 2U, 30U, 1U, 1U, 12U}) test.write(count, 250);
  const std::uint64_t last = test.log().last().number;
  if (GENERATE(true, false)) test.under_test.restart();
  for (std::uint64_t from = 1; from <= last + 2; ++from) {
    for (const std::size_t limit : {std::size_t{0}, std::size_t{1}, std::size_t{5}, std::size_t{1000}}) {
      const auto some = test.log().read({from}, limit);
      REQUIRE(some);
      REQUIRE(some->size() == std::min<std::uint64_t>(limit, from > last ? 0 : last - from + 1));
      for (std::size_t i = 0; i < some->size(); ++i) {
        REQUIRE((*some)[i].position == position{from + i});
        REQUIRE((*some)[i].capture()->key == key_of(from + i));
      }
    }
  }
  CHECK(test.log().read({0}, 1).value().front().position == position{1});
}

TEMPLATE_TEST_CASE("a read ends after so many bytes of captured responses, with at least one entry", "", segments,
                   memory) {
  log_test<TestType> test;
  constexpr std::size_t third = log_read_captured_bytes_max / 3 + 1;
  test.write(2, third);
  test.write(3, third);
  test.write(1, log_read_captured_bytes_max + 1);
  test.write(1);
  CHECK(test.log().read({1}, 100).value().size() == 3);
  CHECK(test.log().read({4}, 100).value().size() == 3);
  CHECK(test.log().read({6}, 100).value().size() == 1);
  test.check_holds(7);
}

TEMPLATE_TEST_CASE("a read ends after so many items of orders, with at least one entry", "", segments, memory,
                   replicated) {
  log_test<TestType> test;
  order large = sample_order();
  large.content.items.resize(log_read_items_max / 2 + 1, large.content.items.front());
  message_record record;
  record.outcome = accepted_outcome(creation(guid_of(1)), large);
  const message_entry one{guid_of(1), record, nullptr, shared(std::move(large))};
  for (int i = 0; i < 3; ++i) REQUIRE(test.log().append(std::vector<entry>{one}));
  REQUIRE(test.log().sync());
  CHECK(test.log().read({1}, 100).value().size() == 2);
  CHECK(test.log().read({3}, 100).value().size() == 1);
}

TEMPLATE_TEST_CASE("the bytes after a position are those of the durable groups there", "", segments, memory,
                   replicated) {
  log_test<TestType> test;
  std::map<std::uint64_t, std::uint64_t> before;  // by the last position
  std::uint64_t bytes = 0;
  for (const std::size_t count : {3U, 1U, 9U, 4U, 4U, 15U}) {
    test.write(count, 200);
    const std::uint64_t last = test.log().last().number;
    const std::uint64_t own = test.log().bytes_after({last - count}).value();
    CHECK(own > count * 200);
    CHECK(test.log().bytes_after({last - 1}).value() == own);  // rounded up to whole groups
    bytes += own;
    before[last] = bytes;
  }
  REQUIRE(test.append(1));  // which is not durable
  CHECK(test.log().bytes_after({0}).value() == bytes);
  for (const auto& [at, those] : before) CHECK(test.log().bytes_after({at}).value() == bytes - those);
  CHECK(test.log().bytes_after({test.log().last().number + 10}).value() == 0);
}

TEMPLATE_TEST_CASE("a log may begin at any position", "", segments, memory, replicated) {
  log_options options;
  options.first = {1000};
  log_test<TestType> test(options);
  CHECK(test.log().last() == position{999});
  CHECK(test.log().first() == position{1000});
  CHECK(test.log().read({999}, 1).error() == log_read_error::trimmed);
  CHECK(test.log().read({1000}, 1).value().empty());
  test.write(3);
  test.under_test.restart();
  test.check_holds(1002, 1000);
}

TEMPLATE_TEST_CASE("the time of the log is that of its newest entry, and never goes back", "", segments, memory,
                   replicated) {
  log_test<TestType> test;
  const timestamp newest = sample_time + milliseconds(5);
  REQUIRE(test.log().append(
      std::vector<entry>{allocation_entry(key_of(1), newest), allocation_entry(key_of(2), sample_time)}));
  REQUIRE(test.log().sync());
  test.under_test.restart();
  CHECK(test.under_test.newest() == newest);
  test.write(1, 0, sample_time);
  test.under_test.restart();
  CHECK(test.under_test.newest() == newest);
  test.write(1, 0, newest + milliseconds(1));
  test.under_test.restart();
  CHECK(test.under_test.newest() == newest + milliseconds(1));
}

TEMPLATE_TEST_CASE("one thread appends, one syncs, and others read and trim", "", segments, memory, replicated) {
  constexpr std::uint64_t entries_min = 600;
  constexpr std::uint64_t reads_min = 20;
  log_options options;
  options.entries_kept = 50;
  log_test<TestType> test(options);
  storage::log& log = test.log();
  std::atomic<bool> failed{false};
  std::atomic<bool> done{false};
  std::atomic<std::uint64_t> reads{0};
  std::thread appender([&] {
    while ((log.appended().number < entries_min || reads < reads_min) && !failed) {
      if (!log.append(test.next_group(3, 100))) failed = true;
    }
    done = true;
  });
  std::thread syncer([&] {
    for (bool last_one = false; !last_one && !failed;) {
      last_one = done;
      if (!log.sync()) failed = true;
      log.release(log_consumer::view, log.last());
    }
  });
  while (!done) {
    const position from = std::max(log.first(), position{1});
    const auto some = log.read(from, 20);
    if (!some) {
      if (some.error() != log_read_error::trimmed) failed = true;
      continue;
    }
    for (std::size_t i = 0; i < some->size(); ++i) {
      if ((*some)[i].position.number != from.number + i || (*some)[i].capture()->key != key_of(from.number + i)) {
        failed = true;
      }
    }
    ++reads;
  }
  appender.join();
  syncer.join();
  CHECK_FALSE(failed);
  test.check_holds(log.appended().number, log.first().number);
}

// --- trimming ---

TEMPLATE_TEST_CASE("a trim keeps what a consumer has not released", "", segments, memory, replicated) {
  log_options options;
  options.entries_kept = 0;
  options.consumed = {true, true};
  log_test<TestType> test(options);
  for (int i = 0; i < 40; ++i) test.write(2, 300);
  storage::log& log = test.log();
  const auto one = GENERATE(log_consumer::view, log_consumer::sink);
  const auto other = one == log_consumer::view ? log_consumer::sink : log_consumer::view;
  log.release(one, {80});
  CHECK(log.first() == position{1});
  log.release(other, {41});
  CHECK(log.first() > position{1});
  CHECK(log.first() <= position{42});
  const std::uint64_t first = log.first().number;
  CHECK(log.read({first - 1}, 1).error() == log_read_error::trimmed);
  test.check_holds(80, first);
  CHECK(log.bytes_after({0}).value() == log.bytes_after({first - 1}).value());
  test.under_test.restart();
  CHECK(test.log().first() == position{first});
  test.check_holds(80, first);
}

TEMPLATE_TEST_CASE("a sink that was restored to an earlier state keeps what comes after it", "", segments, memory,
                   replicated) {
  log_options options;
  options.entries_kept = 0;
  options.consumed = {true, true};
  log_test<TestType> test(options);
  for (int i = 0; i < 40; ++i) test.write(2, 300);
  test.log().release(log_consumer::view, {40});
  test.log().release(log_consumer::sink, {80});
  const position first = test.log().first();
  CHECK(first > position{1});
  test.log().release(log_consumer::sink, {41});
  test.log().release(log_consumer::view, {80});
  CHECK(test.log().first() <= position{42});
  test.check_holds(80, test.log().first().number);
}

TEMPLATE_TEST_CASE("a log keeps at least as many entries as asked for, and a consumer that it does not have none", "",
                   segments, memory, replicated) {
  log_options options;
  options.entries_kept = 30;
  options.consumed = {true, false};
  log_test<TestType> test(options);
  for (int i = 0; i < 80; ++i) test.write(1, 300);
  test.log().release(log_consumer::view, {80});
  CHECK(test.log().first() > position{1});
  CHECK(test.log().first() <= position{51});
  test.check_holds(80, test.log().first().number);
}

TEMPLATE_TEST_CASE("the time of the log and its last position are kept when everything is released", "", segments,
                   memory, replicated) {
  log_options options;
  options.entries_kept = 0;
  log_test<TestType> test(options);
  for (int i = 0; i < 40; ++i) test.write(1, 300, sample_time + milliseconds(i));
  test.log().release(log_consumer::view, {40});
  CHECK(test.log().first() > position{1});
  test.under_test.restart();
  CHECK(test.under_test.newest() == sample_time + milliseconds(39));
  CHECK(test.log().last() == position{40});
  test.write(1);
  CHECK(test.log().last() == position{41});
}

// --- failures ---

TEMPLATE_TEST_CASE("after a failed append or sync nothing is taken before recover(), and reads work", "", segments,
                   memory) {
  log_test<TestType> test;
  test.write(2);
  if (GENERATE(true, false)) {
    test.under_test.break_appends();
    CHECK(test.append(1).error() == log_error::write_failed);
  } else {
    REQUIRE(test.append(2));
    test.under_test.break_syncs();
    CHECK(test.log().sync().error() == log_error::write_failed);
  }
  for (int i = 0; i < 3; ++i) {
    CHECK(test.append(1).error() == log_error::failed_earlier);
    CHECK(test.log().sync().error() == log_error::failed_earlier);
    test.check_holds(2);
    if (i < 2) CHECK(test.log().recover().error().code == error_code::io_error);
    if (i == 1) test.under_test.repair();
  }
  REQUIRE(test.log().recover());
  CHECK(test.log().appended() == position{2});
  test.check_holds(2);
  test.write(2, 100);
  test.check_holds(4);
  test.under_test.restart();
  test.check_holds(4);
}

TEMPLATE_TEST_CASE("recover() leaves exactly what is durable, and what it dropped does not come back", "", segments,
                   memory) {
  const auto seed = seed_of_run();
  INFO("ORDEM_SEED=" << seed);
  std::mt19937_64 random(seed);
  const std::size_t dropped = GENERATE(1U, 5U, 40U);
  const std::size_t more = GENERATE(0U, 1U, 20U);
  log_test<TestType> test;
  test.write(2, 200);
  test.mark = "dropped ";
  for (std::size_t i = 0; i < dropped; ++i) REQUIRE(test.append(1, 500));
  if (random() % 2 == 0) {
    test.under_test.break_syncs();
    REQUIRE_FALSE(test.log().sync());
  } else {
    test.under_test.break_appends();
    REQUIRE_FALSE(test.append(1, 500));
  }
  test.under_test.repair();
  REQUIRE(test.log().recover());
  test.mark = "first ";
  CHECK(test.log().appended() == position{2});
  test.check_holds(2);
  for (std::size_t i = 0; i < more; ++i) test.write(1, 350);
  test.check_holds(2 + more);
  if (random() % 2 == 0) test.under_test.restart();
  test.under_test.lose_power(random);
  test.check_holds(2 + more);
}

TEMPLATE_TEST_CASE("recover() without a failure changes nothing", "", segments, memory, replicated) {
  log_test<TestType> test;
  test.write(2);
  REQUIRE(test.append(1));
  REQUIRE(test.log().recover());
  REQUIRE(test.log().sync() == position{3});
  test.check_holds(3);
}

// The state of the log says which entries a client may have been told of.
TEMPLATE_TEST_CASE("what a start finds is durable, also if it was not synced before", "", segments, memory,
                   replicated) {
  const auto seed = seed_of_run();
  INFO("ORDEM_SEED=" << seed);
  std::mt19937_64 random(seed);
  for (int round = 0; round < 10; ++round) {
    log_test<TestType> test;
    test.write(1, 600);
    REQUIRE(test.append(2, 600));
    test.under_test.restart();
    const std::uint64_t found = test.log().last().number;
    REQUIRE(found >= 1);
    if (round % 2 == 0) REQUIRE(test.append(1, 300));  // which may be there, and must not make the rest seem damaged
    test.under_test.lose_power(random);
    REQUIRE(test.log().last().number >= found);
    test.check_holds(test.log().last().number);
  }
}

// A model of the log: what may be in it after a loss of power.
struct written_group {
  std::uint64_t last = 0;
  std::vector<entry> entries;
};

TEMPLATE_TEST_CASE("after a loss of power what was synced is there, and of the rest whole groups from the first on", "",
                   segments, memory, replicated) {
  const auto seed = seed_of_run();
  INFO("ORDEM_SEED=" << seed);
  std::mt19937_64 random(seed);
  log_options options;
  options.entries_kept = 10;
  log_test<TestType> test(options);
  std::vector<written_group> groups;  // of which those behind the last synced one may be lost
  std::uint64_t synced = 0;
  std::size_t crashes = 0;
  const auto forget_after = [&](std::uint64_t last) {
    while (!groups.empty() && groups.back().last > last) groups.pop_back();
  };
  const auto check = [&] {
    INFO("synced up to " << synced);
    const std::uint64_t found = test.log().last().number;
    REQUIRE(found >= synced);
    REQUIRE((found == 0 || std::any_of(groups.begin(), groups.end(), [&](const auto& g) { return g.last == found; })));
    synced = found;
    forget_after(found);
    const position first = std::max(test.log().first(), position{1});
    REQUIRE((first.number == 1 || first.number + options.entries_kept <= found + 1));
    std::uint64_t next = first.number;
    const auto all = test.read_all(next);
    REQUIRE(all.size() == found + 1 - next);
    for (const written_group& group : groups) {
      for (std::uint64_t at = group.last + 1 - group.entries.size(); at <= group.last; ++at) {
        if (at < first.number) continue;
        const entry& expected = group.entries[at - (group.last + 1 - group.entries.size())];
        REQUIRE(is_logged_as(expected, all[at - first.number].what));
      }
    }
  };

  for (int step = 0; step < 1200; ++step) {
    INFO("step " << step);
    switch (random() % 10) {
      case 0:
      case 1: {
        const bool fails = random() % 8 == 0;
        if (fails) test.under_test.break_syncs();
        if (const auto done = test.log().sync()) synced = done->number;
        break;
      }
      case 2: {
        random() % 2 == 0 ? test.under_test.lose_power(random) : test.under_test.restart();
        ++crashes;
        check();
        break;
      }
      case 3: {
        if (random() % 4 == 0) {
          test.under_test.repair();
          if (TestType::recovers) {
            REQUIRE(test.log().recover());
          } else {
            test.under_test.restart();
            check();
          }
          if (test.log().appended() == test.log().last()) forget_after(synced);
        } else {
          test.log().release(log_consumer::view, test.log().last());
        }
        break;
      }
      default: {
        if (random() % 30 == 0) test.under_test.break_appends();
        test.mark = "step " + std::to_string(step) + " ";
        const auto group = test.next_group(1 + random() % 3, random() % 700);
        const auto done = test.log().append(group);
        const bool may_be_there = done || done.error() == log_error::write_failed;
        if (may_be_there) groups.push_back({test.log().appended().number + (done ? 0 : group.size()), group});
        break;
      }
    }
  }
  test.under_test.restart();
  ++crashes;
  check();
  CHECK(crashes > 50);
}

}  // namespace
}  // namespace ordem::storage
