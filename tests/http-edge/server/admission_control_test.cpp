#include "http-edge/server/admission_control.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <chrono>
#include <cstdint>
#include <deque>
#include <vector>

namespace ordem::http_edge {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;
using clock_type = admission_control::clock;
using duration = admission_control::duration;
using time_point = admission_control::time_point;

// An I/O thread that spends its time on messages, 15 us each, and on refusals, 4 us each, first come, first served, and
// an engine whose groups are durable after a sync. It moves in steps of 0.1 ms. Clients wait for their answers, and
// send the next message at once, or arrive at a rate without waiting for anything (open loop).
struct simulation {
  struct waiting {
    time_point arrived;
    bool is_open = false;
    bool was_refused = false;  // its connection is held back
  };
  struct executing {
    waiting from;
    time_point submitted;
    time_point done;
    bool measures_base = false;
  };

  explicit simulation(admission_settings settings = {}, duration sync = milliseconds(1))
      : control(settings, now), sync_time(sync) {}

  void run(duration time, std::size_t patient_clients, double open_rate) {
    for (; patients < patient_clients; ++patients) ready.push_back({now});
    const auto end = now + time;
    for (; now < end; now += step) {
      arriving += open_rate * std::chrono::duration<double>(step).count();
      for (; arriving >= 1; --arriving) ready.push_back({now, true});
      complete();
      control.on_loop_delay(now, ready.empty() ? duration(0) : now - ready.front().arrived);
      control.advance(now, connections, held.size());
      time_left += step;
      release();
      while (time_left > duration(0) && !ready.empty()) read_next();
      if (ready.empty()) time_left = std::min(time_left, duration(0));
    }
  }

  void read_next() {
    const waiting next = ready.front();
    ready.pop_front();
    switch (control.decide(now)) {
      case admission::admit: return admit(next);
      case admission::refuse: return refuse(next);
      case admission::wait: held.push_back(next); return;
    }
  }
  void release() {
    for (auto room = control.room(now); room > 0 && !held.empty() && control.overloaded(); --room) {
      if (!control.is_fresh(now - held.back().arrived)) break;
      admit(held.back());
      held.pop_back();
    }
    while (!held.empty() && (control.may_refuse(now) || !control.overloaded())) {
      const waiting oldest = held.front();
      held.pop_front();
      control.overloaded() ? refuse(oldest) : admit(oldest);
    }
  }
  void admit(const waiting& what) {
    time_left -= microseconds(15);
    const bool measures_base = control.on_submitted();
    engine.push_back({what, now, now + sync_time, measures_base});
  }
  // A patient client comes again at once; the others do not.
  void refuse(const waiting& what) {
    time_left -= microseconds(4);
    control.on_refused(now, microseconds(4));
    ++refused;
    if (!what.is_open) ready.push_back({now, false, true});
  }
  void complete() {
    for (; !engine.empty() && engine.front().done <= now; engine.pop_front()) {
      const executing& each = engine.front();
      control.on_completed(now, now - each.submitted, true, each.measures_base);
      delays.push_back(now - each.from.arrived);
      if (!each.from.is_open) ready.push_back({now});
    }
  }

  // The delay that 99 % of the messages executed since the last call did not exceed.
  duration p99() {
    REQUIRE_FALSE(delays.empty());
    std::ranges::sort(delays);
    return delays[delays.size() * 99 / 100];
  }
  void forget() {
    delays.clear();
    refused = 0;
  }

