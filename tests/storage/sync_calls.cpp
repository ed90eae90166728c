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
} calls;

int sync_file(int file, long system_call) {
  {
    const std::lock_guard lock(calls.mutex);
    if (calls.recording) {
      std::error_code ignored;
      const std::string path = std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(file), ignored).string();
      calls.paths.push_back(path);
      if (calls.refused && calls.refused(path)) {
        errno = EIO;
        return -1;
      }
    }
  }
  return static_cast<int>(::syscall(system_call, file));
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
void sync_calls::refuse(const std::filesystem::path& path) {
  refuse([text = path.string()](const std::string& each) { return each == text; });
}

}  // namespace ordem::testing
