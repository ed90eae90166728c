// Back-ups of a store in use, and their check.
#include "storage/log/backup.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "storage/files/files.hpp"
#include "storage/folder/backup_manifest.hpp"
#include "tests/storage/capture_entries.hpp"
#include "tests/storage/error_matcher.hpp"
#include "tests/storage/file_size_limit.hpp"
#include "tests/storage/open_store_support.hpp"
#include "tests/storage/sync_calls.hpp"
#include "tests/storage/tampering.hpp"

namespace ordem::testing {
namespace {

namespace fs = std::filesystem;
using namespace storage;

// Returns the contents of all files, by their names relative to the folder.
std::map<std::string, std::string> contents_of(const fs::path& folder) {
  std::map<std::string, std::string> found;
  for (const auto& each : fs::recursive_directory_iterator(folder)) {
    if (each.is_regular_file()) found[each.path().lexically_relative(folder).string()] = read_file(each.path());
  }
  return found;
}

struct backups : open_store {
  temp_folder root;
  std::uint64_t number = 0;  // of the order that was created last
  backup_request request{root.path() / "copy", sample_time};

  // Creates so many orders, in groups, and changes each once.
  void write_orders(std::uint64_t count) {
    constexpr std::uint64_t group_orders = 16;
    while (count > 0) {
      std::vector<message_entry> group;
      for (std::uint64_t i = 0; i < group_orders && count > 0; ++i, --count) {
        for (auto& each : life_of(++number, 2)) group.push_back(std::move(each));
      }
      write(group);
    }
  }
  backup_summary made() {
    const auto result = try_to_make();
    if (!result) FAIL(result.error().message);
    return *result;
  }
  result<backup_summary> try_to_make() { return store->back_up(request); }
  error failure() {
    const auto result = try_to_make();
    REQUIRE_FALSE(result);
    return result.error();
  }

