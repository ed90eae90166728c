// What the server reads again while it runs, because a file has changed or on SIGHUP: certificates, keys. Owned by the
// command `serve`, and called by its main thread only.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "app/process/file_watch.hpp"

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
  struct watched {
    reloadable what;
    file_watch files;
  };

  static reload_result reload(watched& which);

  std::vector<watched> watched_;
};

}  // namespace ordem::app
