#include "actors/pace.hpp"

#include <atomic>
#include <catch2/catch.hpp>
#include <thread>
#include <vector>

namespace ordem::actors {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t backlog_bytes_max = 1000;

// Of a busy machine on which entries arrive more quickly than they are written.
constexpr batch_report at_the_peak = {100ms, 50ms, 4000, 6001, 10};

TEST_CASE("at the peak the persister rests twice as long as it works") {
  CHECK(rest_after(at_the_peak, backlog_bytes_max) == 200ms);
}

TEST_CASE("the persister does not rest while it keeps up, or nearly") {
  batch_report batch = at_the_peak;
  batch.arrived = 6000;
  CHECK(rest_after(batch, backlog_bytes_max) == 0ms);
}

TEST_CASE("the persister does not rest while there are cores for all") {
  batch_report batch = at_the_peak;
  batch.waited_for_core = 10ms;
  CHECK(rest_after(batch, backlog_bytes_max) == 0ms);
}

TEST_CASE("the persister does not rest once the backlog has reached half of its bound") {
  batch_report batch = at_the_peak;
  batch.backlog_bytes = 499;
  CHECK(rest_after(batch, backlog_bytes_max) == 200ms);
  batch.backlog_bytes = 500;
  CHECK(rest_after(batch, backlog_bytes_max) == 0ms);
}

TEST_CASE("a thread is told how long it waited for a core that others took") {
  std::atomic<bool> enough{false};
  std::vector<std::thread> others;
  for (unsigned i = 0; i < 2 * std::thread::hardware_concurrency(); ++i) {
    others.emplace_back([&] {
      while (!enough.load(std::memory_order_relaxed)) continue;
    });
  }
  std::chrono::nanoseconds waited{};
  std::thread waiting([&] {
    const auto patience = std::chrono::steady_clock::now() + 60s;
    while (waited < 1ms && std::chrono::steady_clock::now() < patience) waited = waited_for_core();
  });
  waiting.join();
  enough.store(true);
  for (auto& each : others) each.join();
  CHECK(waited >= 1ms);
}

}  // namespace
}  // namespace ordem::actors