  result<verified_backup> verified() const {
    manual_clock fresh;
    return verify_backup(request.folder, fresh);
  }
  error check_failure() const {
    const auto result = verified();
    REQUIRE_FALSE(result);
    return result.error();
  }
  bool is_intact() const {
    const auto result = verified();
    if (!result) WARN(result.error().message);
    return result.has_value();
  }
  fs::path unfinished() const { return request.folder.string() + unfinished_backup_suffix; }
};

TEST_CASE_METHOD(backups, "a back-up has every entry up to its position, and is itself a data folder") {
  settings.durability = GENERATE(durability::fsync, durability::os);
  reopen();
  write_orders(300);
  write(std::vector<entry>{allocation_entry(*capture_key::parse("key1")),
                           record_entry(*capture_key::parse("key1"), "body")});
  const position last = store->last();
  const auto logged = replayed();
  const backup_summary summary = made();
  CHECK(summary.last == last);
  CHECK(summary.first == store->first());
  CHECK(summary.log_id == store->log_id());
  CHECK(summary.files == contents_of(request.folder).size() - 1);
  CHECK(summary.bytes_linked > 0);
  CHECK(summary.bytes_linked < summary.bytes);
  CHECK_FALSE(fs::exists(unfinished()));
  write_orders(10);

  const auto found = verified();
  REQUIRE(found);
  CHECK(found->summary.last == last);
  CHECK(found->summary.made_at == sample_time);
  CHECK(found->orders == 300);
  CHECK(found->versions == 600);
  CHECK(found->messages == 600);
  CHECK(found->captures == 1);

  manual_clock fresh;
  auto copied = settings;
  copied.folder = request.folder;
  const auto copy = opened(copied, fresh);
  CHECK(copy->last() == last);
  CHECK(copy->visible() == last);
  CHECK(copy->log_id() == summary.log_id);
  const auto read = copy->read_log({1}, 10'000);
  REQUIRE(read);
  REQUIRE(read->size() == logged.size());
  for (std::size_t i = 0; i < logged.size(); ++i) CHECK(is_logged_as(logged[i].what, (*read)[i].what));
}

TEST_CASE_METHOD(backups, "a back-up of an empty store is one, too") {
  CHECK(made().last == position{});
  const auto found = verified();
  REQUIRE(found);
  CHECK(found->orders == 0);
}

TEST_CASE_METHOD(backups, "what is written while a back-up is made is not in it, and what it needs is not deleted") {
  settings.log_entries_kept = 1;
  reopen();
  write_orders(300);
  const position last = store->last();
  std::size_t files = 0;
  request.on_file = [&](std::uint64_t) {
    if (++files <= 5) write_orders(200);
  };
  CHECK(made().last == last);
  CHECK(files > 5);
  CHECK(is_intact());
  const position held = store->first();
  write_orders(200);
  CHECK(store->first() > held);  // trimmed again
}

TEST_CASE_METHOD(backups, "neither folder changes with the other") {
  write_orders(300);
  made();
  REQUIRE(is_intact());
  write_orders(600);
  reopen();
  write_orders(100);
  CHECK(is_intact());

  store->close();
  store.reset();
  const auto before = contents_of(folder.path());
  {
    manual_clock fresh;
    auto copied = settings;
    copied.folder = request.folder;
    const auto copy = opened(copied, fresh);
    std::vector<message_entry> group;
    for (std::uint64_t i = 5000; i < 5600; ++i) {
      group.push_back(create_entry(i));
      if (group.size() < 50) continue;
      REQUIRE(copy->append(group_of(group)));
      REQUIRE(copy->sync());
      group.clear();
    }
    copy->close();
  }
  CHECK(contents_of(folder.path()) == before);
  CHECK_THAT(check_failure(), is_error(error_code::damaged, {"no back-up any more"}));
}

TEST_CASE_METHOD(backups, "only what never changes is a hard link") {
  write_orders(300);
  made();
  for (const auto& [name, content] : contents_of(request.folder)) {
    CAPTURE(name);
    const fs::path file = request.folder / name;
    if (!fs::exists(folder.path() / name)) continue;  // a compaction has removed the table file there
    const bool is_table = file.extension() == ".sst";
    const bool is_full_segment = file.extension() == ".seg" && file != segments_in(request.folder / "log").back();
    CHECK(fs::equivalent(file, folder.path() / name) == (is_table || is_full_segment));
  }
}

TEST_CASE_METHOD(backups, "a back-up is on the disk before it has its name") {
  write_orders(300);
  sync_calls calls;
  SECTION("every copy and every folder is synced") {
    made();
    for (const auto& [name, content] : contents_of(request.folder)) {
      CAPTURE(name);
      const fs::path file = request.folder / name;
      const bool is_table = file.extension() == ".sst";
      const bool is_segment = file.extension() == ".seg" && file != segments_in(request.folder / "log").back();
      if (is_table || is_segment || name == backup_manifest_name) continue;
      CHECK(calls.has(unfinished() / name));
    }
    CHECK(calls.has(unfinished().string() + "/" + backup_manifest_name + ".tmp"));
    for (const fs::path& each : {unfinished() / "log", unfinished() / "db", unfinished(), root.path()})
      CHECK(calls.has(each));
  }
  SECTION("one that cannot be synced fails") {
    calls.refuse(unfinished() / GENERATE(as<std::string>{}, "FORMAT", "log", "db/CURRENT", "BACKUP.tmp"));
    CHECK_THAT(failure(), is_error(error_code::io_error));
    CHECK(fs::is_empty(root.path()));
  }
}

TEST_CASE_METHOD(backups, "a folder that is there is refused, and left as it is") {
  write_orders(1);
  SECTION("with files") {
    write_file(request.folder / "note", "mine");
  }
  SECTION("empty") {
    fs::create_directory(request.folder);
  }
  SECTION("a file") {
    write_file(request.folder, "mine");
  }
  SECTION("a link to nothing") {
    fs::create_symlink("nowhere", request.folder);
  }
  CHECK_THAT(failure(), is_error(error_code::invalid_argument, {request.folder.string()}));
  CHECK(fs::exists(fs::symlink_status(request.folder)));
  CHECK_FALSE(fs::exists(unfinished()));
}

TEST_CASE_METHOD(backups, "a back-up whose parent is missing fails") {
  request.folder = root.path() / "missing" / "copy";
  CHECK_THAT(failure(), is_error(error_code::io_error, {"missing"}));
}

TEST_CASE_METHOD(backups, "what a back-up that was cut off has left is removed by the next one of its name") {
  write_orders(100);
  write_file(unfinished() / "log" / "00000000000000000001.seg", "cut off");
  write_file(unfinished() / "other", "cut off");
  made();
  CHECK(is_intact());
  CHECK_FALSE(fs::exists(unfinished()));
}

TEST_CASE_METHOD(backups, "what another server is making under the same name is left alone") {
  write_orders(1);
  write_file(unfinished() / "log" / "00000000000000000001.seg", "not yet complete");
  const auto other = open_file::open(unfinished(), O_RDONLY | O_DIRECTORY);
  REQUIRE(other);
  REQUIRE(::flock(other->descriptor(), LOCK_EX | LOCK_NB) == 0);
  CHECK_THAT(failure(), is_error(error_code::io_error, {unfinished().string(), "another server"}));
  CHECK(fs::exists(unfinished() / "log" / "00000000000000000001.seg"));
}

TEST_CASE_METHOD(backups, "only the user of the server can read a back-up") {
  write_orders(1);
  made();
  CHECK(fs::status(request.folder).permissions() == fs::perms::owner_all);
}

TEST_CASE_METHOD(backups, "a back-up that fails leaves nothing, and the store goes on") {
  write_orders(300);
  SECTION("it is cancelled") {
    int asked = 0;
    request.is_cancelled = [&] { return ++asked > 3; };
    CHECK_THAT(failure(), is_error(error_code::incomplete, {"cut off"}));
  }
  SECTION("the disk is full") {
    const file_size_limit full(100);
    CHECK_THAT(failure(), is_error(error_code::io_error, {"File too large"}));
  }
  CHECK(fs::is_empty(root.path()));
  request.is_cancelled = [] { return false; };
  write_orders(100);
  made();
  CHECK(is_intact());
}

TEST_CASE_METHOD(backups, "on another file system every file is a copy") {
  struct stat here{};
  struct stat there{};
  const fs::path other = "/dev/shm";
  REQUIRE(::stat(root.path().c_str(), &here) == 0);
  if (::stat(other.c_str(), &there) != 0 || here.st_dev == there.st_dev) {
    WARN("/dev/shm is no other file system than that of temporary files");
    return;
  }
  request.folder = other / root.path().filename();
  write_orders(300);
  const auto summary = made();
  CHECK(summary.bytes_linked == 0);
  CHECK(is_intact());
  for (const auto& [name, content] : contents_of(request.folder))
    CHECK(fs::hard_link_count(request.folder / name) == 1);
  fs::remove_all(request.folder);
}

TEST_CASE_METHOD(backups, "a flipped bit anywhere is found, with the name of the file", "[damage]") {
  write_orders(60);
  made();
  for (const auto& [name, content] : contents_of(request.folder)) {
    if (content.empty()) continue;
    for (const std::size_t at : {std::size_t{0}, content.size() / 2, content.size() - 1}) {
      CAPTURE(name, at);
      const fs::path file = request.folder / name;
      // A new file, since the data folder may share the old one.
      const auto put = [&](const std::string& text) {
        fs::remove(file);
        write_file(file, text);
      };
      std::string changed = content;
      changed[at] = static_cast<char>(changed[at] ^ 1);
      put(changed);
      CHECK_THAT(check_failure(), is_error(error_code::damaged, {name}));
      put(content);
    }
  }
  CHECK(is_intact());
}

TEST_CASE_METHOD(backups, "a file that is missing, cut short or too many is found") {
  write_orders(300);
  made();
  const fs::path last_segment = segments_in(request.folder / "log").back();
  SECTION("missing") {
    fs::remove(last_segment);
  }
  SECTION("cut short") {
    fs::resize_file(last_segment, fs::file_size(last_segment) - 1);
  }
  SECTION("longer") {
    fs::resize_file(last_segment, fs::file_size(last_segment) + 1);
  }
  CHECK_THAT(check_failure(), is_error(error_code::damaged, {last_segment.filename().string()}));
}

TEST_CASE_METHOD(backups, "a folder that is no back-up, or has another file, is refused") {
  write_orders(10);
  SECTION("a file of no back-up") {
    made();
    write_file(request.folder / "db" / "999999.sst", "x");
    CHECK_THAT(check_failure(), is_error(error_code::damaged, {"db/999999.sst"}));
  }
  SECTION("no manifest") {
    made();
    fs::remove(request.folder / backup_manifest_name);
    CHECK_THAT(check_failure(), is_error(error_code::not_found, {"no manifest"}));
  }
  SECTION("no folder") {
    CHECK_THAT(check_failure(), is_error(error_code::not_found, {"no manifest"}));
  }
}

// The hashes are right, so only the comparison of log and view can find it. The start of a store compares the last 4096
// entries alone.
TEST_CASE_METHOD(backups, "a version that the view lacks is found where its entry is in the log") {
  write_orders(2200);
  store->close();
  reopen();
  made();
  store->close();
  store.reset();
  temp_folder other;
  fs::remove(other.path());
  fs::copy(request.folder, other.path(), fs::copy_options::recursive);
  request.folder = other.path();
  tamper(other.path(), [](rocksdb::DB& db, const auto& handle) {
    std::unique_ptr<rocksdb::Iterator> at(db.NewIterator({}, handle(family::versions)));
    at->SeekToFirst();
    REQUIRE(at->Valid());
    REQUIRE(db.Delete({}, handle(family::versions), at->key()).ok());
    REQUIRE(db.Flush({}, handle(family::versions)).ok());
  });
  auto manifest = decode_backup_manifest(read_file(other.path() / backup_manifest_name));
  REQUIRE(manifest);
  manifest->files.clear();
  for (const auto& [name, content] : contents_of(other.path())) {
    if (name == backup_manifest_name) continue;
    content_hash hash;
    hash.add(content);
    manifest->files.push_back({name, content.size(), hash.digits()});
  }
  write_file(other.path() / backup_manifest_name, encode(*manifest));
  CHECK_THAT(check_failure(), is_error(error_code::damaged, {"position 1"}));
}

TEST_CASE("the manifest of a back-up is read as it was written") {
  backup_manifest written;
  written.data_format = 5;
  written.summary = {"0198-\"\\", sample_time, {3}, {17}, 2, 30, 0};
  written.files = {{"FORMAT", 10, "00ff"}, {"log/\u00fc", 20, "11"}};
  const std::string text = encode(written);
  const auto read = decode_backup_manifest(text);
  REQUIRE(read);
  CHECK(read->data_format == 5);
  CHECK(read->summary.log_id == written.summary.log_id);
  CHECK(read->summary.made_at == sample_time);
  CHECK(read->summary.first == position{3});
  CHECK(read->summary.last == position{17});
  CHECK(read->summary.files == 2);
  CHECK(read->summary.bytes == 30);
  CHECK(read->files[1].name == "log/\u00fc");
  for (std::size_t i = 0; i < text.size(); ++i) {
    CAPTURE(i);
    std::string changed = text;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    CHECK_FALSE(decode_backup_manifest(changed));
    CHECK_FALSE(decode_backup_manifest(std::string_view(text).substr(0, i)));
  }
}

TEST_CASE("the hash of a back-up's files is the one that xxh128sum prints") {
  content_hash hash;
  CHECK(hash.digits() == "99aa06d3014798d86001c324468d497f");  // of no bytes
  content_hash in_parts;
  content_hash whole;
  in_parts.add("some ");
  in_parts.add("bytes");
  whole.add("some bytes");
  CHECK(in_parts.digits() == whole.digits());
  CHECK(whole.digits() != hash.digits());
}

}  // namespace
}  // namespace ordem::testing
