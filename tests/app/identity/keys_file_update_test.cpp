#include "app/identity/keys_file_update.hpp"

#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>
#include <vector>

#include "app/identity/text_file.hpp"
#include "tests/support_cpp/temp_folder.hpp"

namespace ordem::app {
namespace {

namespace fs = std::filesystem;

std::string text_of(const fs::path& path) {
  std::ifstream in(path);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

mode_t mode_of(const fs::path& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) throw std::runtime_error("no file");
  return status.st_mode & 07777U;
}

tl::expected<void, std::string> append(const fs::path& path, const std::string& more,
                                       missing_file missing = missing_file::is_created) {
  return update_keys_file(path, missing,
                          [&](const std::string& text) { return tl::expected<std::string, std::string>(text + more); });
}

TEST_CASE("a keys file that does not exist is made for its owner alone") {
  const testing::temp_folder folder;
  const fs::path path = folder.path() / "keys";
  REQUIRE(append(path, "a"));
  CHECK(text_of(path) == "a");
  CHECK(mode_of(path) == 0600);
  CHECK(std::distance(fs::directory_iterator(folder.path()), {}) == 1);
}

TEST_CASE("a keys file keeps its mode") {
  const testing::temp_folder folder;
  const fs::path path = folder.path() / "keys";
  std::ofstream(path) << "a";
  fs::permissions(path, fs::perms(0640));
  REQUIRE(append(path, "b"));
  CHECK(text_of(path) == "ab");
  CHECK(mode_of(path) == 0640);
}

TEST_CASE("a link to a keys file stays a link") {
  const testing::temp_folder folder;
  fs::create_directory(folder.path() / "real");
  std::ofstream(folder.path() / "real" / "keys") << "a";
  fs::create_symlink("real/keys", folder.path() / "keys");
  REQUIRE(append(folder.path() / "keys", "b"));
  CHECK(fs::is_symlink(folder.path() / "keys"));
  CHECK(text_of(folder.path() / "real" / "keys") == "ab");
}

TEST_CASE("an update that fails leaves the file, and nothing else") {
  const testing::temp_folder folder;
  const fs::path path = folder.path() / "keys";
  CHECK_FALSE(append(path, "a", missing_file::is_an_error));
  CHECK_FALSE(fs::exists(path));
  std::ofstream(path) << "a";
  const auto failed = update_keys_file(
      path, missing_file::is_an_error,
      [](const std::string&) -> tl::expected<std::string, std::string> { return tl::make_unexpected("no"); });
  REQUIRE_FALSE(failed);
  CHECK(failed.error() == "no");
  CHECK(text_of(path) == "a");
  CHECK(std::distance(fs::directory_iterator(folder.path()), {}) == 1);
  CHECK_FALSE(append(folder.path() / "nowhere" / "keys", "a"));
}

TEST_CASE("updates at the same time are all made") {
  const testing::temp_folder folder;
  const fs::path path = folder.path() / "keys";
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&path] {
      for (int j = 0; j < 10; ++j) static_cast<void>(append(path, "x"));
    });
  }
  for (std::thread& each : threads) each.join();
  CHECK(text_of(path) == std::string(40, 'x'));
}

TEST_CASE("a text file is read up to its bound") {
  const testing::temp_folder folder;
  const std::string path = (folder.path() / "file").string();
  CHECK_FALSE(read_text_file(path, 10).has_value());
  std::ofstream(path) << "0123456789";
  const auto read = read_text_file(path, 10);
  REQUIRE(read.has_value());
  CHECK(read->text == "0123456789");
  CHECK_THAT(read_text_file(path, 9).error(), Catch::Contains(path) && Catch::Contains("larger"));
}

TEST_CASE("a text file must be a regular file, and a pipe does not block") {
  const testing::temp_folder folder;
  const std::string pipe = (folder.path() / "pipe").string();
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  CHECK_THAT(read_text_file(pipe, 10).error(), Catch::Contains("is not a regular file"));
  CHECK_THAT(read_text_file("/dev/zero", 10).error(), Catch::Contains("is not a regular file"));
  CHECK_FALSE(read_text_file(folder.path().string(), 10).has_value());
}

}  // namespace
}  // namespace ordem::app
