// What the server reads again while it runs, because a file has changed or on SIGHUP: certificates, keys. Owned by the
// command `serve`, and called by its main thread only.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <tl/expected.hpp>
#include <vector>

namespace ordem::app {

struct reloadable {
  std::string name;  // for the log
  std::vector<std::filesystem::path> files;
  // Reads the files again. Returns the reason if they can't be used; what was in use then stays in use.
  std::function<tl::expected<void, std::string>()> reload;
};

struct reload_result {
  std::string name;
  std::string error;  // empty if the reload worked
};

class reload_list {
 public:
  // REQUIRES: called before the files are read for the first time, so that no change goes unnoticed.
  void add(reloadable what);

  // Reloads everything.
  std::vector<reload_result> reload_all();
  // Reloads what has a changed file, once no file of it has changed since the call before: files that belong together
  // are often written one after the other. A reload that fails is not tried again before the next change. Call it at
  // intervals of about a second.
  std::vector<reload_result> reload_changed();

 private:
  // The state of a file, after all symbolic links; all zero if it does not exist.
  struct file_state {
    dev_t device = 0;
    ino_t inode = 0;
    off_t size = 0;
    std::int64_t modified_ns = 0;
    friend bool operator==(const file_state&, const file_state&) = default;
  };
  using file_states = std::vector<file_state>;
  struct watched {
    reloadable what;
    file_states read;  // when the files were last read
    file_states seen;  // at the last call of reload_changed()
  };

  static file_state state_of(const std::filesystem::path& file);
  static file_states states_of(const reloadable& what);
  static reload_result reload(watched& which, file_states&& now);

  std::vector<watched> watched_;
};

}  // namespace ordem::app
