#include "engine/model/engine_clock.hpp"

#include <catch2/catch.hpp>
#include <memory>
#include <random>
#include <vector>

#include "tests/support_cpp/manual_clock.hpp"
#include "tests/support_cpp/seed.hpp"

namespace ordem {
namespace {

using namespace testing;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr milliseconds tick{1};
constexpr milliseconds ttl = hours(24);

// One process after the other on one machine, and what the log and the record of the clock keep between them.
struct engine_clock_test {
  struct event {
    clock_event what;
    milliseconds by;
    bool operator==(const event&) const = default;
  };

  manual_machine machine;
  std::vector<event> events;
  std::unique_ptr<engine_clock> clock;
  std::optional<timestamp> newest;
  std::optional<clock_state> kept;

  engine_clock_test() { start(); }

  void start() {
    events.clear();
    clock = std::make_unique<engine_clock>(machine.sources(),
                                           [this](clock_event what, milliseconds by) { events.push_back({what, by}); });
    clock->resume(newest, kept);
  }
  // A record is written now, and with it the state of the clock.
  timestamp write() {
    newest = clock->now();
    kept = clock->state();
    return *newest;
  }
  bool has_ended(timestamp made, milliseconds after = ttl) const { return clock->read().has_ended(made + after, made); }
};

TEST_CASE_METHOD(engine_clock_test, "the time is that of the wall clock, and things end when it says so") {
  CHECK(clock->now() == sample_time);
  const timestamp made = write();
  machine.pass(ttl - tick);
  CHECK(clock->now() == sample_time + ttl - tick);
  CHECK_FALSE(has_ended(made));
  machine.pass(tick);
  CHECK(has_ended(made));
  CHECK(events.empty());
}

// --- set forward ---

TEST_CASE_METHOD(engine_clock_test,
                 "a step forward ends nothing from before, and what comes after it ends in its time") {
  const timestamp before = write();
  machine.pass(minutes(1));
  const milliseconds step = GENERATE(as<milliseconds>{}, seconds(2), hours(25), hours(24 * 365 * 56));
  machine.set_by(step);
  CHECK(clock->now() == machine.wall());
  CHECK(events == std::vector<event>{{clock_event::stepped_forward, step}});
  const timestamp after = write();
  machine.pass(ttl - minutes(1) - tick);
  CHECK_FALSE(has_ended(before));
  machine.pass(tick);
  CHECK(has_ended(before));
  CHECK_FALSE(has_ended(after));
  machine.pass(minutes(1));
  CHECK(has_ended(after));
}

TEST_CASE_METHOD(engine_clock_test, "what is too small for a step is passed over, but the sum of it is not") {
  const timestamp made = write();
  machine.set_by(milliseconds(600));
  CHECK(clock->now() == machine.wall());
  CHECK(events.empty());
  machine.set_by(milliseconds(600));
  CHECK(clock->now() == machine.wall());
  CHECK(events.size() == 1);
  machine.pass(ttl - milliseconds(601));
  CHECK_FALSE(has_ended(made));
}

TEST_CASE_METHOD(engine_clock_test, "more steps than are kept apart end nothing early") {
  std::vector<timestamp> made;
  for (int i = 1; i <= 40; ++i) {
    made.push_back(write());
    machine.pass(minutes(10));
    machine.set_by(minutes(30 + i % 7));
    clock->now();
  }
  CHECK(clock->state().steps.size() == 16);
  machine.pass(ttl - hours(7));
  for (const timestamp each : made) CHECK_FALSE(has_ended(each));
  machine.pass(hours(7) + hours(40));
  for (const timestamp each : made) CHECK(has_ended(each));
}

// --- set back ---

TEST_CASE_METHOD(engine_clock_test,
                 "after a step back the time goes on at half speed until the wall clock has caught up") {
  machine.pass(hours(1));
  const timestamp at = write();
  machine.set_by(-minutes(10));
  CHECK(clock->now() == at);
  CHECK(events == std::vector<event>{{clock_event::stepped_backward, minutes(10)}});
  CHECK(clock->stats().lead == minutes(10));
  machine.pass(minutes(8));
  CHECK(clock->now() == at + minutes(4));
  machine.pass(minutes(12));
  CHECK(clock->now() == at + minutes(10));
  CHECK(clock->now() == machine.wall());
  CHECK(clock->stats().lead == milliseconds(0));
  machine.pass(minutes(1));
  CHECK(clock->now() == at + minutes(11));
  CHECK(events.size() == 1);
}

TEST_CASE_METHOD(engine_clock_test, "a step back while the clock was not read is found by the time that was counted") {
  machine.pass(hours(3));
  machine.set_by(-hours(1));
  CHECK(clock->now() == sample_time + hours(3));
  CHECK(clock->stats().steps_backward == 1);
}

TEST_CASE_METHOD(engine_clock_test, "a clock that was set back and is put right makes nothing end early") {
  const timestamp made = write();
  machine.set_by(-hours(10));
  clock->now();
  machine.pass(hours(4));
  const timestamp later = write();
  machine.set_by(hours(10));
  CHECK(clock->now() == machine.wall());
  CHECK(clock->stats().steps_forward == 1);
  machine.pass(ttl - hours(4) - tick);
  CHECK_FALSE(has_ended(made));
  CHECK_FALSE(has_ended(later));
  machine.pass(hours(4));
  CHECK(has_ended(made));
  CHECK_FALSE(has_ended(later));
}

// --- over a restart ---

TEST_CASE_METHOD(engine_clock_test, "what passed between two processes of one run of the machine is counted") {
  const timestamp made = write();
  machine.pass(ttl - tick);
  start();
  CHECK_FALSE(has_ended(made));
  machine.pass(tick);
  CHECK(has_ended(made));
  CHECK(events.empty());
}

TEST_CASE_METHOD(engine_clock_test, "a clock that was set forward between two processes ends nothing") {
  const timestamp made = write();
  machine.pass(seconds(10));
  machine.set_by(hours(25));
  start();
  CHECK_FALSE(has_ended(made));
  CHECK(events == std::vector<event>{{clock_event::stepped_forward, hours(25)}});
  machine.pass(ttl - seconds(10));
  CHECK(has_ended(made));
}

TEST_CASE_METHOD(engine_clock_test, "the time that the machine was down is not counted") {
  const timestamp made = write();
  machine.set_by(hours(48));
  machine.boot_again();
  start();
  CHECK(clock->now() == sample_time + hours(48));
  CHECK(events == std::vector<event>{{clock_event::unconfirmed_at_start, hours(48)}});
  machine.pass(ttl - tick);
  CHECK_FALSE(has_ended(made));
  machine.pass(tick);
  CHECK(has_ended(made));
}

TEST_CASE_METHOD(engine_clock_test,
                 "without a kept state, as in a folder of an earlier version, no time between two starts is counted") {
  const timestamp made = write();
  kept.reset();
  machine.pass(hours(48));
  start();
  CHECK_FALSE(has_ended(made));
  machine.pass(ttl);
  CHECK(has_ended(made));
}

TEST_CASE_METHOD(engine_clock_test, "a step is kept for the processes that come after it") {
  const timestamp made = write();
  machine.set_by(hours(24 * 6));
  write();
  const bool boots = GENERATE(true, false);
  if (boots) machine.boot_again();
  start();
  CHECK_FALSE(has_ended(made));
  machine.pass(ttl);
  CHECK(has_ended(made));
}

TEST_CASE_METHOD(engine_clock_test,
                 "a machine that boots in 1970 goes on from the newest record, and nothing ends when it is put right") {
  machine.pass(hours(5));
  const timestamp made = write();
  machine.boot_again();
  machine.set(timestamp(seconds(12)));
  start();
  CHECK(clock->now() == made);
  CHECK(events.size() == 1);
  CHECK(events.front().what == clock_event::behind_at_start);
  machine.pass(seconds(20));
  const timestamp booting = write();
  CHECK(booting == made + seconds(10));
  machine.set(made + hours(24 * 3));
  CHECK(clock->now() == machine.wall());
  CHECK_FALSE(has_ended(made));
  CHECK_FALSE(has_ended(booting));
  machine.pass(ttl);
  CHECK(has_ended(made));
  CHECK(has_ended(booting));
  CHECK(clock->stats().lead == milliseconds(0));
}

TEST_CASE_METHOD(engine_clock_test, "an empty folder starts with the wall clock, whatever it says") {
  machine.set(timestamp(seconds(12)));
  start();
  CHECK(clock->now() == timestamp(seconds(12)));
  CHECK(events.empty());
  const timestamp made = write();
  machine.set(sample_time);
  CHECK(clock->now() == sample_time);
  CHECK_FALSE(has_ended(made));
}

TEST_CASE_METHOD(engine_clock_test,
                 "until it goes on from the log a clock is the wall clock, by which nothing has ended") {
  const engine_clock fresh(machine.sources());
  CHECK(fresh.now() == sample_time);
  CHECK_FALSE(fresh.read().has_ended(sample_time, sample_time - ttl));
  CHECK(fresh.changes() == 0);
}

TEST_CASE_METHOD(engine_clock_test, "every change of the state is counted") {
  auto seen = clock->changes();
  CHECK(seen > 0);
  machine.pass(hours(1));
  clock->now();
  CHECK(clock->changes() == seen);
  for (const milliseconds step : {hours(2), -hours(5), hours(1)}) {
    machine.set_by(step);
    clock->now();
    CHECK(clock->changes() > seen);
    seen = clock->changes();
  }
}

// --- of a log that another engine writes ---

TEST_CASE_METHOD(engine_clock_test,
                 "while a log is followed the time is that of its last record, and what was counted since") {
  const milliseconds wrong = GENERATE(as<milliseconds>{}, hours(-50), seconds(0), hours(50));
  machine.set_by(wrong);
  clock->follow(sample_time + minutes(5), std::nullopt);
  CHECK(clock->now() == sample_time + minutes(5));
  machine.pass(seconds(3));
  CHECK(clock->now() == sample_time + minutes(5) + seconds(3));
  machine.set_by(hours(7));
  CHECK(clock->now() == sample_time + minutes(5) + seconds(3));
  clock->follow(sample_time + minutes(6), std::nullopt);
  CHECK(clock->now() == sample_time + minutes(6));
  CHECK(clock->read().now() == sample_time + minutes(6));
}

TEST_CASE_METHOD(engine_clock_test, "a followed log says what does not expire") {
  clock_state theirs;
  theirs.time = sample_time + hours(30);
  theirs.boot = "another machine";
  theirs.steps = {{sample_time, hours(30)}};
  clock->follow(sample_time + hours(30), theirs);
  CHECK_FALSE(has_ended(sample_time));
  CHECK(has_ended(sample_time + tick, hours(1)));
  clock->follow(sample_time + hours(31), std::nullopt);  // without a new state the one before holds
  CHECK_FALSE(has_ended(sample_time));
  theirs.steps.clear();
  clock->follow(sample_time + hours(31), theirs);
  CHECK(has_ended(sample_time));
}

TEST_CASE_METHOD(engine_clock_test,
                 "an engine that begins to write continues behind the log, with a clock that is behind at half speed") {
  machine.set_by(-hours(2));
  clock->follow(sample_time, std::nullopt);
  machine.pass(seconds(10));
  events.clear();
  clock->stop_following();
  CHECK(clock->now() == sample_time + seconds(10));
  CHECK(events == std::vector<event>{{clock_event::behind_at_start, hours(2)}});
  machine.pass(minutes(2));
  CHECK(clock->now() == sample_time + seconds(10) + minutes(1));
  machine.pass(hours(4));
  CHECK(clock->now() == machine.wall());
}

TEST_CASE_METHOD(engine_clock_test,
                 "an engine that begins to write with a clock that is ahead ends nothing of before") {
  const timestamp made = sample_time;
  clock->follow(made, std::nullopt);
  machine.pass(hours(1));
  machine.set_by(hours(40));
  events.clear();
  clock->stop_following();
  CHECK(clock->now() == machine.wall());
  CHECK(events == std::vector<event>{{clock_event::unconfirmed_at_start, hours(40)}});
  machine.pass(hours(23) - tick);
  CHECK_FALSE(has_ended(made));
  machine.pass(tick);
  CHECK(has_ended(made));
  CHECK(clock->state().steps.size() == 1);
  CHECK(clock->state().boot == machine.sources().boot);
}

TEST_CASE_METHOD(engine_clock_test,
                 "an engine that writes, follows and writes again has a time that ascends with the log") {
  const timestamp mine = write();
  clock->follow(mine + seconds(1), std::nullopt);
  const auto changes = clock->changes();
  clock->stop_following();
  CHECK(clock->changes() > changes);
  CHECK(clock->now() >= mine + seconds(1));
  clock->stop_following();  // changes nothing
  CHECK(clock->changes() == changes + 1);
}

TEST_CASE("a clock that has followed nothing begins with the wall clock") {
  const manual_machine machine;
  engine_clock clock(machine.sources());
  CHECK_FALSE(clock.read().has_ended(sample_time, sample_time - hours(1)));
  clock.stop_following();
  CHECK(clock.now() == sample_time);
  CHECK(clock.read().has_ended(sample_time, sample_time - hours(1)));
}

TEST_CASE_METHOD(engine_clock_test, "a wall clock beyond all years that can be written is held to them") {
  machine.set(timestamp(std::chrono::years(20'000)));
  CHECK(to_rfc3339(clock->now()) == "9000-01-01T00:00:00.000Z");
  machine.set(timestamp(-hours(100)));
  CHECK(clock->now() >= timestamp{});
}

// Whatever the clocks do: time never goes back, nothing ends before its time has truly passed, and everything ends.
TEST_CASE_METHOD(engine_clock_test, "by any steps, restarts and boots nothing ends early") {
  const auto seed = seed_of_run();
  INFO("ORDEM_SEED=" << seed);
  std::mt19937_64 random(seed);
  const auto up_to = [&](milliseconds most) {
    return milliseconds(static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(most.count())));
  };
  milliseconds passed{};
  struct record {
    timestamp made;
    milliseconds at;  // by what has truly passed
  };
  std::vector<record> records;
  timestamp last = clock->now();
  const auto check = [&] {
    const timestamp now = clock->now();
    REQUIRE(now >= last);
    last = now;
    for (const record& each : records) {
      // Of each step a millisecond is lost to rounding.
      if (passed - each.at < ttl - milliseconds(100)) REQUIRE_FALSE(has_ended(each.made));
    }
    std::erase_if(records, [&](const record& each) { return passed - each.at > 3 * ttl; });
  };
  for (int i = 0; i < 3'000; ++i) {
    switch (random() % 8) {
      case 0: machine.set_by(seconds(2) + up_to(hours(100))); break;
      case 1: machine.set_by(-seconds(2) - up_to(hours(10))); break;
      case 2:
        if (random() % 4 == 0) {
          const milliseconds down = up_to(hours(30));
          passed += down;
          machine.set_by(down);
          machine.boot_again();
        }
        start();
        last = newest.value_or(clock->now());  // of what was given out and is in no record a process knows nothing
        break;
      default: {
        const milliseconds time = up_to(hours(4));
        passed += time;
        machine.pass(time);
        break;
      }
    }
    check();
    if (random() % 2 == 0) records.push_back({write(), passed});
  }
  REQUIRE_FALSE(records.empty());
  for (int i = 0; i < 4; ++i) {
    machine.pass(std::max(ttl, clock->stats().lead));
    clock->now();
  }
  machine.pass(hours(24 * 365 * 3));
  for (const record& each : records) CHECK(has_ended(each.made));
}

}  // namespace
}  // namespace ordem
