#include "app/process/reload_list.hpp"

#include <utility>

namespace ordem::app {

void reload_list::add(reloadable what) {
  file_watch files(what.files);
  watched_.push_back({std::move(what), std::move(files)});
}

std::vector<reload_result> reload_list::reload_all() {
  std::vector<reload_result> results;
  results.reserve(watched_.size());
  for (watched& each : watched_) results.push_back(reload(each));
  return results;
}

std::vector<reload_result> reload_list::reload_changed() {
  std::vector<reload_result> results;
  for (watched& each : watched_) {
    if (each.files.has_settled_change()) results.push_back(reload(each));
  }
  return results;
}

reload_result reload_list::reload(watched& which) {
  which.files.mark_read();
  const auto done = which.what.reload();
  return {which.what.name, done ? std::string() : done.error()};
}

}  // namespace ordem::app
