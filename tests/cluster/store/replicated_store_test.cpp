// The data folder of a node: how it is opened and refused, and how it takes what another owner has written.

#include "cluster/store/replicated_store.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <string>
#include <vector>

#include "storage/log/backup.hpp"
#include "storage/records/log_group.hpp"
#include "tests/cluster/store/node_fixture.hpp"
#include "tests/storage/capture_entries.hpp"
#include "tests/storage/error_matcher.hpp"
#include "tests/storage/segments/segment_support.hpp"
#include "tests/storage/tampering.hpp"
#include "tests/support_cpp/seed.hpp"

namespace ordem::cluster {
namespace {

using namespace testing;
using storage::error_code;

struct two_nodes {
  stream_model stream;
  store_node owner{stream};
  store_node standby{stream};

  two_nodes() {
    stream.add_control(storage::log_record_kind::genesis);
    owner.tail();
    owner.begin_ownership(1);
  }

  static std::vector<storage::entry> create(std::uint64_t number) {
    order made = sample_order(number);
    return {made_entry(std::move(made), nullptr, number)};
  }
  static std::vector<storage::entry> change(std::uint64_t number, std::uint64_t which) {
    auto before = shared(sample_order(number, {which - 1}));
    order after = sample_order(number, {which});
    return {made_entry(std::move(after), std::move(before), 1'000 * number + which)};
  }
  static storage::message_entry made_entry(order after, shared_order before, std::uint64_t guid_number) {
    message_record record;
    record.outcome = accepted_outcome(
        before ? replacement(guid_of(guid_number), after.id, before->version) : creation(guid_of(guid_number)), after);
    record.created_at = sample_time;
    record.expires_at = sample_time + std::chrono::hours(24);
    return {guid_of(guid_number), record, std::move(before), shared(std::move(after))};
  }
};

TEST_CASE_METHOD(two_nodes, "a standby shows what the owner wrote, once it has read it") {
  owner.write(create(1));
  owner.write(change(1, 2));
  CHECK(standby.view().visible() == position{0});
  standby.tail(GENERATE(1U, 2U, 100U));
  CHECK(standby.view().visible() == position{2});
  CHECK(standby.view().find_order(order_id_of(1)).value()->version == version{2});
  CHECK(standby.view().find_version(order_id_of(1), {1}).value()->version == version{1});
  CHECK(standby.view().newest_order() == order_id_of(1));
  CHECK(standby.view().find_message({}, guid_of(1), sample_time).value().has_value());
  CHECK(standby.store->store().log().read({1}, 10).value().size() == 2);
  CHECK(standby.store->store().log_id() == sample_cluster_id);
  standby.restart();
  CHECK(standby.view().visible() == position{2});
  CHECK(standby.store->copy().last_record()->hash == owner.store->copy().last_record()->hash);
}

TEST_CASE_METHOD(two_nodes, "a standby applies many records at once as one after the other") {
  for (std::uint64_t i = 1; i <= 300; ++i) owner.write(create(i));
  for (std::uint64_t i = 1; i <= 300; ++i) owner.write(change(i, 2));
  standby.tail(GENERATE(1U, 7U, 1000U));
  std::vector<shared_order> there;
  std::vector<shared_order> here;
  REQUIRE(owner.view().scan_orders([&](const shared_order& each) { return there.push_back(each), true; }));
  REQUIRE(standby.view().scan_orders([&](const shared_order& each) { return here.push_back(each), true; }));
  REQUIRE(here.size() == 300);
  CHECK(std::equal(here.begin(), here.end(), there.begin(), there.end(),
                   [](const shared_order& a, const shared_order& b) { return *a == *b; }));
}

TEST_CASE_METHOD(two_nodes, "a record that does not belong there changes neither the copy nor the view") {
  owner.write(create(1));
  standby.tail();
  owner.write(create(2));
  owner.write(create(3));
  const auto missing = records_missing_in(standby.store->copy(), stream);
  REQUIRE(missing.size() == 2);
  const auto apply = [&](const std::vector<std::string_view>& records) {
    return standby.store->applier().apply(records);
  };
  std::string damaged = missing[0];
  damaged[100] = static_cast<char>(damaged[100] ^ 1);
  CHECK(apply({damaged}).error().code == error_code::damaged);
  CHECK(apply({missing[1]}).error().code == error_code::damaged);
  CHECK(apply({std::string_view(missing[0]).substr(0, 40)}).error().code == error_code::damaged);
  // A whole record without content that can be read.
  std::string unreadable = std::string(storage::log_record_header_bytes, '\0') + "no group";
  auto header = storage::decode_log_record_header(missing[0]).value();
  storage::frame_log_record(unreadable, header);
  CHECK(apply({unreadable}).error().code == error_code::damaged);
  CHECK(standby.view().visible() == position{1});
  CHECK(standby.store->copy().last() == position{1});
  // Those before the bad one are taken.
  CHECK(apply({missing[0], missing[0]}).error().code == error_code::damaged);
  CHECK(standby.view().visible() == position{2});
  CHECK(apply({missing[1]}) == position{3});
}

TEST_CASE_METHOD(two_nodes, "what an owner had in its copy and not in its view is applied when its ownership ends") {
  owner.write(create(1));
  REQUIRE(owner.log->append(create(2)));
  REQUIRE(owner.log->sync());  // acknowledged, and its gateway is gone before it applied the group
  CHECK(owner.view().visible() == position{1});
  owner.end_ownership();
  CHECK(owner.view().visible() == position{2});
  CHECK(owner.view().find_order(order_id_of(2)).value() != nullptr);
}

TEST_CASE_METHOD(two_nodes, "ownership moves between two nodes, with what landed without an acknowledgement") {
  store_node* now = &owner;
  store_node* next = &standby;
  std::uint64_t number = 1;
  for (std::uint64_t epoch = 2; epoch < 12; ++epoch) {
    now->write(create(number++));
    for (std::uint64_t i = 0; i < 3; ++i) REQUIRE(now->log->append(create(number + i)));
    const std::size_t landed = epoch % 4;
    number += landed;
    now->end_ownership(landed);
    if (epoch % 3 == 0) now->restart();
    next->begin_ownership(epoch);
    std::swap(now, next);
    next->tail();
    CHECK(next->view().visible() == position{number - 1});
    CHECK(now->log->appended() == position{number - 1});
  }
  for (std::uint64_t i = 1; i < number; ++i) {
    CHECK(owner.view().find_order(order_id_of(i)).value() != nullptr);
    CHECK(standby.view().find_order(order_id_of(i)).value() != nullptr);
  }
  CHECK(now->view().find_order(order_id_of(number)).value() == nullptr);
  CHECK(owner.store->copy().last_record()->epoch == 11);
}

// --- which folders are taken ---

TEST_CASE_METHOD(two_nodes, "the folder of a node of another cluster is refused") {
  owner.write(create(1));
  owner.end_ownership();
  const std::string other = "77777777-9a3e-4c1f-8a53-0f6d0a8f6f11";
  CHECK_THAT(owner.try_open(other).error(),
             is_error(error_code::invalid_argument, {owner.folder.path().string(), other, sample_cluster_id, "node"}));
  owner.open();
  CHECK(owner.view().visible() == position{1});
}

TEST_CASE_METHOD(two_nodes, "a node's folder is not opened by a single engine, but can be read") {
  owner.write(create(1));
  owner.end_ownership();
  owner.store.reset();
  manual_clock clock;
  CHECK_THAT(
      storage::open_store(owner.settings, clock).error(),
      is_error(error_code::invalid_argument, {owner.folder.path().string(), sample_cluster_id, "node of the cluster"}));
  const auto reader = storage::open_store_for_reading(owner.settings, clock);
  REQUIRE(reader);
  CHECK((*reader)->view().find_order(order_id_of(1)).value() != nullptr);
}

TEST_CASE("the folder of a single engine is refused, also if the cluster has its log") {
  temp_folder folder;
  const manual_machine machine;
  engine_clock clock{machine.sources()};
  auto settings = settings_for(folder.path());
  std::string log_id;
  {
    manual_clock its_clock;
    const auto single = storage::open_store(settings, its_clock);
    REQUIRE(single);
    log_id = (*single)->log_id();
    (*single)->close();
  }
  CHECK_THAT(
      open_replicated_store(settings, sample_cluster_id, clock).error(),
      is_error(error_code::invalid_argument, {folder.path().string(), log_id, sample_cluster_id, "single ordem"}));
  CHECK_THAT(open_replicated_store(settings, log_id, clock).error(),
             is_error(error_code::invalid_argument, {folder.path().string(), log_id, "single ordem"}));
  manual_clock its_clock;
  CHECK(storage::open_store(settings, its_clock));
}

TEST_CASE_METHOD(two_nodes, "a back-up of a node is whole, and is a node's folder itself") {
  for (std::uint64_t i = 1; i <= 100; ++i) owner.write(create(i));
  temp_folder other;
  storage::backup_request what;
  what.folder = other.path() / "backup";
  what.made_at = sample_time;
  const auto made = owner.store->store().back_up(what);
  REQUIRE(made);
  CHECK(made->last == position{100});
  engine_clock clock{owner.machine.sources()};
  const auto verified = storage::verify_backup(what.folder, clock);
  INFO((verified ? "" : verified.error().message));
  REQUIRE(verified);
  CHECK(verified->orders == 100);
  CHECK(verified->summary.log_id == sample_cluster_id);

  // A new node begins with it and reads the rest.
  owner.write(create(101));
  std::filesystem::copy(what.folder, other.path() / "node", std::filesystem::copy_options::recursive);
  std::filesystem::remove(other.path() / "node" / storage::backup_manifest_name);
  store_node joining{stream};
  joining.settings.folder = other.path() / "node";
  joining.open();
  CHECK(joining.view().visible() == position{100});
  joining.tail();
  CHECK(joining.view().find_order(order_id_of(101)).value() != nullptr);
}

TEST_CASE_METHOD(two_nodes, "the copy is trimmed only below what is released, by the view and for the sink") {
  for (std::uint64_t i = 1; i <= 600; ++i) owner.write(create(i));
  owner.end_ownership();
  owner.store->store().close();
  const auto segments = [&] { return segments_in(owner.folder.path() / "log").size(); };
  CHECK(owner.store->copy().first() == position{1});
  const auto all = segments();
  REQUIRE(all > 4);
  owner.store->copy().release(storage::log_consumer::sink, {300});
  CHECK(segments() < all);
  CHECK(owner.store->copy().first() > position{1});
  CHECK(owner.store->copy().first() <= position{301});
}

// --- damage ---

TEST_CASE_METHOD(two_nodes, "damage in what the view has in its files is refused; behind it, it is read again",
                 "[damage]") {
  for (std::uint64_t i = 1; i <= 10; ++i) owner.write(create(i));
  const auto file = segments_in(owner.folder.path() / "log").back();
  const bool is_flushed = GENERATE(true, false);
  owner.end_ownership();
  if (is_flushed) owner.store->store().close();
  owner.store.reset();
  std::string bytes = read_file(file);
  const auto records = records_in(bytes);
  bytes[records[records.size() - 3].begin + 80] ^= 2;
  write_file(file, bytes);
  auto opened = owner.try_open();
  if (is_flushed) {
    REQUIRE_FALSE(opened);
    CHECK_THAT(opened.error(), is_error(error_code::damaged, {file.string()}));
    CHECK(read_file(file) == bytes);
    return;
  }
  REQUIRE(opened);
  owner.store = std::move(*opened);
  CHECK(owner.view().visible() == position{7});
  owner.tail();
  CHECK(owner.view().visible() == position{10});
}

// --- the clock ---

TEST_CASE_METHOD(two_nodes, "a new owner dates nothing before the log, whatever its own clock says") {
  standby.machine.set_by(-std::chrono::hours(2));
  owner.write(std::vector<storage::entry>{allocation_entry(key_of(1), sample_time + std::chrono::minutes(1))});
  owner.end_ownership();
  standby.begin_ownership(2);
  CHECK(standby.clock->now() >= sample_time + std::chrono::minutes(1));
  CHECK(standby.clock->now() < sample_time + std::chrono::minutes(2));
}

TEST_CASE_METHOD(two_nodes, "on a standby and by a new owner nothing expires because its clock is ahead") {
  standby.machine.set_by(std::chrono::hours(100));
  owner.write(create(1));
  standby.tail();
  CHECK(standby.view().find_message({}, guid_of(1), standby.clock->read()).value().has_value());
  owner.end_ownership();
  standby.begin_ownership(2);
  CHECK(standby.clock->now() >= sample_time + std::chrono::hours(100));
  CHECK(standby.view().find_message({}, guid_of(1), standby.clock->read()).value().has_value());
  standby.machine.pass(std::chrono::hours(25));
  CHECK_FALSE(standby.view().find_message({}, guid_of(1), standby.clock->read()).value().has_value());
}

TEST_CASE_METHOD(two_nodes, "a step of an owner's clock is known to the standbys, and after their restart") {
  owner.write(create(1));
  owner.machine.set_by(std::chrono::hours(30));
  owner.write(std::vector<storage::entry>{allocation_entry(key_of(1), owner.clock->now())});
  standby.tail();
  CHECK(standby.view().find_message({}, guid_of(1), standby.clock->read()).value().has_value());
  standby.restart();
  CHECK(standby.clock->now() >= sample_time + std::chrono::hours(30));
  CHECK(standby.view().find_message({}, guid_of(1), standby.clock->read()).value().has_value());
}

}  // namespace
}  // namespace ordem::cluster
