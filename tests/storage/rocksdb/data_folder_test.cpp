// The folder around the database: it is made durably, and its replacement is detected.

#include <catch2/catch.hpp>
#include <filesystem>
#include <string>

#include "storage/folder/data_folder.hpp"
#include "tests/storage/error_matcher.hpp"
#include "tests/storage/file_size_limit.hpp"
#include "tests/storage/open_store_support.hpp"
#include "tests/storage/reported_errors.hpp"
#include "tests/storage/sync_calls.hpp"

namespace ordem::storage {
namespace {

namespace fs = std::filesystem;
using namespace testing;
using Catch::Matchers::Contains;

struct data_folder_test {
  temp_folder temp;
  fs::path root = fs::canonical(temp.path());
  manual_clock clock;

  sync_calls syncs;

  static void write(test_store& to, std::uint64_t number) {
    REQUIRE(to.append(group_of({create_entry(number)})));
    REQUIRE(to.sync());
  }
};

TEST_CASE_METHOD(data_folder_test, "each folder in which one is made is synced, up to the first existing one") {
  const fs::path folder = root / "a" / "b" / "data";
  opened(settings_for(GENERATE(true, false) ? folder : folder / ""), clock);
  for (const fs::path& each : {root, root / "a", root / "a" / "b", folder, folder / "log",
                               folder / "log" / "unfinished", folder / "FORMAT.tmp"}) {
    INFO(each);
    CHECK(syncs.has(each));
  }
}

TEST_CASE_METHOD(data_folder_test, "the parents of a folder are synced if an earlier start made them and was cut off") {
  const fs::path folder = root / "a" / "b" / "data";
  fs::create_directories(folder);
  opened(settings_for(GENERATE(true, false) ? folder : folder / ""), clock);
  for (const fs::path& each : {root, root / "a", root / "a" / "b"}) {
    INFO(each);
    CHECK(syncs.has(each));
  }
}

TEST_CASE_METHOD(data_folder_test, "the parents of a relative path are synced up to the root") {
  const fs::path folder = root / "a" / "data";
  fs::create_directories(folder);
  CHECK_FALSE(sync_parents(fs::proximate(folder)));
  for (const fs::path& each : {root / "a", root, fs::path("/")}) {
    INFO(each);
    CHECK(syncs.has(each));
  }
}

TEST_CASE_METHOD(data_folder_test, "a start fails if it can't sync a parent of a folder that an earlier start made") {
  fs::create_directories(root / "a" / "data");
  syncs.refuse(root.string());
  const auto result = try_open(settings_for(root / "a" / "data"), clock);
  REQUIRE_FALSE(result);
  CHECK_THAT(result.error(), is_error(error_code::io_error, {root.string(), "Input/output error"}));
}

TEST_CASE_METHOD(data_folder_test, "a start fails with the reason if it can't sync a folder") {
  syncs.refuse(root.string() + GENERATE(as<std::string>{}, "", "/a", "/a/data", "/a/data/log"));
  const auto result = try_open(settings_for(root / "a" / "data"), clock);
  REQUIRE_FALSE(result);
  CHECK_THAT(result.error(), is_error(error_code::io_error, {(root / "a").string(), "Input/output error"}));
}

TEST_CASE_METHOD(data_folder_test, "a short write of FORMAT fails with its reason") {
  const file_size_limit limit(3);
  const auto made = data_folder::make(root / "data", "6f1c2b1e-1f5b-4a44-9d3c-0a7d3a4e5b6c");
  REQUIRE_FALSE(made);
  CHECK_THAT(made.error(), is_error(error_code::io_error, {"FORMAT", "File too large"}));
}

TEST_CASE_METHOD(data_folder_test, "a store whose folder is removed or replaced acknowledges nothing more") {
  const fs::path folder = root / "data";
  reported_errors errors;
  auto settings = settings_for(folder);
  settings.on_error = errors.listener();
  auto first = opened(std::move(settings), clock);
  write(*first, 0);

  SECTION("the folder is removed") {
    fs::remove_all(folder);
  }
  SECTION("the folder is renamed") {
    fs::rename(folder, root / "away");
  }
  SECTION("its log is renamed") {
    fs::rename(folder / "log", root / "away");
  }
  SECTION("another is in its place") {
    fs::rename(folder, root / "away");
    fs::create_directories(folder / "log");
  }
  REQUIRE(first->append(group_of({create_entry(1)})));
  const auto synced = first->sync();
  REQUIRE_FALSE(synced);
  CHECK(synced.error() == log_error::write_failed);
  CHECK(first->last() == position{1});
  CHECK(first->append(group_of({create_entry(2)})).error() == log_error::failed_earlier);
  CHECK(first->find_order(order_id_of(0)).value() != nullptr);
  const auto recovered = first->log().recover();
  REQUIRE_FALSE(recovered);
  CHECK_THAT(recovered.error(), is_error(error_code::permanent, {"removed or replaced"}));
  CHECK(first->append(group_of({create_entry(2)})).error() == log_error::failed_earlier);
  const auto reported = errors.all();
  CHECK(reported.size() == 1);
  CHECK_THAT(reported.at(0), Contains("removed or replaced"));
  first->close();
}

TEST_CASE_METHOD(data_folder_test, "a store whose folder was moved away does not change the store in its place") {
  const fs::path folder = root / "data";
  const bool has_written = GENERATE(true, false);  // if not, it notices when it is closed
  auto first = opened(settings_for(folder), clock);
  // Its files get higher numbers than those of the second store, and nothing is written in the background.
  for (std::uint64_t i = 0; i < 10; ++i) {
    write(*first, i);
    first.reset();
    first = opened(settings_for(folder), clock);
  }
  fs::rename(folder, root / "away");
  const fs::path same = folder / ".";  // a process can open the same text only once in RocksDB
  {
    auto second = opened(settings_for(same), clock);
    for (std::uint64_t i = 0; i < 200; ++i) write(*second, i);
    second->close();
    second.reset();
    second = opened(settings_for(same), clock);  // with table files
    write(*second, 200);
    if (has_written) {
      REQUIRE(first->append(group_of({create_entry(200)})));
      REQUIRE_FALSE(first->sync());
    }
    if (GENERATE(true, false)) first->close();
    first.reset();
    write(*second, 201);
  }
  const auto second = opened(settings_for(same), clock);
  CHECK(second->last() == position{202});
  for (std::uint64_t i = 0; i < 202; ++i) REQUIRE(second->find_order(order_id_of(i)).value() != nullptr);
}

}  // namespace
}  // namespace ordem::storage
