// Tenants that use the same GUIDs, customers and keys of captures at the same time, through the gateway on a real
// store.

#include <catch2/catch.hpp>
#include <latch>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "actors/gateway.hpp"
#include "engine/ports/tenant_orders.hpp"
#include "storage/log/store.hpp"
#include "tests/actors/gateway_fixture.hpp"
#include "tests/support_cpp/origins.hpp"
#include "tests/support_cpp/temp_folder.hpp"

namespace ordem::actors {
namespace {

using namespace testing;

constexpr std::uint64_t names_each = 60;
const std::vector<origin> tenants = {anonymous, shop_till, stall_till};

std::string customer_of(std::uint64_t number) {
  return "c-" + std::to_string(number % 3);
}

struct gateway_tenants_test {
  temp_folder folder;
  manual_clock clock;
  std::unique_ptr<storage::store> store;
  collecting_queue queue;
  std::unique_ptr<gateway> engine;
  std::uint32_t queue_number = 0;
  std::atomic<std::uint32_t> next_token{0};

  gateway_tenants_test() { start(); }

  // As after a crash, if it runs.
  void start() {
    engine.reset();
    store.reset();
    storage::store_settings settings;
    settings.folder = folder.path();
    settings.durability = storage::durability::os;
    settings.memtable_entries = 64;
    auto opened = storage::open_store(std::move(settings), clock);
    if (!opened) throw std::runtime_error(opened.error().message);
    store = std::move(*opened);
    engine = std::make_unique<gateway>(gateway_settings{},
                                       gateway_ports{.log = store->log(),
                                                     .view = store->view(),
                                                     .orders = store->view(),
                                                     .captures = store->view(),
                                                     .clock = clock,
                                                     .newest_order = store->view().newest_order(),
                                                     .sink = nullptr},
                                       gateway_events{});
    queue_number = engine->add_queue(queue);
  }

  answer ask(engine_request what) {
    const std::uint32_t token = next_token++;
    std::vector<submission> one;
    one.push_back({{queue_number, token}, std::move(what)});
    engine->submit(std::move(one));
    return queue.wait_for(token);
  }
  answer ask_as(const origin& who, message what) { return ask(sent_by(who, std::move(what))); }
  answer ask_as(const origin& who, capture_request what) { return ask(sent_by(who, std::move(what))); }

  // Calls `act` for each tenant, all at the same time. Catch2's assertions are for one thread, so `act` returns what
  // went wrong.
  template <class Act>
  void at_once(Act act) {
    std::latch start_line(static_cast<std::ptrdiff_t>(tenants.size()));
    std::vector<std::string> faults(tenants.size());
    std::vector<std::thread> all;
    for (std::size_t i = 0; i < tenants.size(); ++i) {
      all.emplace_back([&, i] {
        start_line.arrive_and_wait();
        faults[i] = act(i);
      });
    }
    for (auto& each : all) each.join();
    for (const std::string& fault : faults) CHECK(fault == "");
  }
};

// The content tells the tenants apart, so that an answer of another tenant would show.
order_content content_for(std::size_t tenant, std::uint64_t number) {
  return content_of(customer_of(number), static_cast<std::uint32_t>(1 + tenant));
}

// Each request of a tenant, with what is wrong with the answer to it, if anything is.
struct tenant_client {
  gateway_tenants_test& to;
  std::size_t number;
  const origin& who = tenants[number];

  bool is_own(const answer& result, verdict expected, bool replayed) const {
    if (!has_verdict(result, expected) || executed_in(result).replayed != replayed) return false;
    const shared_order& order = executed_in(result).order;
    return order->origin == who && order->content.items[0].quantity == 1 + number;
  }

