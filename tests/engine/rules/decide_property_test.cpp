// What holds for every interleaving of commands, tried on random ones. ORDEM_SEED=<number> runs one of them again.
#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "engine/model/order_id_generator.hpp"
#include "engine/rules/decide.hpp"
#include "tests/engine/orders.hpp"
#include "tests/support_cpp/random_orders.hpp"
#include "tests/support_cpp/seed.hpp"

namespace ordem {
namespace {

using namespace testing;

// Orders of few values, and commands as clients send them: some changes are invalid or expect another version. A create
// is always valid, because the edge lets no other through.
class small_orders final : public random_orders {
 public:
  explicit small_orders(std::uint64_t seed) : random_orders(seed, {1, 3, 3, 2, 2}) {}

  message create() { return creation(guid_of("create"), content()); }

  message change_of(const order& current) {
    const version expected_version = one_in(4) ? version{1 + below(current.version.number + 2)} : current.version;
    command change = this->change();
    if (one_in(8)) spoil(change);
    return change_message(std::move(change), {expected_version, chance()}, current.id);
  }

  std::string customer() override { return "c-" + std::to_string(below(5)); }
  currency_code currency() override { return chance() ? currency_code{'E', 'U', 'R'} : currency_code{'U', 'S', 'D'}; }

 private:
  order_item item() override {
    return {"s-" + std::to_string(below(9)), static_cast<std::uint32_t>(1 + below(10)),
            cents(static_cast<std::int64_t>(below(100'000)))};
  }
  std::string member_name() override { return std::string(1, static_cast<char>('a' + below(3))); }
  std::string text_value() override { return "t"; }
  json_number number_value() override { return {std::to_string(below(100))}; }

  // Makes a change of the content invalid.
  void spoil(command& change) {
    if (auto* replacement = std::get_if<replace_content>(&change)) {
      replacement->content = content_of_too_high_total();
    } else if (auto* merge = std::get_if<merge_content>(&change)) {
      if (chance()) {
        merge->customer_id = "";
      } else {
        merge->items.emplace();
      }
    }
  }
};

// A clock that sometimes steps back.
class erratic_clock {
 public:
  explicit erratic_clock(random_source& random) : random_(random) {}

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
  small_orders random(seed);
  erratic_clock clock(random);
  order_id_sequence id_sequence;
  order_id_generator ids(seed, id_sequence);
  order_map orders;
  tally so_far;

  for (int step = 0; step < 5'000; ++step) {
    CAPTURE(step);
    const timestamp now = clock.next();
    if (orders.empty() || random.one_in(20)) {
      create_one(orders, random.create(), ids.next(now, {7}), now);
      continue;
    }
    auto& subject = std::next(orders.begin(), static_cast<std::ptrdiff_t>(random.below(orders.size())))->second;
    change_one(subject, random.change_of(subject.state), now, so_far);
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
