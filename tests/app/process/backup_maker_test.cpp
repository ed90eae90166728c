// Back-ups of a server: where they may be made, and one at a time.
#include "app/process/backup_maker.hpp"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <future>
#include <memory>
#include <string>
#include <thread>

#include "tests/support_cpp/manual_clock.hpp"
#include "tests/support_cpp/temp_folder.hpp"

namespace ordem::app {
namespace {

namespace fs = std::filesystem;
using Catch::Matchers::Contains;
using codec::problem;
using http_edge::backup_state;
using http_edge::backup_status;

struct made_backups {
  testing::temp_folder data;
  testing::temp_folder root;
  testing::manual_clock clock;
  std::unique_ptr<storage::store> store;
  std::promise<void> ended;
  std::future<void> end = ended.get_future();
  std::promise<void> may_end;
  std::shared_future<void> let_end = may_end.get_future().share();
  bool waits = false;

  made_backups() {
    storage::store_settings settings;
    settings.folder = data.path();
    auto opened = storage::open_store(settings, clock);
    REQUIRE(opened);
    store = std::move(*opened);
  }
  backup_maker maker(const fs::path& at) {
    return backup_maker(at, [this](const backup_state&) {
      ended.set_value();
      if (waits) let_end.wait();
    });
  }
};

TEST_CASE_METHOD(made_backups, "a back-up is made by its name or its path, directly below the root") {
  const std::string slash = GENERATE(as<std::string>{}, "", "/");
  const bool by_path = GENERATE(false, true);
  backup_maker backups = maker(root.path().string() + slash);
  backups.attach(*store);
  CHECK(backups.state().status == backup_status::none);
  const auto begun = backups.begin(by_path ? (root.path() / "monday").string() + slash : "monday");
  REQUIRE(begun);
  CHECK(begun->status == backup_status::running);
  CHECK(begun->folder == (root.path() / "monday").string());
  end.wait();
  backups.stop();
  const backup_state now = backups.state();
  CHECK(now.status == backup_status::made);
  CHECK(now.files > 0);
  CHECK(now.bytes > 0);
  CHECK(now.ended_at >= now.began_at);
  CHECK(fs::exists(root.path() / "monday" / storage::backup_manifest_name));
  CHECK(backups.stats().made == 1);
  CHECK(backups.stats().last_made.bytes == now.bytes);
}

TEST_CASE_METHOD(made_backups, "nothing is written anywhere else, and no name is taken for a path") {
  backup_maker backups = maker(root.path());
  backups.attach(*store);
  const std::string below = root.path().string();
  for (const std::string& to :
       {std::string(), std::string("/"), std::string("."), std::string(".."), std::string("../x"), std::string("a/b"),
        std::string(".hidden"), std::string("x.partial"), std::string("a b"), std::string("a\0b", 3),
        std::string(129, 'x'), std::string("/tmp/x"), below, below + "/", below + "/../x", below + "/a/b",
        below + "x/a", below + "//a"}) {
    CAPTURE(to);
    const auto begun = backups.begin(to);
    REQUIRE_FALSE(begun);
    CHECK(begun.error().which == problem::backup_refused);
    CHECK_THAT(begun.error().detail, Contains(below));
  }
  CHECK(fs::is_empty(root.path()));
  CHECK(backups.state().status == backup_status::none);
}

TEST_CASE_METHOD(made_backups, "without a root no back-up is made") {
  backup_maker backups = maker({});
  backups.attach(*store);
  const auto begun = backups.begin((root.path() / "a").string());
  REQUIRE_FALSE(begun);
  CHECK(begun.error().which == problem::backup_refused);
  CHECK_THAT(begun.error().detail, Contains("--backup-root"));
}

TEST_CASE_METHOD(made_backups, "one back-up is made at a time, and the next one after it") {
  waits = true;
  backup_maker backups = maker(root.path());
  backups.attach(*store);
  REQUIRE(backups.begin("a"));
  end.wait();
  const auto second = backups.begin("b");
  REQUIRE_FALSE(second);
  CHECK(second.error().which == problem::backup_running);
  CHECK(backups.stats().is_running);
  may_end.set_value();
  while (backups.stats().is_running) std::this_thread::yield();
  const auto again = backups.begin("a");
  REQUIRE_FALSE(again);
  CHECK_THAT(again.error().detail, Contains("exists"));
  ended = {};
  end = ended.get_future();
  REQUIRE(backups.begin("b"));
  end.wait();
  backups.stop();
  CHECK(backups.stats().made == 2);
  CHECK_FALSE(backups.begin("c"));  // it has stopped
}

TEST_CASE_METHOD(made_backups, "a back-up that fails is counted, with its reason") {
  backup_maker backups = maker(root.path() / "missing");
  backups.attach(*store);
  REQUIRE(backups.begin("a"));
  end.wait();
  backups.stop();
  CHECK(backups.state().status == backup_status::failed);
  CHECK_THAT(backups.state().reason, Contains("missing"));
  CHECK(backups.stats().failed == 1);
  CHECK(backups.stats().last_made.status == backup_status::none);
}

}  // namespace
}  // namespace ordem::app
