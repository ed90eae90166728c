// Searches of all orders and by external id: in memtables, in table files and in both, while orders change, of several
// tenants, after a restart and a load.

#include <algorithm>
#include <catch2/catch.hpp>
#include <functional>
#include <map>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "engine/ports/tenant_orders.hpp"
#include "storage/log/store_loader.hpp"
#include "tests/storage/open_store_support.hpp"
#include "tests/support_cpp/origins.hpp"
#include "tests/support_cpp/seed.hpp"

namespace ordem::storage {
namespace {

using namespace testing;

const std::vector<origin> senders = {anonymous, shop_till, stall_till};
const std::vector<std::string> external_ids = {"PO-1", "PO-10", "PO-\xC3\xA4"};

struct order_search_test : testing::open_store {
  std::map<order_id, shared_order, std::greater<>> current;
  std::mt19937_64 random{seed_of_run()};
  std::uint64_t messages = 0;

  std::uint64_t below(std::uint64_t bound) { return random() % bound; }
  order_content some_content() {
    order_content made = content_of("c-" + std::to_string(below(3)));
    if (below(2) == 0) made.external_id = external_ids[below(external_ids.size())];
    return made;
  }
  void put(const message& what, const shared_order& before, std::uint64_t number = 0) {
    const message_entry done = entry_of(what, before, order_id_of(number));
    write({done});
    current[done.after->id] = done.after;
  }
  void create(std::uint64_t number) {
    put(sent_by(senders[below(senders.size())], creation(guid_of(++messages), some_content())), nullptr, number);
  }
  void change_one() {
    const shared_order before = std::next(current.begin(), static_cast<std::ptrdiff_t>(below(current.size())))->second;
    const guid id = guid_of(++messages);
    const message change = below(3) == 0 && before->status == order_status::fresh
                               ? status_move(id, before->id, before->version, order_status::confirmed)
                               : replacement(id, before->id, before->version, some_content());
    put(sent_by(before->origin, change), before);
  }
  order_filter some_filter() {
    order_filter filter;
    if (below(3) == 0) filter.customer_id = "c-" + std::to_string(below(3));
    if (below(3) == 0) filter.external_id = external_ids[below(external_ids.size())];
    if (below(3) == 0) filter.status = below(2) == 0 ? order_status::fresh : order_status::confirmed;
    return filter;
  }
  // What the index by external id has, before a search compares the orders with its filter.
  std::vector<order_id> indexed(std::string_view external_id) const {
    return ids_in(first_of(*store->view().list_external("", external_id, std::nullopt), 100));
  }
  // Searches in pages of random length, each of which begins behind the last order that was looked at.
  std::vector<order_id> found(const test_store& in, const std::string& tenant, const order_filter& filter) {
    const tenant_orders orders(in.view(), tenant);
    std::vector<order_id> ids;
    std::optional<order_id> after;
    for (;;) {
      auto search = orders.find_orders(filter, after);
      for (auto left = 1 + below(50); left > 0; --left) {
        const auto step = search.next().value();
        if (step.order == nullptr) return ids;
        if (step.is_found) {
          REQUIRE(*step.order == *current.at(step.order->id));
          ids.push_back(step.order->id);
        }
        after = step.order->id;
      }
    }
  }
  void check_searches(const test_store& in) {
    for (int i = 0; i < 6; ++i) {
      const std::string& tenant = senders[below(senders.size())].tenant;
      const order_filter filter = some_filter();
      std::vector<order_id> expected;
      for (const auto& [id, order] : current) {
        const auto& content = order->content;
        if (order->origin.tenant == tenant && (!filter.customer_id || content.customer_id == *filter.customer_id) &&
            (!filter.external_id || content.external_id == *filter.external_id) &&
            (!filter.status || order->status == *filter.status)) {
          expected.push_back(id);
        }
      }
      REQUIRE(found(in, tenant, filter) == expected);
    }
  }
};

// Some 600 entries go through ten memtables.
TEST_CASE_METHOD(order_search_test, "a search finds what a scan of all orders would, in memory and in files") {
  INFO("ORDEM_SEED=" << seed_of_run());
  std::vector<std::uint64_t> numbers(400);
  std::iota(numbers.begin(), numbers.end(), 1);
  if (GENERATE(false, true)) std::shuffle(numbers.begin(), numbers.end(), random);
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    create(numbers[i]);
    if (below(2) == 0) change_one();
    if (i % 40 == 39) check_searches(*store);
  }
  reopen();
  check_searches(*store);
  const auto reader = try_open_for_reading(settings, clock);
  REQUIRE(reader);
  check_searches(**reader);
  store->close();
  reopen();
  check_searches(*store);
  for (int i = 0; i < 40; ++i) change_one();
  check_searches(*store);
}

TEST_CASE_METHOD(order_search_test, "an order is found by the external id that it has, and no longer by those it had") {
  const auto with = [](std::optional<std::string> external_id) {
    order_content made = content_of();
    made.external_id = std::move(external_id);
    return made;
  };
  put(creation(guid_of(++messages), with("PO-1")), nullptr, 1);
  put(creation(guid_of(++messages), with("PO-1")), nullptr, 2);
  const auto flush = [&] {
    store->close();
    reopen();
  };
  const order_filter one{.external_id = "PO-1"};
  const order_filter other{.external_id = "PO-2"};
  const auto change = [&](std::optional<std::string> external_id) {
    const shared_order before = current.at(order_id_of(1));
    put(replacement(guid_of(++messages), before->id, before->version, with(std::move(external_id))), before);
  };
  CHECK(found(*store, "", one) == std::vector{order_id_of(2), order_id_of(1)});
  if (GENERATE(false, true)) flush();
  change("PO-2");
  CHECK(found(*store, "", one) == std::vector{order_id_of(2)});
  CHECK(found(*store, "", other) == std::vector{order_id_of(1)});
  CHECK(indexed("PO-1") == std::vector{order_id_of(2)});
  if (GENERATE(false, true)) flush();
  change(std::nullopt);
  CHECK(found(*store, "", other).empty());
  CHECK(indexed("PO-2").empty());
  change("PO-1");
  CHECK(found(*store, "", one) == std::vector{order_id_of(2), order_id_of(1)});
  flush();
  CHECK(found(*store, "", one) == std::vector{order_id_of(2), order_id_of(1)});
  CHECK(found(*store, "", other).empty());
  CHECK(indexed("PO-1") == std::vector{order_id_of(2), order_id_of(1)});
  CHECK(indexed("PO-2").empty());
  CHECK(found(*store, "shop", one).empty());
  CHECK(found(*store, "", {.customer_id = "PO-1"}).empty());
}

TEST_CASE_METHOD(order_search_test, "a search does not see what was written after it began") {
  for (std::uint64_t number = 1; number <= 100; ++number) create(number * 2);
  const tenant_orders orders(store->view(), "");
  auto search = orders.find_orders({}, std::nullopt);
  auto expected = current;
  for (std::uint64_t number = 1; number <= 100; ++number) {
    create(number * 2 + 1);
    change_one();
  }
  for (const auto& [id, order] : expected) {
    const auto step = search.next().value();
    REQUIRE(step.order != nullptr);
    CHECK(*step.order == *order);
  }
  CHECK(search.next().value().order == nullptr);
}

TEST_CASE_METHOD(order_search_test,
                 "a search by time has the orders from the first time up to the second, by their ids") {
  const auto id_at = [](std::int64_t ms, std::uint8_t rest) {
    order_id id = lowest_id_at(timestamp{milliseconds{ms}});
    id.bytes[6] = 0x70;
    id.bytes[15] = rest;
    return id;
  };
  std::vector<order_id> ids;
  for (std::int64_t ms = 1000; ms < 1020; ++ms) {
    for (std::uint8_t rest = 0; rest < 3; ++rest) {
      const message_entry done = entry_of(creation(guid_of(++messages)), nullptr, id_at(ms, rest));
      write({done});
      current[done.after->id] = done.after;
      ids.insert(ids.begin(), done.after->id);
    }
  }
  if (GENERATE(false, true)) {
    store->close();
    reopen();
  }
  for (std::int64_t after = 998; after < 1022; after += 3) {
    for (std::int64_t before = 998; before < 1022; before += 2) {
      order_filter filter;
      filter.created_after = timestamp{milliseconds{after}};
      filter.created_before = timestamp{milliseconds{before}};
      std::vector<order_id> expected;
      std::copy_if(ids.begin(), ids.end(), std::back_inserter(expected), [&](const order_id& id) {
        const auto ms = time_in(id).time_since_epoch().count();
        return ms >= after && ms < before;
      });
      REQUIRE(found(*store, "", filter) == expected);
    }
  }
}

TEST_CASE_METHOD(order_search_test, "a loaded folder has the index by external id") {
  for (std::uint64_t number = 1; number <= 50; ++number) create(number);
  manual_clock loaded_clock;
  const temp_folder other;
  const auto loaded = settings_for(other.path() / "data");
  {
    const auto loader = load_new_store(loaded, "6f1c2b1e-1f5b-4a44-9d3c-0a7d3a4e5b6c", loaded_clock);
    REQUIRE(loader);
    for (const auto& [id, order] : current) (*loader)->put_order(*order);
    REQUIRE((*loader)->finish({50}));
  }
  check_searches(*opened(loaded, loaded_clock));
}

}  // namespace
}  // namespace ordem::storage
