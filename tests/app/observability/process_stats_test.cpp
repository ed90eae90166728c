#include "app/observability/process_stats.hpp"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <string>

namespace ordem::app {
namespace {

TEST_CASE("the fields of /proc/self/stat are found behind a name with any characters") {
  const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
  const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  for (const std::string name : {"ordem", "a) S 1 (b", "\xFF )"}) {
    const auto found = parse_process_stats(
        "17 (" + name +
            ") S 1 17 17 0 -1 4194304 900 0 1 0 250 50 0 0 20 0 9 0 300 1048576 12 18446744073709551615 1\n",
        1000);
    CHECK(found.cpu_seconds == 300 / ticks);
    CHECK(found.threads == 9U);
    CHECK(found.started_at_s == 1000 + 300 / ticks);
    CHECK(found.virtual_bytes == 1048576U);
    CHECK(found.resident_bytes == 12 * page);
  }
}

TEST_CASE("of a text that is not that of /proc/self/stat nothing is found") {
  for (const std::string text : {"", "17 (ordem", "17 (ordem) S 1 17"}) {
    CHECK_FALSE(parse_process_stats(text, 0).cpu_seconds);
    CHECK_FALSE(parse_process_stats(text, 0).resident_bytes);
  }
}

TEST_CASE("a process knows its memory, its start and its descriptors") {
  const auto before = read_process_stats();
  REQUIRE((before.resident_bytes && before.virtual_bytes && before.open_files && before.started_at_s));
  CHECK(*before.resident_bytes > 0);
  CHECK(*before.virtual_bytes >= *before.resident_bytes);
  CHECK(*before.threads >= 1);
  const double now = std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  CHECK(*before.started_at_s <= now + 1);
  CHECK(*before.started_at_s > now - 24 * 3600);
  const int opened = ::dup(0);
  CHECK(read_process_stats().open_files == *before.open_files + 1);
  ::close(opened);
  CHECK(read_process_stats().open_files == before.open_files);
}

TEST_CASE("a folder is on a disk, unless it does not exist") {
  const auto disk = read_disk_stats(".");
  REQUIRE(disk);
  CHECK(disk->size_bytes > 0);
  CHECK(disk->available_bytes <= disk->size_bytes);
  CHECK_FALSE(read_disk_stats("/nowhere/at/all"));
}

}  // namespace
}  // namespace ordem::app
