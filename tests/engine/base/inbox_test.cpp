#include "engine/base/inbox.hpp"

#include <atomic>
#include <catch2/catch.hpp>
#include <string>
#include <thread>
#include <vector>

namespace ordem {
namespace {

using texts = std::vector<std::string>;

TEST_CASE("only the first value of an empty inbox asks for a wake-up") {
  inbox<std::string> box;
  CHECK(box.push("a"));
  CHECK_FALSE(box.push("b"));
  CHECK_FALSE(box.push(texts{"c", "d"}));
  texts taken;
  box.take(taken);
  CHECK(taken == texts{"a", "b", "c", "d"});
  CHECK(box.push(texts{"e"}));
  CHECK_FALSE(box.push("f"));
  box.take(taken);
  CHECK(taken == texts{"e", "f"});
}

TEST_CASE("pushing nothing asks for no wake-up and hides none") {
  inbox<std::string> box;
  CHECK_FALSE(box.push(texts{}));
  CHECK(box.push("a"));
  CHECK_FALSE(box.push(texts{}));
  texts taken;
  box.take(taken);
  CHECK(taken == texts{"a"});
}

TEST_CASE("taking discards what the vector held") {
  inbox<std::string> box;
  texts taken{"old"};
  box.take(taken);
  CHECK(taken.empty());
}

TEST_CASE("values of each thread keep their order, and a consumer that waits for wake-ups gets all of them") {
  constexpr int pushers = 4;
  constexpr int each_pushes = 2000;
  struct value {
    int pusher = 0;
    int number = 0;
  };
  inbox<value> box;
  std::atomic<int> wake_ups{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < pushers; ++i) {
    threads.emplace_back([&, i] {
      for (int n = 0; n < each_pushes; n += 2) {
        bool wake = false;
        if (n % 4 == 0) {
          wake = box.push(std::vector<value>{{i, n}, {i, n + 1}});
        } else {
          wake = box.push(value{i, n});
          wake = box.push(value{i, n + 1}) || wake;
        }
        if (wake) {
          ++wake_ups;
          wake_ups.notify_one();
        }
      }
    });
  }
  std::vector<int> next(pushers);
  std::vector<value> taken;
  int seen = 0;
  bool in_order = true;
  for (int woken = 0; seen < pushers * each_pushes;) {
    wake_ups.wait(woken);
    woken = wake_ups.load();
    box.take(taken);
    for (const value& each : taken) {
      in_order = in_order && each.number == next[static_cast<std::size_t>(each.pusher)]++;
      ++seen;
    }
  }
  for (auto& each : threads) each.join();
  CHECK(in_order);
}

}  // namespace
}  // namespace ordem
