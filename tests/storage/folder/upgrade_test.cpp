// A folder of an earlier data format, written by the release of that format and killed, is brought up to the present
// one with all that was acknowledged. What is in each record is compared by the tests of the whole program
// (tests/upgrade).

#include "storage/folder/upgrade.hpp"

#include <simdjson.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <map>
#include <set>

#include "storage/records/data_format.hpp"
#include "tests/storage/error_matcher.hpp"
#include "tests/storage/open_store_support.hpp"
#include "tests/storage/tampering.hpp"

namespace ordem::storage {
namespace {

namespace fs = std::filesystem;
using namespace testing;

// What facts.json says of the folder.
struct known_facts {
  fs::path source;
  timestamp written_at;
  std::uint64_t position = 0;
  std::set<std::string> orders;
  std::map<std::string, std::uint64_t> versions;  // how many each order has
  std::set<std::string> guids;
  std::map<std::string, bool> captures;  // whether each has a response

  explicit known_facts(fs::path of) : source(std::move(of)) {
    simdjson::dom::parser parser;
    const simdjson::dom::element all = parser.load((source / "facts.json").string());
    written_at = timestamp{std::chrono::seconds(std::int64_t(all["written_at"]))};
    position = std::uint64_t(all["position"]);
    for (const simdjson::dom::element each : simdjson::dom::array(all["orders"])) {
      const std::string id{std::string_view(each)};
      orders.insert(id);
      const simdjson::dom::object read = all["reads"].at_key("/api/v1/orders/" + id + "/versions");
      versions[id] = simdjson::dom::array(read["versions"]).size();
    }
    for (const simdjson::dom::element each : simdjson::dom::array(all["writes"])) {
      guids.insert(std::string(std::string_view(each["guid"])));
    }
    for (const auto& [key, what] : simdjson::dom::object(all["captures"])) {
      captures[std::string(key)] = !what.is_null();
    }
  }
};

struct upgrade_test {
  const std::string format;
  temp_folder temp;
  const known_facts facts{"tests/upgrade/format_" + format};
  manual_clock clock{facts.written_at};
  fs::path folder = temp.path() / "data";

  explicit upgrade_test(std::string of_format) : format(std::move(of_format)) {
    const std::string unpack = "tar -xzf " + (facts.source / "folder.tar.gz").string() + " -C " + temp.path().string();
    REQUIRE(std::system(unpack.c_str()) == 0);
    REQUIRE(has_old_format(folder));
  }

  bool has_old_format(const fs::path& path) const { return read_file(path / "FORMAT").starts_with(format + "\n"); }

  static std::uint64_t count_of(bool& is_ascending, const test_store& in, const std::string& id) {
    const auto list = list_versions(in, order_id::parse(id).value(), std::nullopt, 1000);
    for (std::size_t i = 0; i < list.size(); ++i) {
      if (list[i]->version.number != list.size() - i) is_ascending = false;
    }
    return list.size();
  }

