// The servers of NATS that a test is given by its environment, a stream of its own on them, and the links to them.
// tests/integration/test_nats.py starts the servers.
#pragma once

#include <catch2/catch.hpp>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdlib>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "cluster/nats/log_link.hpp"
#include "cluster/nats/nats_connection.hpp"
#include "cluster/nats/stream_settings.hpp"
#include "tests/support_cpp/patience.hpp"

namespace ordem::cluster {

using testing::patience;

inline std::string environment(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr)
    throw std::runtime_error(std::string(name) + " is not set: tests/integration/test_nats.py sets it");
  return value;
}

inline nats_settings servers() {
  const auto parsed = parse_nats_urls(environment("NATS_URLS"));
  if (!parsed) throw std::runtime_error("NATS_URLS " + parsed.error());
  return *parsed;
}

// Kills the server of that name; NATS_PIDS is "n1=17,n2=18".
inline void kill_server(const std::string& name) {
  std::istringstream rest(environment("NATS_PIDS"));
  for (std::string each; std::getline(rest, each, ',');) {
    if (each.starts_with(name + "=")) {
      REQUIRE(::kill(std::stoi(each.substr(name.size() + 1)), SIGKILL) == 0);
      return;
    }
  }
  FAIL("there is no server " << name);
}

// A queue that a test waits on.
template <class Value>
class waiting_queue {
 public:
  void push(Value&& value) {
    const std::lock_guard lock(mutex_);
    values_.push_back(std::move(value));
    changed_.notify_all();
  }
  std::optional<Value> pop(std::chrono::milliseconds time) {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, time, [this] { return !values_.empty(); })) return std::nullopt;
    Value value = std::move(values_.front());
    values_.pop_front();
    return value;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Value> values_;
};

inline std::unique_ptr<nats_connection> connect() {
  auto made = nats_connection::connect({.nats = servers(), .connection_name = "test", .on_state = {}, .on_closed = {}});
  if (!made) FAIL(made.error());
  return std::move(*made);
}

// A stream that no other test uses, with three replicas.
inline stream_settings make_stream(nats_connection& connection) {
  static int number = 0;
  const auto now = std::chrono::system_clock::now().time_since_epoch().count();
  const stream_settings settings{.names = names_of("t" + std::to_string(now) + "-" + std::to_string(++number)),
                                 .replicas = 3,
                                 .bytes_max = std::uint64_t{1} << 28};
  const auto made = create_stream(connection, settings);
  if (!made) FAIL(made.error().text);
  CHECK(compare_stream(settings, *made).empty());
  return settings;
}

// Links to all servers, whose events come to the test's thread. All servers know the stream, unless a test says that
// there is none.
class links {
 public:
  explicit links(const stream_settings& stream, bool is_there = true) {
    const nats_settings nats = servers();
    for (std::size_t i = 0; i < nats.urls.size(); ++i) {
      const log_link_settings settings{i, nats, stream.names.stream, stream.names.log_subject, "test"};
      links_.push_back(
          std::make_unique<log_link>(settings, [this](link_event&& event) { events_.push(std::move(event)); }));
    }
    for (const auto& each : links_) wait_for_state([&] { return each->is_up(); });
    for (const auto& each : links_) {
      if (is_there) wait_for_stream(*each);
    }
  }

  log_link& operator[](std::size_t i) { return *links_[i]; }
  std::size_t count() const { return links_.size(); }

  // Returns the next answer, or nullopt if none comes in time. Other events are skipped.
  std::optional<link_answer> answer(std::chrono::milliseconds time = patience) {
    const auto deadline = std::chrono::steady_clock::now() + time;
    for (;;) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
      if (left.count() <= 0) return std::nullopt;
      auto event = events_.pop(left);
      if (!event) return std::nullopt;
      if (auto* answer = std::get_if<link_answer>(&event->what)) return std::move(*answer);
    }
  }

  // Asks over a link for an append that the stream must refuse, until it does. A server answers that there is no
  // responder as long as it has not heard of the stream's leader on another one, also after the stream was made.
  void wait_for_stream(log_link& link) {
    constexpr std::uint64_t no_such_last = 1'000'000'000;
    const auto deadline = std::chrono::steady_clock::now() + patience;
    for (bool is_known = false; !is_known;) {
      if (std::chrono::steady_clock::now() > deadline) FAIL("a server does not know the stream in time");
      if (!link.append({.sequence = no_such_last}, no_such_last, "x")) continue;
      const auto got = answer();
      is_known = got && std::holds_alternative<wrong_last_sequence>(got->answer);
    }
  }

  // Skips events until the condition holds, which an event tells about.
  template <class Condition>
  void wait_for_state(Condition holds) {
    while (!holds()) {
      if (!events_.pop(patience)) FAIL("no event of a link in time");
    }
  }

 private:
  waiting_queue<link_event> events_;
  std::vector<std::unique_ptr<log_link>> links_;
};

inline std::string record_text(std::uint64_t sequence, std::size_t size = 100) {
  std::string text = "record " + std::to_string(sequence) + " ";
  text.resize(std::max(size, text.size()), static_cast<char>('a' + sequence % 26));
  return text;
}

// Appends records until the stream's last sequence is `last`, one at a time, as the owner of a log does it: one whose
// outcome is unknown is sent again over the next link with the same expectation, and found by its content if it is
// there.
inline void append_until(links& to, std::uint64_t after, std::uint64_t last) {
  std::uint64_t attempt = 0;
  for (std::uint64_t sequence = after + 1; sequence <= last; ++sequence) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    for (bool is_stored = false; !is_stored;) {
      REQUIRE(std::chrono::steady_clock::now() < deadline);
      log_link& link = to[++attempt % to.count()];
      const log_request request{.epoch = 1, .sequence = sequence, .generation = 0, .attempt = attempt};
      if (!link.append(request, sequence - 1, record_text(sequence))) continue;
      for (;;) {
        const auto answer = to.answer(std::chrono::milliseconds(250));
        if (!answer) break;
        if (answer->request.sequence != sequence) continue;  // late
        if (const auto* stored = std::get_if<record_stored>(&answer->answer)) {
          REQUIRE(stored->sequence == sequence);
          is_stored = true;
          break;
        }
        if (const auto* wrong = std::get_if<wrong_last_sequence>(&answer->answer)) {
          if (wrong->last < sequence) break;  // of a server that is behind
          link.get_from_leader(request);
          continue;
        }
        if (const auto* found = std::get_if<record_found>(&answer->answer)) {
          REQUIRE(found->bytes == record_text(sequence));
          is_stored = true;
        }
        break;
      }
    }
  }
}

}  // namespace ordem::cluster
