// Tenants in the store: the same GUIDs, customers and keys of captures of several tenants are apart, in memtables and
// in files, after a restart and after a load.

#include <algorithm>
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "storage/log/store_loader.hpp"
#include "storage/records/capture_record.hpp"
#include "storage/records/keys.hpp"
#include "storage/records/message_record.hpp"
#include "storage/rocksdb/column_families.hpp"
#include "storage/rocksdb/database.hpp"
#include "tests/storage/open_store_support.hpp"
#include "tests/storage/tampering.hpp"
#include "tests/support_cpp/origins.hpp"

namespace ordem::storage {
namespace {

using namespace testing;

// By length and bytes, as scans return them.
const std::vector<origin> tenants = {anonymous, {"a", "one"}, {"z", "two"}, shop_till, stall_till};

const guid some_guid = guid_of("k-1");

struct tenant_store_test : testing::open_store {
  // Order n is that of tenant n - 1; all have the same GUID and customer.
  std::vector<message_entry> created;

  void write_orders() {
    for (std::size_t i = 0; i < tenants.size(); ++i) {
      created.push_back(entry_of(sent_by(tenants[i], creation(some_guid)), nullptr, order_id_of(i + 1)));
    }
    write(group_of(created));
  }
  void write_captures() {
    std::vector<entry> all;
    for (const origin& who : tenants) all.emplace_back(allocation_by(who));
    write(all);
  }
  static capture_entry allocation_by(const origin& who) {
    capture made = *allocated_at(sample_time);
    made.origin = who;
    return {some_key, sample_time, std::make_shared<const capture>(std::move(made))};
  }
  // Everything to table files.
  void flush() {
    store->close();
    reopen();
  }
  std::vector<order_id> listed(const origin& who, std::string_view customer) const {
    return ids_in(first_of(*store->view().list_orders(who.tenant, customer, std::nullopt), 100));
  }
};

TEST_CASE_METHOD(tenant_store_test, "each tenant finds its own message, orders and capture") {
  write_orders();
  write_captures();
  const auto [restarts, in_files] = GENERATE(table<bool, bool>({{false, false}, {true, false}, {true, true}}));
  if (in_files) {
    flush();
  } else if (restarts) {
    reopen();
  }
  for (std::size_t i = 0; i < tenants.size(); ++i) {
    const origin& who = tenants[i];
    CAPTURE(who);
    CHECK(store->view().find_message(who.tenant, some_guid, sample_time).value() == created[i].record);
    CHECK(listed(who, "c-1001") == std::vector{order_id_of(i + 1)});
    CHECK(store->find_order(order_id_of(i + 1)).value()->origin == who);
    CHECK(store->view().find_capture(who.tenant, some_key, sample_time).value()->origin == who);
  }
  CHECK_FALSE(store->view().find_message("sho", some_guid, sample_time).value());
  CHECK(store->view().find_capture("sho", some_key, sample_time).value() == nullptr);
  CHECK(listed({"sho", ""}, "c-1001").empty());
}

TEST_CASE_METHOD(tenant_store_test,
                 "scans have the messages and captures of every tenant, in the order of their keys") {
  write_orders();
  write_captures();
  if (GENERATE(false, true)) flush();
  std::vector<origin> messages;
  REQUIRE(store->scan_messages(sample_time, [&](const guid& id, const message_record& record) {
    CHECK(id == some_guid);
    messages.push_back(record.origin);
    return true;
  }));
  CHECK(messages == tenants);
  std::vector<origin> captures;
  REQUIRE(store->scan_captures(sample_time, [&](const capture_key& key, const shared_capture& what) {
    CHECK(key == some_key);
    captures.push_back(what->origin);
    return true;
  }));
  CHECK(captures == tenants);
}

TEST_CASE_METHOD(tenant_store_test, "an order that moves to another customer moves within its tenant") {
  write_orders();
  if (GENERATE(false, true)) flush();
  const auto shop = static_cast<std::size_t>(std::find(tenants.begin(), tenants.end(), shop_till) - tenants.begin());
  const order_id moved = order_id_of(shop + 1);
  const message move = sent_by(shop_office, replacement(guid_of("move"), moved, {1}, content_of("c-2002")));
  write({entry_of(move, created[shop].after, {})});
  if (GENERATE(false, true)) flush();
  CHECK(store->find_order(moved).value()->origin == shop_office);
  CHECK(store->find_version(moved, {1}).value()->origin == shop_till);
  for (std::size_t i = 0; i < tenants.size(); ++i) {
    CAPTURE(tenants[i]);
    const bool is_shop = i == shop;
    CHECK(listed(tenants[i], "c-1001") == (is_shop ? std::vector<order_id>{} : std::vector{order_id_of(i + 1)}));
    CHECK(listed(tenants[i], "c-2002") == (is_shop ? std::vector{moved} : std::vector<order_id>{}));
  }
}

TEST_CASE_METHOD(tenant_store_test, "a capture that one tenant gives up stays allocated in the others") {
  write_captures();
  if (GENERATE(false, true)) flush();
  write({capture_entry{some_key, sample_time, nullptr, "shop"}});
  if (GENERATE(false, true)) reopen();
  for (const origin& who : tenants) {
    CAPTURE(who);
    const bool is_kept = store->view().find_capture(who.tenant, some_key, sample_time).value() != nullptr;
    CHECK(is_kept == (who.tenant != "shop"));
  }
}

TEST_CASE_METHOD(tenant_store_test, "a loaded folder has every tenant") {
  manual_clock loaded_clock;
  const temp_folder other;
  const auto loaded = settings_for(other.path() / "data");
  write_orders();
  {
    const auto loader = load_new_store(loaded, "6f1c2b1e-1f5b-4a44-9d3c-0a7d3a4e5b6c", loaded_clock);
    REQUIRE(loader);
    for (const message_entry& each : created) (*loader)->put_order(*each.after);
    for (const message_entry& each : created) (*loader)->put_version(*each.after);
    for (const message_entry& each : created) (*loader)->put_message(each.guid, each.record);
    for (const origin& who : tenants) (*loader)->put_capture(some_key, *allocation_by(who).after);
    REQUIRE((*loader)->finish({created.size()}));
  }
  store.reset();
  store = opened(loaded, loaded_clock);
  for (std::size_t i = 0; i < tenants.size(); ++i) {
    const origin& who = tenants[i];
    CAPTURE(who);
    CHECK(store->view().find_message(who.tenant, some_guid, sample_time).value() == created[i].record);
    CHECK(listed(who, "c-1001") == std::vector{order_id_of(i + 1)});
    CHECK(store->view().find_capture(who.tenant, some_key, sample_time).value()->origin == who);
  }
}

// --- the check of a start ---

TEST_CASE_METHOD(tenant_store_test, "a start notices a capture that is missing of one tenant only") {
  write_captures();
  store->close();
  store.reset();
  tamper(folder.path(), [](auto& db, auto handle) {
    REQUIRE(db.Delete({}, handle(family::captures), encoded(encode_capture_key, "shop", some_key)).ok());
  });
  CHECK_FALSE(try_open(settings, clock));
}

TEST_CASE_METHOD(tenant_store_test, "a scan refuses a record under the key of another tenant") {
  write_orders();
  write_captures();
  store->close();
  store.reset();
  const bool is_message = GENERATE(true, false);
  tamper(folder.path(), [&](auto& db, auto handle) {
    const std::string key =
        is_message ? encoded(encode_message_key, "bazaar", some_guid) : encoded(encode_capture_key, "bazaar", some_key);
    const std::string record = is_message ? encoded(encode_message, created[3].record)
                                          : encoded(encode_capture, *allocation_by(shop_till).after);
    REQUIRE(db.Put({}, handle(is_message ? family::messages : family::captures), key, record).ok());
  });
  open();
  const bool messages =
      store->scan_messages(sample_time, [](const guid&, const message_record&) { return true; }).has_value();
  const bool captures =
      store->scan_captures(sample_time, [](const capture_key&, const shared_capture&) { return true; }).has_value();
  CHECK(messages == !is_message);
  CHECK(captures == is_message);
}

}  // namespace
}  // namespace ordem::storage