  std::string create(std::uint64_t name, bool replayed, std::vector<order_id>& made) const {
    const answer result = to.ask_as(who, creation(guid_of(name), content_for(number, name), 1 + number));
    if (!is_own(result, verdict::order_created, replayed)) return "a create gets another answer";
    made.push_back(executed_in(result).order->id);
    return "";
  }
  std::string change(std::uint64_t name, order_id target, bool replayed) const {
    const guid id = guid_of("change-" + std::to_string(name));
    const answer result = to.ask_as(who, replacement(id, target, {1}, content_for(number, name + 1), 1 + number));
    return is_own(result, verdict::content_changed, replayed) ? "" : "a change gets another answer";
  }
  std::string change_of_another(std::uint64_t name, order_id target) const {
    const guid id = guid_of("foreign-" + std::to_string(name));
    const answer result = to.ask_as(who, status_move(id, target, {1}, order_status::cancelled));
    return is_refused<order_not_found>(result) ? "" : "a change of another tenant's order is not refused as not found";
  }
  std::string capture_and_record(std::uint64_t name) const {
    const auto call = [&](capture_request what) { return to.ask_as(who, std::move(what)); };
    const auto response = response_of(who.tenant + std::to_string(name));
    if (!has(capture_verdict::allocated)(call(allocation(key_of(name))))) return "a key is not allocated";
    if (!has(capture_verdict::recorded)(call(record(key_of(name), response)))) return "a response is not recorded";
    return "";
  }
};

TEST_CASE_METHOD(gateway_tenants_test, "tenants may use the same GUIDs, customers and keys at the same time") {
  std::vector<std::vector<order_id>> made(tenants.size());
  at_once([&](std::size_t i) {
    const tenant_client client{*this, i};
    std::string fault;
    for (std::uint64_t name = 0; name < names_each && fault.empty(); ++name) {
      fault = client.create(name, false, made[i]);
      if (fault.empty()) fault = client.change(name, made[i].back(), false);
      if (fault.empty()) fault = client.capture_and_record(name);
    }
    return fault;
  });
  const position written = store->log().last();
  CHECK(written.number == tenants.size() * names_each * 4);

  at_once([&](std::size_t i) {
    const tenant_client client{*this, i};
    const auto& others = made[(i + 1) % tenants.size()];
    std::string fault;
    for (std::uint64_t name = 0; name < names_each && fault.empty(); ++name) {
      fault = client.change_of_another(name, others[name]);
    }
    return fault;
  });
  CHECK(store->log().last() == written);  // nothing of it is recorded

  const bool restarts = GENERATE(false, true);
  if (restarts) start();
  const storage::view& view = store->view();
  for (std::size_t i = 0; i < tenants.size(); ++i) {
    const tenant_client client{*this, i};
    CAPTURE(client.who, restarts);
    std::vector<order_id> repeated;
    for (std::uint64_t name = 0; name < names_each; ++name) {
      REQUIRE(client.create(name, true, repeated) == "");
      REQUIRE(client.change(name, made[i][name], true) == "");
      const auto message = view.find_message(client.who.tenant, guid_of(name), clock.now()).value();
      REQUIRE(message.has_value());
      CHECK(message->origin == client.who);
      CHECK(message->outcome.order == made[i][name]);
      const answer captured = ask_as(client.who, allocation(key_of(name)));
      REQUIRE(has(capture_verdict::completed)(captured));
      CHECK(std::get<capture_answer>(captured).response->body == client.who.tenant + std::to_string(name));
    }
    CHECK(repeated == made[i]);

    const tenant_orders own(view, client.who.tenant);
    std::size_t listed = 0;
    for (std::uint64_t customer = 0; customer < 3; ++customer) {
      auto search = own.find_orders({.customer_id = customer_of(customer)}, std::nullopt);
      for (auto next = search.next().value(); next.order != nullptr; next = search.next().value()) {
        CHECK(next.is_found);
        CHECK(next.order->origin == client.who);
        CHECK(next.order->version == version{2});
        ++listed;
      }
    }
    CHECK(listed == names_each);
    listed = 0;
    auto all = own.find_orders({}, std::nullopt);
    for (auto next = all.next().value(); next.order != nullptr; next = all.next().value()) {
      CHECK(next.is_found == (next.order->origin.tenant == client.who.tenant));
      if (next.is_found) ++listed;
    }
    CHECK(listed == names_each);
    for (std::size_t other = 0; other < tenants.size(); ++other) {
      const bool is_own = other == i;
      CHECK((own.find_order(made[other][0]).value() != nullptr) == is_own);
      CHECK((own.find_version(made[other][0], {1}).value() != nullptr) == is_own);
    }
  }
}

TEST_CASE_METHOD(gateway_tenants_test,
                 "an identity records and releases only what it has allocated, also after a restart") {
  const capture_key key = key_of("some-key");
  REQUIRE(has(capture_verdict::allocated)(ask_as(shop_till, allocation(key))));
  if (GENERATE(false, true)) start();
  CHECK(has(capture_verdict::not_recordable)(ask_as(shop_office, record(key, response_of("r")))));
  CHECK(has(capture_verdict::not_releasable)(ask_as(shop_office, release(key))));
  CHECK(has(capture_verdict::unknown)(ask_as(stall_till, release(key))));
  CHECK(has(capture_verdict::recorded)(ask_as(shop_till, record(key, response_of("r")))));
  const answer completed = ask_as(shop_office, allocation(key));
  CHECK(has(capture_verdict::completed)(completed));
}

}  // namespace
}  // namespace ordem::actors
