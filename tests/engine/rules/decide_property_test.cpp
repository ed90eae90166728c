// What holds for every interleaving of commands, tried on random ones. ORDEM_SEED=<number> runs one of them again.
#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <random>

#include "engine/model/order_id_generator.hpp"
#include "engine/rules/decide.hpp"
#include "tests/engine/orders.hpp"
#include "tests/support_cpp/seed.hpp"

namespace ordem {
namespace {

using namespace testing;

class random_source {
 public:
  explicit random_source(std::uint64_t seed) : bits_(seed) {}

  std::uint64_t below(std::uint64_t bound) { return std::uniform_int_distribution<std::uint64_t>(0, bound - 1)(bits_); }
  bool one_in(std::uint64_t count) { return below(count) == 0; }

 private:
  std::mt19937_64 bits_;
};

// Commands as clients send them, the wrong ones among them. A create is always valid: the edge lets no other through.
class random_messages {
 public:
  explicit random_messages(random_source& random) : random_(random) {}

  message create() { return creation(guid_of("create"), content()); }

  message change(const order_id& target, version current) {
    const version expected_version = random_.one_in(4) ? version{1 + random_.below(current.number + 2)} : current;
    return change_message(any_change(), {expected_version, random_.one_in(2)}, target);
  }

 private:
  command any_change() {
    switch (random_.below(3)) {
      case 0: return replace_content{random_.one_in(8) ? content_of_too_high_total() : content()};
      case 1: return merge();
      default: return change_status{every_status[random_.below(std::size(every_status))]};
    }
  }

  merge_content merge() {
    merge_content patch;
    if (random_.one_in(2)) patch.customer_id = random_.one_in(8) ? "" : customer();
    if (random_.one_in(3)) patch.currency = currency();
    if (random_.one_in(3)) patch.items = random_.one_in(8) ? std::vector<order_item>{} : items();
    if (random_.one_in(3)) patch.attributes = attributes();
    if (random_.one_in(8)) patch.attributes = merge_content::remove_attributes{};
    return patch;
  }

  order_content content() {
    order_content made{customer(), currency(), items(), std::nullopt};
    if (random_.one_in(2)) made.attributes = attributes();
    return made;
  }

  std::string customer() { return "c-" + std::to_string(random_.below(5)); }
  currency_code currency() { return random_.one_in(2) ? currency_code{'E', 'U', 'R'} : currency_code{'U', 'S', 'D'}; }