  // Checks that the store has what the facts say: as the view shows it, and as the log has it.
  void check_whole(const test_store& store) const {
    REQUIRE(store.last() == position{facts.position});
    REQUIRE(store.visible() == position{facts.position});
    std::set<std::string> orders;
    REQUIRE(store.scan_orders([&](const shared_order& each) { return orders.insert(each->id.to_string()).second; }));
    CHECK(orders == facts.orders);
    for (const auto& [id, count] : facts.versions) {
      bool is_ascending = true;
      CHECK(count_of(is_ascending, store, id) == count);
      CHECK(is_ascending);
    }
    std::set<std::string> guids;
    REQUIRE(store.scan_messages(clock.now(), [&](const guid& id, const message_record&) {
      return guids.insert(std::string(id.view())).second;
    }));
    CHECK(guids == facts.guids);
    std::map<std::string, bool> captures;
    REQUIRE(store.scan_captures(clock.now(), [&](const capture_key& key, const shared_capture& what) {
      captures[std::string(key.view())] = what->response != nullptr;
      return true;
    }));
    CHECK(captures == facts.captures);
    std::size_t listed = 0;
    for (const char* customer : {"customer-1", "customer-2"}) listed += list_orders(store, customer, {}, 1000).size();
    CHECK(listed == facts.orders.size());

    const auto log = store.read_log({1}, 1000);
    REQUIRE(log);
    REQUIRE(log->size() == facts.position);
    std::map<std::string, shared_order> last;
    std::set<std::string> logged;
    for (const logged_entry& each : *log) {
      const message_entry* message = each.message();
      if (message == nullptr) continue;
      logged.insert(std::string(message->guid.view()));
      REQUIRE((message->after != nullptr) == is_accepted(message->record.outcome.verdict));
      if (message->after == nullptr) continue;
      REQUIRE(message->after->version == message->record.outcome.version);
      const auto stored = store.find_version(message->after->id, message->after->version);
      REQUIRE(stored.value() != nullptr);
      REQUIRE(**stored == *message->after);
      last[message->after->id.to_string()] = message->after;
    }
    CHECK(logged == facts.guids);
    for (const auto& [id, state] : last) CHECK(*store.find_order(state->id).value() == *state);
  }
  void check_opens_whole(const fs::path& path) {
    for (int i = 0; i < 2; ++i) {
      const auto store = try_open(settings_for(path), clock);
      INFO((store ? "" : store.error().message));
      REQUIRE(store);
      check_whole(**store);
      if (i == 0) (*store)->close();
    }
    CHECK(read_file(path / "FORMAT").starts_with(std::to_string(data_format) + "\n"));
  }
  // Returns the second line of FORMAT.
  static std::string log_id_in(const fs::path& path) { return read_file(path / "FORMAT").substr(2, 36); }
};

struct format_4_test : upgrade_test {
  format_4_test() : upgrade_test("4") {}
};
struct any_format_test : upgrade_test {
  any_format_test() : upgrade_test(GENERATE("4", "5")) {}
};

TEST_CASE_METHOD(any_format_test,
                 "a folder of an earlier format opens with everything, again and again, under its log id") {
  const std::string id = log_id_in(folder);
  check_opens_whole(folder);
  CHECK(opened(settings_for(folder), clock)->log_id() == id);
  const auto reader = try_open_for_reading(settings_for(folder), clock);
  REQUIRE(reader);
  check_whole(**reader);
}

TEST_CASE_METHOD(any_format_test, "an upgraded folder takes writes, which the next starts find") {
  for (std::uint64_t i = 1; i <= 3; ++i) {
    const auto store = opened(settings_for(folder), clock);
    REQUIRE(store->append(group_of(life_of(i, 100))));
    REQUIRE(store->sync());
    if (i == 2) store->close();
  }
  const auto store = opened(settings_for(folder), clock);
  CHECK(store->last() == position{facts.position + 300});
  for (std::uint64_t i = 1; i <= 3; ++i) CHECK(store->find_order(order_id_of(i)).value()->version == version{100});
}

TEST_CASE_METHOD(any_format_test, "a folder of an earlier format is not opened for reading, and does not change") {
  const auto reader = try_open_for_reading(settings_for(folder), clock);
  REQUIRE_FALSE(reader);
  CHECK_THAT(reader.error(), is_error(error_code::wrong_format, {folder.string(), format, "ordem serve"}));
  CHECK(has_old_format(folder));
  CHECK(fs::exists(folder / "log") == (format != "4"));
}

// As a crash leaves the folder: at each step that is reported, and with parts of the files that the next step writes.
TEST_CASE_METHOD(format_4_test, "an upgrade that was cut off at any step ends the same when it is begun again",
                 "[damage]") {
  auto settings = settings_for(folder);
  std::vector<fs::path> cut;
  settings.on_progress = [&](std::string_view) {
    cut.push_back(temp.path() / ("cut " + std::to_string(cut.size())));
    fs::copy(folder, cut.back(), fs::copy_options::recursive);
  };
  check_whole(*opened(settings, clock));
  REQUIRE(cut.size() >= 3);
  for (const fs::path& each : cut) {
    INFO(each << " has format " << read_file(each / "FORMAT").substr(0, 1));
    if (fs::exists(each / "log") && read_file(each / "FORMAT").starts_with("4\n")) {
      const fs::path torn = each.string() + " torn";
      fs::copy(each, torn, fs::copy_options::recursive);
      fs::resize_file(segments_in(torn / "log").back(), 700);
      check_opens_whole(torn);
    }
    check_opens_whole(each);
  }
}

TEST_CASE_METHOD(format_4_test, "an upgrade of which nothing but FORMAT is missing ends the same") {
  const std::string before = read_file(folder / "FORMAT");
  auto settings = settings_for(folder);
  fs::path last;
  settings.on_progress = [&](std::string_view what) {
    if (what.find("data format " + std::to_string(data_format)) == std::string_view::npos ||
        what.find("bringing") != std::string_view::npos)
      return;
    last = temp.path() / "last";
    fs::copy(folder, last, fs::copy_options::recursive);
  };
  opened(settings, clock);
  REQUIRE_FALSE(last.empty());
  write_file(last / "FORMAT", before);
  check_opens_whole(last);
}

// The write-ahead log is all that has the second half of what was acknowledged. Its last record may be torn off.
TEST_CASE_METHOD(format_4_test, "a folder of format 4 whose write-ahead log ends torn opens without the torn group") {
  fs::path wal;
  for (const auto& each : fs::directory_iterator(folder / "db")) {
    if (each.path().extension() == ".log" && each.file_size() > 0) wal = each.path();
  }
  REQUIRE_FALSE(wal.empty());
  const std::string whole = read_file(wal);
  const std::size_t missing = GENERATE(1U, 10U, 100U, 2000U);
  std::string torn = whole.substr(0, whole.size() - missing);
  if (GENERATE(true, false)) torn += std::string(missing, '\0');
  write_file(wal, torn);
  const auto store = try_open(settings_for(folder), clock);
  INFO((store ? "" : store.error().message));
  if (!store) {
    CHECK_THAT(store.error(), is_error(error_code::damaged));  // zeros over several records are no torn end
    CHECK(missing == 2000);
    return;
  }
  CHECK((*store)->last().number < facts.position);
  CHECK((*store)->last().number > facts.position / 2);
  CHECK((*store)->visible() == (*store)->last());
  const auto log = (*store)->read_log({1}, 1000);
  REQUIRE(log);
  CHECK(log->size() == (*store)->last().number);
}

TEST_CASE_METHOD(format_4_test,
                 "a folder of format 4 whose write-ahead log is damaged is refused, and keeps its format") {
  for (const auto& each : fs::directory_iterator(folder / "db")) {
    if (each.path().extension() != ".log" || each.file_size() == 0) continue;
    std::string damaged = read_file(each.path());
    damaged[damaged.size() / 3] = static_cast<char>(~damaged[damaged.size() / 3]);
    write_file(each.path(), damaged);
  }
  const auto store = try_open(settings_for(folder), clock);
  REQUIRE_FALSE(store);
  CHECK_THAT(store.error(), is_error(error_code::damaged, {folder.string()}));
  CHECK(read_file(folder / "FORMAT").starts_with("4\n"));
}

TEST_CASE_METHOD(format_4_test, "an upgrade that can't write fails with the reason, and succeeds once it can") {
  write_file(folder / "log", "in the way of the new log");
  fs::remove(folder / "log");
  fs::create_directories(folder / "log" / "00000000000000000001.seg");  // a folder in the place of a segment
  check_opens_whole(folder);
}

}  // namespace
}  // namespace ordem::storage
