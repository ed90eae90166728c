// Schedules of the simulation, and rules that are broken one at a time: the simulation must find each.
//
// ORDEM_SCHEDULES sets the number of schedules: a million of them are
//   ORDEM_SCHEDULES=1000000 build/release/tests/ordem_tests_cluster "[schedules]"
// A failing schedule prints its seed, and ORDEM_SEED with that seed runs it first; with ORDEM_TRACE it says what
// happens.

#include "tests/cluster/simulation.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <string>

#include "tests/support_cpp/seed.hpp"

namespace ordem::cluster {
namespace {

using testing::run_schedule;
using testing::schedule_result;

// Sanitizers look for other faults, at a tenth of the speed.
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define ORDEM_SLOW_BUILD
#endif
#endif
#ifdef ORDEM_SLOW_BUILD
constexpr std::uint64_t schedules = 200;
#else
constexpr std::uint64_t schedules = 2000;
#endif

std::uint64_t schedules_of_run() {
  const char* given = std::getenv("ORDEM_SCHEDULES");
  return given ? std::stoull(given) : schedules;
}

TEST_CASE("no schedule of faults makes a cluster lose, double or reorder a write, or read a stale version",
          "[schedules]") {
  const std::uint64_t first = ordem::testing::seed_of_run();
  const std::uint64_t count = schedules_of_run();
  schedule_result sum;
  const auto begin = std::chrono::steady_clock::now();
  for (std::uint64_t seed = first; seed != first + count; ++seed) {
    const schedule_result result = run_schedule(seed);
    INFO("ORDEM_SEED=" << seed);
    REQUIRE(result.failure.value_or("") == "");
    sum.events += result.events;
    sum.acknowledged += result.acknowledged;
    sum.reads += result.reads;
    sum.epochs += result.epochs;
    sum.dead_records += result.dead_records;
    sum.unknown_outcomes += result.unknown_outcomes;
    sum.barriers += result.barriers;
    sum.releases += result.releases;
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  std::cout << count << " schedules from seed " << first << " in " << took.count() << " s: " << sum.events
            << " events, " << sum.acknowledged << " writes, " << sum.reads << " reads, " << sum.epochs << " epochs, "
            << sum.releases << " releases, " << sum.dead_records << " dead records, " << sum.unknown_outcomes
            << " unknown outcomes, " << sum.barriers << " barriers\n";
  // So that the schedules have what they are for; of fewer, chance decides.
  if (count < 1000) return;
  CHECK(sum.acknowledged > 20 * count);
  CHECK(sum.reads > 10 * count);
  CHECK(sum.epochs > 2 * count);
  CHECK(sum.dead_records > count / 100);
  CHECK(sum.unknown_outcomes > count);
  CHECK(sum.barriers > count / 4);
  CHECK(sum.releases > count / 10);
}

// A search for what is rare, so not for a slow build.
#ifndef ORDEM_SLOW_BUILD
struct broken_rule {
  const char* name;
  bool protocol_rules::* rule;
};

constexpr broken_rule broken_rules[] = {
    {"the chain", &protocol_rules::checks_chain},
    {"the lease", &protocol_rules::checks_lease},
    {"the lease from the first sending", &protocol_rules::leases_from_first_sending},
    {"the end of the lease at a release", &protocol_rules::ends_lease_at_release},
    {"applying after the acknowledgement", &protocol_rules::applies_after_acknowledgement},
    {"following the owner", &protocol_rules::follows_owner},
    {"waiting for the old lease", &protocol_rules::waits_for_old_lease},
    {"the same content again", &protocol_rules::repeats_same_content},
    {"acknowledgements in order", &protocol_rules::acknowledges_in_order},
    {"telling attempts apart", &protocol_rules::tells_attempts_apart},
    {"claiming at the read tail", &protocol_rules::claims_at_read_tail},
    {"yielding to live records", &protocol_rules::yields_to_live_records},
};

TEST_CASE("the simulation finds each rule that is broken", "[rules]") {
  const std::uint64_t first = ordem::testing::seed_of_run();
  constexpr auto longest = std::chrono::minutes(1);
  for (const broken_rule& each : broken_rules) {
    protocol_rules rules;
    rules.*each.rule = false;
    const auto begin = std::chrono::steady_clock::now();
    std::uint64_t seed = first;
    schedule_result result;
    do {
      result = run_schedule(seed++, rules);
    } while (!result.failure && std::chrono::steady_clock::now() - begin < longest);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    std::cout << "without " << each.name << ": " << result.failure.value_or("nothing found") << "; " << seed - first
              << " schedules, " << took.count() << " s\n";
    INFO("without " << each.name << ", ORDEM_SEED=" << first);
    CHECK(result.failure);
  }
}
#endif

}  // namespace
}  // namespace ordem::cluster
