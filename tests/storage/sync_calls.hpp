// The syncs of this process: which files were synced, and which sync fails. The functions of the C library are replaced
// in the whole test program (sync_calls.cpp).
#pragma once

#include <filesystem>
#include <functional>
#include <string>

namespace ordem::testing {

// While this object exists, calls of fsync and fdatasync are recorded. One at a time.
class sync_calls {
 public:
  sync_calls();
  ~sync_calls();
  sync_calls(const sync_calls&) = delete;
  sync_calls& operator=(const sync_calls&) = delete;

  bool has(const std::filesystem::path& path) const;
  // Makes the syncs of these paths fail with EIO from now on.
  void refuse(std::function<bool(const std::string& path)> which);
  void refuse(const std::filesystem::path& path);
  void refuse_nothing() {
    refuse([](const std::string&) { return false; });
  }

  // Calls `before` with the path before each sync, and the function that it returns after the sync if that succeeded.
  // By the thread that syncs.
  using watcher = std::function<std::function<void()>(const std::filesystem::path&)>;
  void watch(watcher before);
};

}  // namespace ordem::testing
