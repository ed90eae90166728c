// Forwarding over a transport that loses, doubles, delays and reorders requests and answers, while the ownership moves:
// every submission gets exactly one reply, and nothing is executed twice. In virtual time, by a seed.
#include <catch2/catch.hpp>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <random>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "cluster/forwarding/forward_message.hpp"
#include "cluster/forwarding/forward_server.hpp"
#include "cluster/forwarding/forwarding_port.hpp"
#include "tests/cluster/forwarding/support.hpp"
#include "tests/support_cpp/seed.hpp"

namespace ordem::cluster {
namespace {

using namespace testing;

class world {
 public:
  explicit world(std::uint64_t seed) : random(seed) {}
  void after(milliseconds delay, std::function<void()> what) { events_.push({now + delay, ++last_, std::move(what)}); }
  void run_until(milliseconds end) {
    while (!events_.empty() && events_.top().at <= end) {
      auto next = std::move(const_cast<event&>(events_.top()));
      events_.pop();
      now = next.at;
      next.what();
    }
    now = end;
  }
  bool happens(unsigned percent) { return random() % 100 < percent; }
  milliseconds some(std::uint64_t most_ms) { return milliseconds(random() % (most_ms + 1)); }

  std::mt19937_64 random;
  milliseconds now{0};

 private:
  struct event {
    milliseconds at{};
    std::uint64_t number = 0;
    std::function<void()> what;
    bool operator<(const event& other) const { return std::tie(at, number) > std::tie(other.at, other.number); }
  };
  std::priority_queue<event> events_;
  std::uint64_t last_ = 0;
};

// The replicated log, as far as it matters here: what was executed, by GUID and by key.
struct shared_log {
  std::map<std::string, std::uint64_t> orders;
  std::map<std::string, int> allocations;
  std::map<std::string, int> releases;
  std::set<std::string> allocated;
  std::uint64_t last = 0;

  answer execute(const engine_request& what) {
    if (const auto* asked = std::get_if<message>(&what)) {
      const auto [found, is_new] = orders.emplace(asked->guid.view(), orders.size() + 1);
      if (is_new) ++last;
      return created_answer(found->second, !is_new);
    }
    const auto& call = std::get<capture_request>(what);
    const std::string key(call.key.view());
    capture_verdict decided = capture_verdict::unknown;
    if (std::holds_alternative<allocate_capture>(call.action)) {
      decided = allocated.insert(key).second ? capture_verdict::allocated : capture_verdict::in_flight;
      if (decided == capture_verdict::allocated) ++allocations[key], ++last;
    } else {
      ++releases[key];  // each call: what must not happen twice for one submission
      decided = allocated.erase(key) > 0 ? capture_verdict::released : capture_verdict::unknown;
      ++last;
    }
    return capture_answer{decided, call.key, nullptr};
  }
};

// A gateway that executes after a while, unless its ownership ends before.
class slow_gateway final : public message_port {
 public:
  slow_gateway(world& in, shared_log& log) : world_(in), log_(log) {}
  std::uint32_t add_queue(completion_queue& queue) {
    queues_->push_back(&queue);
    return static_cast<std::uint32_t>(queues_->size() - 1);
  }
  void submit(std::vector<submission>&& submissions) override {
    for (submission& each : submissions) {
      auto request = std::make_shared<engine_request>(std::move(each.request));
      const std::weak_ptr<queues> alive = queues_;
      world_.after(world_.some(world_.happens(5) ? 1'500 : 20), [this, alive, request, token = each.token] {
        if (alive.expired()) return;
        auto result = std::make_shared<answer>(log_.execute(*request));
        world_.after(world_.some(20), [alive, result, token] {
          const auto to = alive.lock();
          if (to) (*to)[token.queue]->deliver({{token, *result}});
        });
      });
    }
  }

 private:
  using queues = std::vector<completion_queue*>;
  world& world_;
  shared_log& log_;
  std::shared_ptr<queues> queues_ = std::make_shared<queues>();
};

struct cluster_test;

struct test_node final : peer_transport, completion_queue {
  test_node(cluster_test& of, std::uint64_t number);
  void request(std::string_view, std::string body, milliseconds timeout,
               std::function<void(std::optional<std::string>)> done) override;
  void note_visible(position) override {}
  void deliver(std::vector<reply>&& replies) noexcept override;
  void own();
  void submit(engine_request what);

  cluster_test& of;
  std::uint64_t visible = 0;
  std::set<std::uint32_t> waiting;
  std::uint32_t last_token = 0;
  std::map<std::uint32_t, std::string> names;  // GUID or key of a submission
  forwarding_port port;
  forward_server server;
  std::unique_ptr<slow_gateway> gateway;
};

struct cluster_test {
  explicit cluster_test(std::uint64_t seed) : in(seed) {
    for (std::uint64_t i = 0; i < 3; ++i) nodes.push_back(std::make_unique<test_node>(*this, i + 1));
    nodes[0]->own();
    owner = nodes[0].get();
    tick();
  }
  void tick() {
    for (const auto& each : nodes) {
      each->port.on_tick(in.now);
      each->server.on_tick(in.now);
      if (!in.happens(30))
        each->visible = std::max(each->visible, log.last - std::min<std::uint64_t>(log.last, in.random() % 3));
      if (each.get() == owner || is_healed) each->visible = log.last;
      each->port.on_applied({each->visible});
    }
    in.after(milliseconds(20), [this] { tick(); });
  }
  void move_ownership() {
    if (owner != nullptr) {
      test_node& before = *std::exchange(owner, nullptr);
      before.port.detach();
      before.gateway.reset();
    }
    in.after(in.some(2'500), [this] {
      if (owner != nullptr) return;
      owner = nodes[in.random() % nodes.size()].get();
      owner->own();
      for (const auto& each : nodes) each->port.on_owner_change();
    });
  }

