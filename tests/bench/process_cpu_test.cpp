#include "bench/load/process_cpu.hpp"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <limits>
#include <stdexcept>

namespace ordem::bench {
namespace {

using std::chrono::milliseconds;

TEST_CASE("both ways of reading the CPU time of a process agree") {
  const auto before = own_cpu();
  while (own_cpu() < before + milliseconds(50)) {
  }
  const auto asked_before = own_cpu();
  const auto told = cpu_of(getpid());
  constexpr auto ticks = milliseconds(30);
  CHECK(told >= asked_before - ticks);
  CHECK(told <= own_cpu() + ticks);
}

TEST_CASE("a process that does not exist throws") {
  CHECK_THROWS_AS(cpu_of(std::numeric_limits<pid_t>::max()), std::runtime_error);
}

TEST_CASE("the ticks are found behind any program's name") {
  CHECK(cpu_ticks_in("42 (ordem) S 1 2 3 4 -1 5 6 7 8 9 1200 34 56 78 20 0 7 0 100") == 1234);
  CHECK(cpu_ticks_in("42 (a ) S 1) b) S 1 2 3 4 -1 5 6 7 8 9 1200 34 56 78 20 0 7 0 100") == 1234);
  CHECK_THROWS_AS(cpu_ticks_in("42 (ordem) S 1 2"), std::runtime_error);
  CHECK_THROWS_AS(cpu_ticks_in("42"), std::runtime_error);
}

}  // namespace
}  // namespace ordem::bench
