#include "storage/log/log_changes.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "tests/storage/capture_entries.hpp"
#include "tests/storage/support.hpp"
#include "tests/support_cpp/memory_log.hpp"
#include "tests/support_cpp/samples.hpp"

namespace ordem::storage {
namespace {

using namespace testing;

// Shows entries up to a position; nothing else of it is called.
struct fake_view final : order_reader {
  position shown;

  position visible() const noexcept override { return shown; }
  read_result<shared_order> find_order(order_id) const override { return shared_order{}; }
  std::optional<shared_order> find_cached_order(order_id) const override { return shared_order{}; }
  read_result<shared_order> find_version(order_id, version) const override { return shared_order{}; }
  read_result<std::optional<message_record>> find_message(std::string_view, const guid&,
                                                          const clock_reading&) const override {
    return std::optional<message_record>{};
  }
  std::unique_ptr<order_list> list_versions(order_id, std::optional<version>) const override { return nullptr; }
  std::unique_ptr<order_list> list_orders(std::string_view, std::string_view, std::optional<order_id>) const override {
    return nullptr;
  }
  std::unique_ptr<order_list> list_external(std::string_view, std::string_view,
                                            std::optional<order_id>) const override {
    return nullptr;
  }
  std::unique_ptr<order_list> list_all(std::optional<order_id>) const override { return nullptr; }
};

message_entry entry_with(std::uint64_t number, verdict what) {
  message_record record;
  record.outcome.verdict = what;
  record.created_at = sample_time;
  return {guid_of(number), record, nullptr, is_accepted(what) ? shared(sample_order(number)) : nullptr};
}

struct changes_test {
  memory_log log;
  fake_view view;
  log_changes changes{log, view, "the-id"};

  // A create, a rejection, a capture, an update and a change of status, at positions 1 to 5.
  changes_test() {
    append({entry_with(1, verdict::order_created), entry_with(2, verdict::stale_version),
            record_entry(key_of(3), "body", sample_time)});
    append({entry_with(4, verdict::content_changed), entry_with(5, verdict::status_changed)});
    view.shown = {5};
  }
  void append(const std::vector<entry>& entries) {
    REQUIRE(log.append(entries));
    REQUIRE(log.sync());
  }
  static std::vector<std::uint64_t> positions(const order_changes& of) {
    std::vector<std::uint64_t> all;
    for (const order_change& each : of.changes) all.push_back(each.position.number);
    return all;
  }
};

using list = std::vector<std::uint64_t>;

TEST_CASE_METHOD(changes_test, "accepted messages are changes; rejections and captures are looked at") {
  const auto read = changes.read_changes({}, 100);
  REQUIRE(read);
  CHECK(positions(*read) == list{1, 4, 5});
  CHECK(read->through == position{5});
  const order_change& first = read->changes.front();
  CHECK(first.message == guid_of(1));
  CHECK(first.what == verdict::order_created);
  CHECK(first.at == sample_time);
  CHECK(*first.order == sample_order(1));
  CHECK(changes.log_id() == "the-id");
}

TEST_CASE_METHOD(changes_test, "a read begins behind the position and looks at as many entries as it may") {
  const auto one = changes.read_changes({1}, 1);
  REQUIRE(one);
  CHECK(one->changes.empty());
  CHECK(one->through == position{2});
  const auto rest = changes.read_changes({3}, 100);
  REQUIRE(rest);
  CHECK(positions(*rest) == list{4, 5});
}

TEST_CASE_METHOD(changes_test, "what reads do not show yet is no change") {
  view.shown = {3};
  const auto read = changes.read_changes({}, 100);
  REQUIRE(read);
  CHECK(positions(*read) == list{1});
  CHECK(read->through == position{3});
  const auto none = changes.read_changes({3}, 100);
  REQUIRE(none);
  CHECK(none->changes.empty());
  CHECK(none->through == position{3});
  CHECK(changes.visible() == position{3});
}

TEST_CASE_METHOD(changes_test, "behind the end there is nothing") {
  for (const std::uint64_t after : {5U, 6U, 1000U}) {
    const auto read = changes.read_changes({after}, 100);
    REQUIRE(read);
    CHECK(read->changes.empty());
    CHECK(read->through == position{after});
  }
}

TEST_CASE("what was trimmed is gone") {
  memory_log_settings settings;
  settings.first = {10};
  memory_log log(settings);
  fake_view view;
  const log_changes changes(log, view, "the-id");
  CHECK(changes.first() == position{10});
  REQUIRE(log.append(std::vector<entry>{entry_with(1, verdict::order_created)}));
  REQUIRE(log.sync());
  view.shown = {10};
  CHECK(changes.read_changes({9}, 10).value().changes.size() == 1);
  const auto trimmed = changes.read_changes({3}, 10);
  REQUIRE_FALSE(trimmed);
  CHECK(trimmed.error() == change_error::trimmed);
}

TEST_CASE("an empty log begins at the first position") {
  const memory_log log;
  const fake_view view;
  const log_changes changes(log, view, "the-id");
  CHECK(changes.first() == position{1});
  CHECK(changes.visible() == position{0});
}

}  // namespace
}  // namespace ordem::storage
