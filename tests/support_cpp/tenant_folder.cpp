// Writes the data of three tenants that use the same GUIDs, customers and keys of captures into a data folder, in two
// steps, for tests/integration/test_tenants.py:
//
//   ordem_tenant_folder FOLDER create    each tenant creates orders by guid-0, guid-1, ..., and allocates key0000A, ...
//   ordem_tenant_folder FOLDER change    it patches each order by change-0, ..., gets 3043 for stale-0, ..., records
//   every
//                                        other key, and allocates the key gone and gives it up

#include <cstdint>
#include <iostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "actors/captures/capture_table.hpp"
#include "actors/execution.hpp"
#include "app/process/system_clock.hpp"
#include "engine/model/order_id_generator.hpp"
#include "storage/log/store.hpp"
#include "tests/support_cpp/captures.hpp"
#include "tests/support_cpp/origins.hpp"
#include "tests/support_cpp/samples.hpp"

namespace ordem::testing {
namespace {

constexpr std::uint64_t names_each = 20;
constexpr std::uint64_t customers = 3;

struct tenant_of_folder {
  origin creates;
  origin changes;
};

class folder_writer {
 public:
  folder_writer(storage::store& to, const time_source& clock)
      : store_(to),
        clock_(clock),
        captures_(to.view(), sample_terms),
        sequence_(to.view().newest_order()),
        ids_(1, sequence_) {}

  bool create(std::uint32_t number, const tenant_of_folder& tenant) {
    for (std::uint64_t i = 0; i < names_each; ++i) {
      const order_content content = content_of("c-" + std::to_string(i % customers), 1 + number);
      decide(sent_by(tenant.creates, creation(guid_of("guid-" + std::to_string(i)), content)), nullptr);
      decide(sent_by(tenant.creates, allocation(capture_of(i))));
    }
    return write();
  }
  bool change(const tenant_of_folder& tenant) {
    for (std::uint64_t i = 0; i < names_each; ++i) {
      const std::string name = std::to_string(i);
      const shared_order made = order_of(tenant.creates, guid_of("guid-" + name));
      merge_content change;
      change.attributes = json_object{{"tenant", {tenant.changes.tenant}}};
      const message patched = patch(guid_of("change-" + name), made->id, {1}, change);
      const shared_order changed = decide(sent_by(tenant.changes, patched), made);
      const message stale = status_move(guid_of("stale-" + name), made->id, {1}, order_status::confirmed);
      decide(sent_by(tenant.creates, stale), changed);
      if (i % 2 != 0) continue;
      decide(sent_by(tenant.creates, record(capture_of(i), response_of(tenant.creates.tenant + name))));
    }
    decide(sent_by(tenant.creates, allocation(key_of("gone"))));
    decide(sent_by(tenant.creates, release(key_of("gone"))));
    return write();
  }

 private:
  // Returns the order after the message.
  shared_order decide(message what, const shared_order& current) {
    const order_id id = ids_.next(clock_.now(), what.guid.slot());
    auto done = actors::execute_task({{}, 0, std::move(what)}, current, id, clock_.now(), std::chrono::hours(24));
    entries_.push_back(std::move(done.decided.entry.value()));
    return done.current;
  }
  void decide(capture_request what) {
    waiting_.push_back({what.origin.tenant, what.key});
    entries_.push_back(std::move(captures_.admit(std::move(what), clock_.read()).entry.value()));
  }

  // Returns the order that this message of the tenant has created.
  shared_order order_of(const origin& who, const guid& name) const {
    const auto message = store_.view().find_message(who.tenant, name, clock_.read()).value();
    return store_.view().find_order(message.value().outcome.order).value();
  }
  static capture_key capture_of(std::uint64_t number) {
    return key_of("key0000" + std::string(1, static_cast<char>('A' + number)));
  }
  bool write() {
    const bool written = storage::write(store_, entries_);
    for (const tenant_capture_key& each : waiting_) captures_.complete(each);
    entries_.clear();
    waiting_.clear();
    return written;
  }

  storage::store& store_;
  const time_source& clock_;
  actors::capture_table captures_;
  order_id_sequence sequence_;
  order_id_generator ids_;
  std::vector<storage::entry> entries_;
  std::vector<tenant_capture_key> waiting_;
};

int run(const std::string& folder, std::string_view step) {
  engine_clock clock(app::machine_clocks());
  storage::store_settings settings;
  settings.folder = folder;
  const auto store = storage::open_store(std::move(settings), clock);
  if (!store) {
    std::cerr << store.error().message << "\n";
    return 1;
  }
  folder_writer writer(**store, clock);
  std::uint32_t number = 0;
  for (const tenant_of_folder& each :
       {tenant_of_folder{anonymous, anonymous}, {shop_till, shop_office}, {stall_till, stall_till}}) {
    if (!(step == "create" ? writer.create(number++, each) : writer.change(each))) return 1;
  }
  (*store)->close();
  return 0;
}

}  // namespace
}  // namespace ordem::testing

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  return ordem::testing::run(argv[1], argv[2]);
}