  std::vector<order_item> items() {
    std::vector<order_item> made(1 + random_.below(3));
    for (auto& item : made) {
      item = {"s-" + std::to_string(random_.below(9)), static_cast<std::uint32_t>(1 + random_.below(10)),
              cents(static_cast<std::int64_t>(random_.below(100'000)))};
    }
    return made;
  }

  json_object attributes() {
    json_object made;
    for (const char* name : {"a", "b", "c"}) {
      if (random_.one_in(2)) made.emplace_back(name, any_value());
    }
    return made;
  }

  json_value any_value() {
    switch (random_.below(4)) {
      case 0: return null();
      case 1: return number(std::to_string(random_.below(100)));
      case 2: return object({{"x", null()}, {"y", text("z")}});
      default: return array({null(), text("t")});
    }
  }

  random_source& random_;
};

// A clock that now and then steps back.
class wandering_clock {
 public:
  explicit wandering_clock(random_source& random) : random_(random) {}

  timestamp next() {
    const milliseconds step{static_cast<std::int64_t>(random_.below(20))};
    now_ += random_.one_in(5) ? -10 * step : step;
    return now_;
  }

 private:
  random_source& random_;
  timestamp now_ = sample_time;
};

struct tracked_order {
  order state;
  std::vector<event> history;
};

order fold(const std::vector<event>& history) {
  order state = apply(nullptr, history.front());
  for (std::size_t i = 1; i < history.size(); ++i) state = apply(&state, history[i]);
  return state;
}

void check_created(const message& asked, const tracked_order& made) {
  const order& after = made.state;
  CHECK(after.version == version{1});
  CHECK(after.status == order_status::fresh);
  CHECK(after.content == std::get<create_order>(asked.command).content);
  CHECK(after.created_at == after.updated_at);
  CHECK(accepted_outcome(asked, after) ==
        outcome{verdict::order_created, after.id, {1}, order_status::fresh, std::nullopt, std::nullopt});
  CHECK(apply(nullptr, event_of(verdict::order_created, after)) == after);
}

void check_changed(const order& before, const message& asked, const event& what, const order& after) {
  CHECK(after.version == before.version.next());
  CHECK(after.id == before.id);
  CHECK(after.created_at == before.created_at);
  CHECK(after.updated_at >= before.updated_at);
  CHECK(after.total == total_of(after.content.items));
  CHECK(violations_of(after.content).empty());

  const outcome said = accepted_outcome(asked, after);
  CHECK(is_accepted(said.verdict));
  CHECK(said.order == after.id);
  CHECK(said.version == what.version);
  CHECK(said.version == after.version);
  CHECK(said.status == after.status);
  CHECK(said.expected_version == asked.expected_version);
  CHECK(apply(&before, event_of(said.verdict, after)) == after);
}

void check_rejected(const order& current, const message& asked, const outcome& said) {
  CHECK_FALSE(is_accepted(said.verdict));
  CHECK(said.order == current.id);
  CHECK(said.version == current.version);
  CHECK(said.status == current.status);
  CHECK(said.expected_version == asked.expected_version);
  CHECK((said.verdict == verdict::stale_version) == (asked.expected_version->version != current.version));
}

using order_map = std::map<order_id, tracked_order>;

struct tally {
  int accepted = 0;
  int rejected = 0;
  int invalid = 0;
};

void change_one(tracked_order& subject, const message& asked, timestamp now, tally& so_far) {
  const order before = subject.state;
  const decision made = decide(&before, asked, contract_id(), now);
  CHECK(before == subject.state);
  if (const auto* what = std::get_if<event>(&made)) {
    subject.state = apply(&before, *what);
    subject.history.push_back(*what);
    check_changed(before, asked, *what, subject.state);
    ++so_far.accepted;
  } else if (const auto* said = std::get_if<outcome>(&made)) {
    check_rejected(before, asked, *said);
    ++so_far.rejected;
  } else {
    CHECK(std::holds_alternative<invalid_content>(std::get<refusal>(made)));
    ++so_far.invalid;
  }
}

void create_one(order_map& orders, const message& asked, order_id id, timestamp now) {
  const auto what = std::get<event>(decide(nullptr, asked, id, now));
  const auto [at, is_new] = orders.emplace(id, tracked_order{apply(nullptr, what), {what}});
  REQUIRE(is_new);
  CHECK(at->second.state.id == id);
  check_created(asked, at->second);
}

TEST_CASE("any interleaving of commands keeps every order the gapless fold of its events") {
  const std::uint64_t seed = seed_of_run();
  INFO("ORDEM_SEED=" << seed);
  random_source random(seed);
  random_messages messages(random);
  wandering_clock clock(random);
  order_id_sequence id_sequence;
  order_id_generator ids(seed, id_sequence);
  order_map orders;
  tally so_far;

  for (int step = 0; step < 5'000; ++step) {
    CAPTURE(step);
    const timestamp now = clock.next();
    if (orders.empty() || random.one_in(20)) {
      create_one(orders, messages.create(), ids.next(now, {7}), now);
      continue;
    }
    auto& subject = std::next(orders.begin(), static_cast<std::ptrdiff_t>(random.below(orders.size())))->second;
    change_one(subject, messages.change(subject.state.id, subject.state.version), now, so_far);
  }

  for (const auto& [id, each] : orders) {
    CAPTURE(id);
    CHECK(fold(each.history) == each.state);
    CHECK(each.history.size() == each.state.version.number);
    for (std::size_t i = 0; i < each.history.size(); ++i) CHECK(each.history[i].version == version{i + 1});
    CHECK(std::is_sorted(each.history.begin(), each.history.end(),
                         [](const event& a, const event& b) { return a.at < b.at; }));
  }
  // The commands were not all of one kind.
  CHECK(so_far.accepted > 100);
  CHECK(so_far.rejected > 100);
  CHECK(so_far.invalid > 0);
}

}  // namespace
}  // namespace ordem
