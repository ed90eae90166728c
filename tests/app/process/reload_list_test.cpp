#include "app/process/reload_list.hpp"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <string>

#include "tests/app/support.hpp"

namespace ordem::app {
namespace {

using testing::settings_file;

// Replaces a file, as a tool that writes it in one step does: its inode changes, whatever the clock's resolution.
void replace(const std::string& file, const std::string& text) {
  const std::string other = file + ".new";
  std::ofstream(other) << text;
  std::filesystem::rename(other, file);
}

struct reload_list_test {
  settings_file certificate{"a"};
  settings_file key{"b"};
  int reloads = 0;
  std::string failure;
  reload_list list;

  reload_list_test() {
    list.add({"certificate", {certificate.path(), key.path()}, [this]() -> tl::expected<void, std::string> {
                ++reloads;
                if (!failure.empty()) return tl::make_unexpected(failure);
                return {};
              }});
  }
};

TEST_CASE_METHOD(reload_list_test, "a file that does not change is not read again") {
  for (int i = 0; i < 3; ++i) CHECK(list.reload_changed().empty());
  CHECK(reloads == 0);
}

TEST_CASE_METHOD(reload_list_test, "a changed file is read again, once") {
  replace(certificate.path(), "A");
  CHECK(list.reload_changed().empty());  // it may be changing still
  const auto results = list.reload_changed();
  REQUIRE(results.size() == 1);
  CHECK(results[0].name == "certificate");
  CHECK(results[0].error.empty());
  CHECK(list.reload_changed().empty());
  CHECK(reloads == 1);
}

TEST_CASE_METHOD(reload_list_test, "files that change one after the other are read together") {
  replace(certificate.path(), "A");
  CHECK(list.reload_changed().empty());
  replace(key.path(), "B");
  CHECK(list.reload_changed().empty());
  CHECK(list.reload_changed().size() == 1);
  CHECK(list.reload_changed().empty());
}

TEST_CASE_METHOD(reload_list_test, "a file that cannot be used is reported once, and read again when it changes") {
  failure = "it is broken";
  replace(key.path(), "?");
  list.reload_changed();
  const auto results = list.reload_changed();
  REQUIRE(results.size() == 1);
  CHECK(results[0].error == failure);
  CHECK(list.reload_changed().empty());

  failure.clear();
  replace(key.path(), "B");
  list.reload_changed();
  CHECK(list.reload_changed().size() == 1);
  CHECK(reloads == 2);
}

TEST_CASE_METHOD(reload_list_test, "a file that is removed and comes back counts as changed") {
  std::filesystem::remove(key.path());
  list.reload_changed();
  CHECK(list.reload_changed().size() == 1);
  replace(key.path(), "b");
  list.reload_changed();
  CHECK(list.reload_changed().size() == 1);
}

TEST_CASE_METHOD(reload_list_test, "a reload of everything reads what has not changed, too") {
  CHECK(list.reload_all().size() == 1);
  replace(key.path(), "B");
  CHECK(list.reload_all().size() == 1);
  CHECK(list.reload_changed().empty());
  CHECK(reloads == 2);
}

TEST_CASE("a file that is replaced by one of the same size and time has changed") {
  const settings_file file("0123456789");
  file_watch changes({file.path()});
  CHECK_FALSE(changes.has_changed());
  const std::string other = file.path() + ".other";
  std::ofstream(other) << "9876543210";
  std::filesystem::last_write_time(other, std::filesystem::last_write_time(file.path()));
  std::filesystem::rename(other, file.path());
  CHECK(changes.has_changed());
  CHECK_FALSE(changes.has_settled_change());  // it has changed since the call before
  CHECK(changes.has_settled_change());
  changes.mark_read();
  CHECK_FALSE(changes.has_changed());
  std::filesystem::remove(file.path());
  CHECK(changes.has_changed());
}

TEST_CASE("without files nothing changes") {
  file_watch none;
  CHECK_FALSE(none.has_changed());
  CHECK_FALSE(none.has_settled_change());
}

}  // namespace
}  // namespace ordem::app
