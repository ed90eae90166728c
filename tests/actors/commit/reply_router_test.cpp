#include "actors/commit/reply_router.hpp"

#include <catch2/catch.hpp>
#include <latch>
#include <thread>

#include "tests/actors/support.hpp"

namespace ordem::actors {
namespace {

using namespace testing;
using namespace std::chrono_literals;

reply reply_to(std::uint32_t queue, std::uint32_t number) {
  return {{queue, number}, refusal{order_not_found{}}};
}

TEST_CASE("queues are numbered in the order in which they are added") {
  reply_router router(10);
  collecting_queue one;
  collecting_queue other;
  CHECK(router.add_queue(one) == 0);
  CHECK(router.add_queue(other) == 1);
}

TEST_CASE("each queue gets its replies of a batch in one call, and no call without any") {
  reply_router router(10);
  collecting_queue one;
  collecting_queue other;
  collecting_queue idle;
  for (auto* queue : {&one, &other, &idle}) router.add_queue(*queue);
  REQUIRE(router.enter(5));
  router.answer({reply_to(0, 1), reply_to(1, 2), reply_to(0, 3), reply_to(1, 4), reply_to(0, 5)});
  CHECK(one.deliveries() == 1);
  CHECK(one.answered() == 3);
  CHECK(other.deliveries() == 1);
  CHECK(other.answered() == 2);
  CHECK(idle.deliveries() == 0);
}

TEST_CASE("no more messages are admitted than the bound allows, and all of a batch or none") {
  reply_router router(10);
  CHECK(router.enter(7));
  CHECK_FALSE(router.enter(4));
  CHECK(router.in_flight() == 7);
  CHECK(router.enter(3));
  CHECK_FALSE(router.enter(1));
  CHECK(router.in_flight() == 10);
}

TEST_CASE("an answer frees its place, a rejection does not") {
  reply_router router(2);
  collecting_queue queue;
  router.add_queue(queue);
  REQUIRE(router.enter(2));
  router.reject({reply_to(0, 1)});
  CHECK(router.in_flight() == 2);
  router.answer({reply_to(0, 2)});
  CHECK(router.in_flight() == 1);
  CHECK(router.enter(1));
  CHECK(queue.answered() == 2);
}

// Asks what holds of the router while replies are delivered.
struct asking_queue final : completion_queue {
  const reply_router& router;
  std::size_t in_flight = 0;

  explicit asking_queue(const reply_router& of) : router(of) {}
  void deliver(std::vector<reply>&&) noexcept override { in_flight = router.in_flight(); }
};

TEST_CASE("the places of answered messages are free when their clients get the answers") {
  reply_router router(3);
  asking_queue queue(router);
  router.add_queue(queue);
  REQUIRE(router.enter(3));
  router.answer({reply_to(0, 1), reply_to(0, 2)});
  CHECK(queue.in_flight == 1);
}

TEST_CASE("a router is not idle while it delivers the last replies") {
  struct waiting_queue final : completion_queue {
    reply_router* router = nullptr;
    bool was_idle = true;
    void deliver(std::vector<reply>&&) noexcept override { was_idle = router->wait_until_idle(0ms); }
  };
  reply_router router(1);
  waiting_queue queue;
  queue.router = &router;
  router.add_queue(queue);
  REQUIRE(router.enter(1));
  router.answer({reply_to(0, 1)});
  CHECK_FALSE(queue.was_idle);
  CHECK(router.wait_until_idle(0ms));
}

TEST_CASE("with nothing in flight a wait ends at once") {
  reply_router router(2);
  CHECK(router.wait_until_idle(0ms));
}

TEST_CASE("a wait ends after its timeout") {
  reply_router router(2);
  REQUIRE(router.enter(1));
  CHECK_FALSE(router.wait_until_idle(1ms));
}

TEST_CASE("a wait ends after the last reply has been delivered") {
  reply_router router(2);
  collecting_queue queue;
  router.add_queue(queue);
  REQUIRE(router.enter(2));
  router.answer({reply_to(0, 1)});
  std::latch begun(1);
  std::thread answering([&] {
    begun.wait();
    router.answer({reply_to(0, 2)});
  });
  begun.count_down();
  const bool idle = router.wait_until_idle(patience);
  const std::size_t answered = queue.answered();
  answering.join();
  CHECK(idle);
  CHECK(answered == 2);
}

TEST_CASE("concurrent threads never exceed the bound, and no place is lost") {
  constexpr std::size_t bound = 5;
  constexpr unsigned threads = 4;
  reply_router router(bound);
  collecting_queue queue;
  router.add_queue(queue);
  std::atomic<std::size_t> inside{0};
  std::atomic<bool> exceeded{false};
  std::latch start(threads);
  std::vector<std::thread> all;
  for (unsigned i = 0; i < threads; ++i) {
    all.emplace_back([&, i] {
      start.arrive_and_wait();
      for (std::uint32_t round = 0; round < 2000; ++round) {
        if (!router.enter(2)) continue;
        if (inside.fetch_add(2) + 2 > bound) exceeded = true;
        inside.fetch_sub(2);
        router.answer({reply_to(0, i * 10'000 + 2 * round), reply_to(0, i * 10'000 + 2 * round + 1)});
      }
    });
  }
  for (auto& each : all) each.join();
  CHECK_FALSE(exceeded);
  CHECK(router.in_flight() == 0);
  CHECK(router.enter(bound));
  CHECK_FALSE(queue.answered_twice());
}

}  // namespace
}  // namespace ordem::actors
