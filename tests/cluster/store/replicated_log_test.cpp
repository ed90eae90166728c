// The log of the owner of a replicated log, beyond what any log must do (tests/storage/log/log_test.cpp).

#include "cluster/store/replicated_log.hpp"

#include <atomic>
#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <vector>

#include "engine/model/engine_clock.hpp"
#include "storage/records/log_group.hpp"
#include "storage/segments/segment_log.hpp"
#include "tests/cluster/store/stream_model.hpp"
#include "tests/storage/capture_entries.hpp"
#include "tests/storage/segments/segment_support.hpp"
#include "tests/support_cpp/temp_folder.hpp"

namespace ordem::cluster {
namespace {

using namespace testing;
using storage::log_error;

struct replicated_log_test {
  temp_folder temp;
  manual_machine machine;
  engine_clock clock{machine.sources()};
  storage::segment_log_settings segment_settings;
  stream_model stream;
  std::unique_ptr<storage::segment_log> copy;
  std::unique_ptr<model_appender> appender;
  std::vector<std::string> errors;
  std::unique_ptr<replicated_log> log;

  replicated_log_test() {
    segment_settings.folder = temp.path() / "log";
    segment_settings.log_id = sample_log_id;
    segment_settings.segment_bytes = std::size_t{1} << 20;
    segment_settings.entries_kept = 1'000'000;
    segment_settings.on_error = [](std::string_view) {};
    REQUIRE(storage::segment_log::make(segment_settings, position{1}));
    copy = storage::segment_log::open_copy(segment_settings, position{}).value();
    clock.stop_following();
    begin();
  }
  void begin() {
    appender = std::make_unique<model_appender>(stream, *copy);
    replicated_log_settings settings;
    settings.group_bytes_max = 10'000;
    settings.on_error = [this](std::string_view why) { errors.emplace_back(why); };
    log = std::make_unique<replicated_log>(*copy, *appender, clock, settings);
  }
  std::vector<storage::entry> group(std::size_t count, std::size_t bytes = 0) const {
    std::vector<storage::entry> entries;
    for (std::size_t i = 1; i <= count; ++i) {
      entries.push_back(segment_log_test::entry_at(log->appended().number + i, bytes));
    }
    return entries;
  }
  std::vector<storage::log_record_header> headers() const {
    std::vector<storage::log_record_header> all;
    for (const std::string& each : stream.records_after(std::nullopt)) {
      all.push_back(storage::decode_log_record_header(each).value());
    }
    return all;
  }
  std::vector<bool> have_clocks() const {
    std::vector<bool> all;
    for (const std::string& each : stream.records_after(std::nullopt)) {
      const auto header = storage::decode_log_record_header(each).value();
      all.push_back(storage::decode_log_group_clock(storage::payload_of(header, each)).has_value());
    }
    return all;
  }
};

TEST_CASE_METHOD(replicated_log_test, "a large group is appended as several, none larger than asked for") {
  REQUIRE(log->append(group(10, 2'500)) == position{10});
  CHECK(log->appended() == position{10});
  CHECK(log->last() == position{0});
  REQUIRE(log->append(group(1, 30'000)) == position{11});  // an entry that is larger has a record for itself
  REQUIRE(log->append(group(2, 10)) == position{13});
  REQUIRE(log->sync() == position{13});
  const auto all = headers();
  REQUIRE(all.size() == 7);
  CHECK(all.front().entries == 2);
  for (const auto& each : all) CHECK((each.payload_bytes <= 10'000 || each.entries == 1));
  CHECK(all.back().entries == 2);
  segment_log_test::check_holds(*log, 13);
}

TEST_CASE_METHOD(replicated_log_test, "an entry that no record can hold fails, and is not appended") {
  REQUIRE(log->append(group(1)));
  CHECK(log->append(group(1, record_bytes_max)).error() == log_error::write_failed);
  CHECK(log->append(group(1)).error() == log_error::failed_earlier);
  CHECK(log->appended() == position{1});
  REQUIRE(errors.size() == 1);
  CHECK(appender->largest_payload() < record_bytes_max);
}

TEST_CASE_METHOD(replicated_log_test,
                 "once the ownership has ended nothing is taken, and recover() says that it is for good") {
  REQUIRE(log->append(group(2)));
  REQUIRE(log->sync());
  REQUIRE(log->append(group(1)));
  REQUIRE(log->append(group(1)));
  appender->fence(1);
  // The first group has landed, and the copy gets it from the stream: this log does not know it.
  for (const std::string& each : records_missing_in(*copy, stream)) REQUIRE(copy->append_record(each));
  CHECK(copy->last() == position{3});
  CHECK(log->last() == position{2});
  CHECK(log->sync().error() == log_error::write_failed);
  CHECK(log->sync().error() == log_error::failed_earlier);
  CHECK(log->append(group(1)).error() == log_error::failed_earlier);
  CHECK(log->last() == position{2});
  CHECK(log->read({1}, 100).value().size() == 2);
  CHECK(log->read({3}, 100).value().empty());
  CHECK(log->recover().error().code == storage::error_code::permanent);
  CHECK(errors.size() == 1);

  begin();
  CHECK(log->appended() == position{3});
  REQUIRE(log->append(group(1)) == position{4});
  REQUIRE(log->sync() == position{4});
  segment_log_test::check_holds(*log, 4);
}

TEST_CASE_METHOD(replicated_log_test, "the log time of a group is not before its entries") {
  REQUIRE(log->append(std::vector<storage::entry>{allocation_entry(key_of(1), sample_time + milliseconds(7)),
                                                  allocation_entry(key_of(2), sample_time)}));
  REQUIRE(log->sync());
  CHECK(headers().back().time == sample_time + milliseconds(7));
}

TEST_CASE_METHOD(replicated_log_test,
                 "the clock is in the first group of an ownership, after each change, and now and then") {
  for (int i = 0; i < 3; ++i) REQUIRE(log->append(group(1)));
  machine.set_by(std::chrono::hours(1));
  (void)clock.now();
  for (int i = 0; i < 2; ++i) REQUIRE(log->append(group(1)));
  REQUIRE(log->sync());
  CHECK(have_clocks() == std::vector<bool>{true, false, false, true, false});
  begin();
  REQUIRE(log->append(group(1)));
  REQUIRE(log->sync());
  CHECK(have_clocks().back());
  const std::size_t before = stream.size();
  for (int i = 0; i < 150; ++i) REQUIRE(log->append(group(1, 9'000)));
  REQUIRE(log->sync());
  const auto clocks = have_clocks();
  CHECK(std::count(clocks.begin() + static_cast<std::ptrdiff_t>(before), clocks.end(), true) == 1);
}

}  // namespace
}  // namespace ordem::cluster