  world in;
  shared_log log;
  std::vector<std::unique_ptr<test_node>> nodes;
  test_node* owner = nullptr;
  bool is_healed = false;
  std::uint64_t answered = 0;
  std::uint64_t without_owner = 0;
  std::uint64_t allocated = 0;
  std::vector<std::string> faults;
};

test_node::test_node(cluster_test& in, std::uint64_t number)
    : of(in),
      port({}, *this, number, milliseconds(0)),
      server({}, port, [this] { return position{of.log.last}; }, [] { return std::uint64_t{1}; }, milliseconds(0)) {
  // The server has registered its queue first; that of the node is the next one.
  if (port.add_queue(*this) != 1) of.faults.emplace_back("another number of the queue");
}

void test_node::own() {
  visible = of.log.last;
  port.on_applied({visible});
  gateway = std::make_unique<slow_gateway>(of.in, of.log);
  port.attach(*gateway, [this](completion_queue& each) { return gateway->add_queue(each); });
}

void test_node::submit(engine_request what) {
  const std::uint32_t token = ++last_token;
  waiting.insert(token);
  if (const auto* asked = std::get_if<message>(&what)) names[token] = asked->guid.view();
  std::vector<submission> batch;
  batch.push_back({{1, token}, std::move(what)});
  port.submit(std::move(batch));
}

void test_node::request(std::string_view, std::string body, milliseconds timeout,
                        std::function<void(std::optional<std::string>)> done) {
  auto once = std::make_shared<std::function<void(std::optional<std::string>)>>(std::move(done));
  const auto finish = [once](std::optional<std::string> answer) {
    if (*once) std::exchange(*once, nullptr)(std::move(answer));
  };
  world& in = of.in;
  in.after(timeout, [finish] { finish(std::nullopt); });
  // A message goes to the node that owns the log when it is sent, now and then to another one.
  test_node* const to = !of.is_healed && in.happens(5) ? of.nodes[in.random() % 3].get() : of.owner;
  if (to == nullptr) return;
  int copies = 1;
  if (!of.is_healed && in.happens(15)) copies = in.happens(50) ? 0 : 2;
  for (int i = 0; i < copies; ++i) {
    const bool is_slow = copies == 1 && in.happens(10);
    in.after(of.is_healed ? milliseconds(1) : in.some(is_slow ? 3'000 : 30), [this, to, body, finish] {
      to->server.handle(body, [this, finish](const std::string& answer) {
        if (!of.is_healed && of.in.happens(15)) return;
        of.in.after(of.in.some(of.is_healed ? 1 : 30), [finish, answer] { finish(answer); });
      });
    });
  }
}

void test_node::deliver(std::vector<reply>&& replies) noexcept {
  for (const reply& each : replies) {
    if (waiting.erase(each.token.number) == 0) of.faults.emplace_back("a submission was answered twice");
    ++of.answered;
    if (is_refused_by(each.answer, unavailability::no_owner)) ++of.without_owner;
    const auto* captured = std::get_if<capture_answer>(&each.answer);
    if (captured != nullptr && captured->verdict == capture_verdict::allocated) ++of.allocated;
    const auto* done = std::get_if<executed>(&each.answer);
    if (done == nullptr) continue;
    const auto found = of.log.orders.find(names[each.token.number]);
    if (found == of.log.orders.end() || done->outcome.order != order_id_of(found->second))
      of.faults.emplace_back("an answer of another submission");
  }
}

TEST_CASE("over a bad network every submission gets one reply, and nothing is executed twice") {
  const std::uint64_t seed = seed_of_run();
  INFO("ORDEM_SEED=" << seed);
  std::uint64_t without_owner = 0;
  std::uint64_t sent_again = 0;
  for (std::uint64_t round = 0; round < 20; ++round) {
    CAPTURE(round);
    cluster_test tested(seed + round);
    world& in = tested.in;
    std::uint64_t submitted = 0;
    std::uint64_t keys = 0;
    for (std::uint64_t step = 0; step < 600; ++step) {
      in.run_until(in.now + in.some(20));
      test_node& to = *tested.nodes[in.random() % 3];
      ++submitted;
      switch (in.random() % 5) {
        case 0: to.submit(capture_request{key_of(++keys), allocate_capture{}}); break;
        case 1: to.submit(capture_request{key_of(1'000'000 + submitted), release_capture{}}); break;
        default: to.submit(creation(guid_of(in.random() % 200)));  // many are repeats
      }
      if (in.happens(2)) tested.move_ownership();
    }
    tested.is_healed = true;
    in.run_until(in.now + milliseconds(3'000));  // what moves is at its end
    if (tested.owner == nullptr) tested.move_ownership();
    in.run_until(in.now + milliseconds(15'000));
    CHECK(tested.faults == std::vector<std::string>{});
    CHECK(tested.answered == submitted);
    for (const auto& each : tested.nodes) {
      CHECK(each->waiting.empty());
      CHECK(each->port.stats().waiting == 0);
      sent_again += each->port.stats().sent_again;
    }
    for (const auto& [key, count] : tested.log.releases) CHECK(count <= 1);
    for (const auto& [key, count] : tested.log.allocations) CHECK(count <= 1);
    CHECK(tested.allocated > 0);
    without_owner += tested.without_owner;
  }
  CHECK(sent_again > 0);
  CHECK(without_owner > 0);
}

}  // namespace
}  // namespace ordem::cluster