  static constexpr duration step = microseconds(100);
  static constexpr double peak = 66'000;  // messages a second
  time_point now{seconds(1000)};
  admission_control control;
  duration sync_time;
  std::size_t patients = 0;
  std::size_t connections = 8000;
  double arriving = 0;
  duration time_left{0};
  std::deque<waiting> ready;  // arrived, not read
  std::deque<waiting> held;
  std::deque<executing> engine;
  std::vector<duration> delays;
  std::uint64_t refused = 0;
};

TEST_CASE("clients that wait for their answers are never refused") {
  const std::size_t clients = GENERATE(1U, 128U, 1024U, 2048U);
  const auto sync = GENERATE(milliseconds(1), milliseconds(40), milliseconds(300));
  CAPTURE(clients, sync.count());
  simulation service({}, sync);
  service.run(seconds(5), clients, 0);
  CHECK_FALSE(service.control.overloaded());
  CHECK(service.refused == 0);
  CHECK(service.delays.size() > clients);
}

TEST_CASE("three times the peak leaves most of the peak, at a short delay") {
  simulation service;
  service.run(seconds(2), 0, 0.5 * simulation::peak);
  CHECK_FALSE(service.control.overloaded());
  CHECK(service.refused == 0);

  service.run(seconds(1), 0, 3 * simulation::peak);
  CHECK(service.control.overloaded());
  service.forget();
  service.run(seconds(10), 0, 3 * simulation::peak);
  CHECK(service.control.overloaded());
  CHECK(static_cast<double>(service.delays.size()) > 0.9 * 10 * simulation::peak);
  CHECK(service.p99() < 3 * service.control.target_delay());
  // The time of refusals: at most their share.
  CHECK(static_cast<double>(service.refused) * 4e-6 < 1.1 * admission_settings{}.refusal_share * 10);
  CHECK(service.refused > 0);
}

TEST_CASE("after an overload everything is taken again within a second") {
  simulation service;
  service.run(seconds(5), 0, 3 * simulation::peak);
  REQUIRE(service.control.overloaded());
  service.held.resize(std::min<std::size_t>(service.held.size(), 8000));  // as many as there are connections
  service.run(seconds(1), 0, 0.5 * simulation::peak);
  CHECK_FALSE(service.control.overloaded());
  CHECK(service.held.empty());
  service.forget();
  service.run(seconds(1), 0, 0.5 * simulation::peak);
  CHECK(service.refused == 0);
  CHECK(service.p99() < milliseconds(5));
}

TEST_CASE("a slow sync makes the target longer, so that the rate holds") {
  simulation service({}, milliseconds(40));
  service.run(seconds(3), 0, 0.2 * simulation::peak);
  CHECK(service.control.base_delay() >= milliseconds(35));
  CHECK(service.control.target_delay() >= milliseconds(140));
  service.run(seconds(3), 0, 3 * simulation::peak);
  REQUIRE(service.control.overloaded());
  service.forget();
  service.run(seconds(5), 0, 3 * simulation::peak);
  CHECK(static_cast<double>(service.delays.size()) > 0.85 * 5 * simulation::peak);
  CHECK(service.p99() < 3 * service.control.target_delay());
}

TEST_CASE("a stall is no overload, however long its messages waited") {
  simulation service;
  service.run(seconds(1), 512, 0);
  service.sync_time = milliseconds(800);  // one group
  service.run(milliseconds(10), 512, 0);
  service.sync_time = milliseconds(1);
  service.run(seconds(3), 512, 0);
  CHECK_FALSE(service.control.overloaded());
  CHECK(service.refused == 0);
}

const time_point start{seconds(1)};

// Lets `messages` complete, each after `each`, at the end of one interval.
time_point complete_slowly(admission_control& control, std::size_t messages, duration each, std::size_t connections,
                           time_point now) {
  for (std::size_t i = 0; i < messages; ++i) control.on_submitted();
  now += milliseconds(100);
  for (std::size_t i = 0; i < messages; ++i) control.on_completed(now, each, true, false);
  control.advance(now, connections, 0);
  return now;
}

TEST_CASE("overload needs both a long delay and many messages under way") {
  struct row {
    std::size_t messages;
    duration each;
    std::size_t connections;
    bool overloaded;
  };
  // Messages in 100 ms. Under way are messages * delay / 100 ms, of which 3072 are allowed.
  const auto given = GENERATE(row{4000, milliseconds(40), 8000, false}, row{4000, milliseconds(90), 8000, true},
                              row{4000, milliseconds(90), 3073, true}, row{4000, milliseconds(90), 3072, false},
                              row{4000, milliseconds(60), 8000, false}, row{8000, milliseconds(49), 8000, false},
                              row{8000, milliseconds(51), 8000, true}, row{300, milliseconds(1000), 8000, false},
                              row{300, milliseconds(1100), 8000, true});
  CAPTURE(given.messages, given.each.count(), given.connections);
  admission_control control({}, start);
  complete_slowly(control, given.messages, given.each, given.connections, start);
  CHECK(control.overloaded() == given.overloaded);
  if (!given.overloaded) CHECK(control.decide(start + seconds(1)) == admission::admit);
}

TEST_CASE("messages that were not executed say nothing about the delay") {
  admission_control control({}, start);
  for (int i = 0; i < 8000; ++i) {
    CHECK(control.on_submitted() == (i == 0));
    control.on_completed(start, seconds(1), false, true);
    if (i == 0) control.on_submitted();
    if (i == 0)
      for (int k = 0; k < 15; ++k) control.on_submitted();
  }
  control.advance(start + milliseconds(100), 8000, 0);
  CHECK_FALSE(control.overloaded());
  CHECK(control.base_delay() == duration(0));
}

TEST_CASE("a refusal by the bound on messages in flight is an overload") {
  admission_control control({}, start);
  control.on_submitted();
  control.on_bound(start);
  CHECK(control.overloaded());
  CHECK(control.in_flight() == 0);
  CHECK(control.window() == admission_settings{}.in_flight_min);
  for (int i = 1; i <= 3; ++i) {
    CHECK(control.overloaded());
    control.advance(start + i * milliseconds(100), 8000, 0);
  }
  CHECK(control.overloaded());  // the first of the three had the refusal
  control.advance(start + milliseconds(400), 8000, 1);
  CHECK(control.overloaded());  // a connection is held back
  for (int i = 5; i <= 7; ++i) control.advance(start + i * milliseconds(100), 8000, 0);
  CHECK_FALSE(control.overloaded());
}

TEST_CASE("beyond the window a message is refused while the budget lasts, and then waits") {
  admission_settings settings;
  settings.in_flight_min = 2;
  settings.idle_refusal_share = 0.1;  // no message has completed yet
  settings.refusal_time_max = milliseconds(1);
  admission_control control(settings, start);
  control.on_submitted();
  control.on_bound(start);
  CHECK(control.decide(start) == admission::admit);
  control.on_submitted();
  CHECK(control.decide(start) == admission::admit);
  control.on_submitted();
  CHECK(control.room(start) == 0);
  CHECK(control.decide(start) == admission::refuse);
  control.on_refused(start, milliseconds(3));
  CHECK(control.decide(start) == admission::wait);
  CHECK(control.decide(start + milliseconds(19)) == admission::wait);
  CHECK(control.decide(start + milliseconds(21)) == admission::refuse);
  control.on_completed(start + milliseconds(21), milliseconds(1), true, false);
  CHECK(control.decide(start + milliseconds(21)) == admission::admit);
}

TEST_CASE("places stay reserved for a while for clients that have just got their answers") {
  admission_settings settings;
  settings.in_flight_min = 4;
  admission_control control(settings, start);
  control.on_submitted();
  control.on_bound(start);
  for (int i = 0; i < 3; ++i) control.on_submitted();
  CHECK(control.room(start) == 1);
  for (int i = 0; i < 3; ++i) control.on_completed(start + milliseconds(1), milliseconds(1), true, false);
  CHECK(control.room(start + milliseconds(1)) == 1);
  CHECK(control.room(start + milliseconds(25)) == 1);
  CHECK(control.room(start + milliseconds(50)) == 4);
}

TEST_CASE("while the loop is late nothing is admitted, but may still be refused or wait") {
  admission_control control({}, start);
  control.on_submitted();
  control.on_bound(start);
  control.on_loop_delay(start, milliseconds(15));
  CHECK(control.decide(start) == admission::admit);
  control.on_loop_delay(start, milliseconds(17));
  CHECK(control.decide(start) == admission::refuse);
}

TEST_CASE("a held message is fresh for the target delay") {
  const admission_control control({}, start);
  CHECK(control.is_fresh(milliseconds(8)));
  CHECK_FALSE(control.is_fresh(microseconds(8001)));
}

}  // namespace
}  // namespace ordem::http_edge
