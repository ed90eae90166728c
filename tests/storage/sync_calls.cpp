#include "tests/storage/sync_calls.hpp"

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <mutex>
#include <system_error>
#include <utility>
#include <vector>

namespace {

struct {
  std::mutex mutex;
  bool recording = false;
  std::vector<std::string> paths;
  std::function<bool(const std::string&)> refused;
  ordem::testing::sync_calls::watcher watcher;
} calls;

// Returns the path of a sync that is to be recorded, and whether it is refused.
std::pair<std::string, bool> record(int file) {
  std::error_code ignored;
  std::string path = std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(file), ignored).string();
  calls.paths.push_back(path);
  const bool refused = calls.refused && calls.refused(path);
  return {std::move(path), refused};
}

int sync_file(int file, long system_call) {
  std::function<void()> after;
  {
    std::unique_lock lock(calls.mutex);
    if (calls.recording) {
      const auto [path, refused] = record(file);
      const auto watcher = calls.watcher;
      lock.unlock();
      if (refused) {
        errno = EIO;
        return -1;
      }
      if (watcher) after = watcher(path);
    }
  }
  const int result = static_cast<int>(::syscall(system_call, file));
  if (result == 0 && after) after();
  return result;
}

}  // namespace

// Replace the functions of the C library, in this program and its libraries.
extern "C" int fsync(int file) {
  return sync_file(file, SYS_fsync);
}
extern "C" int fdatasync(int file) {
  return sync_file(file, SYS_fdatasync);
}

namespace ordem::testing {

sync_calls::sync_calls() {
  const std::lock_guard lock(calls.mutex);
  calls.recording = true;
  calls.paths.clear();
  calls.refused = nullptr;
  calls.watcher = nullptr;
}
sync_calls::~sync_calls() {
  const std::lock_guard lock(calls.mutex);
  calls.recording = false;
}

bool sync_calls::has(const std::filesystem::path& path) const {
  const std::lock_guard lock(calls.mutex);
  return std::find(calls.paths.begin(), calls.paths.end(), path.string()) != calls.paths.end();
}

void sync_calls::refuse(std::function<bool(const std::string&)> which) {
  const std::lock_guard lock(calls.mutex);
  calls.refused = std::move(which);
}
void sync_calls::watch(watcher before) {
  const std::lock_guard lock(calls.mutex);
  calls.watcher = std::move(before);
}
void sync_calls::refuse(const std::filesystem::path& path) {
  refuse([text = path.string()](const std::string& each) { return each == text; });
}

}  // namespace ordem::testing
