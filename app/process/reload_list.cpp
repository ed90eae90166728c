#include "app/process/reload_list.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace ordem::app {

void reload_list::add(reloadable what) {
  file_states now = states_of(what);
  watched_.push_back({std::move(what), now, now});
}

std::vector<reload_result> reload_list::reload_all() {
  std::vector<reload_result> results;
  results.reserve(watched_.size());
  for (watched& each : watched_) results.push_back(reload(each, states_of(each.what)));
  return results;
}

std::vector<reload_result> reload_list::reload_changed() {
  std::vector<reload_result> results;
  for (watched& each : watched_) {
    file_states now = states_of(each.what);
    const bool settled = now == each.seen;
    if (settled && now != each.read) {
      results.push_back(reload(each, std::move(now)));
    } else {
      each.seen = std::move(now);
    }
  }
  return results;
}

reload_list::file_state reload_list::state_of(const std::filesystem::path& file) {
  struct stat found{};
  if (::stat(file.c_str(), &found) != 0) return {};
  constexpr std::int64_t ns_per_s = 1'000'000'000;
  return {found.st_dev, found.st_ino, found.st_size, found.st_mtim.tv_sec * ns_per_s + found.st_mtim.tv_nsec};
}

reload_list::file_states reload_list::states_of(const reloadable& what) {
  file_states states;
  std::transform(what.files.begin(), what.files.end(), std::back_inserter(states), state_of);
  return states;
}

reload_result reload_list::reload(watched& which, file_states&& now) {
  which.read = now;
  which.seen = std::move(now);
  const auto done = which.what.reload();
  return {which.what.name, done ? std::string() : done.error()};
}

}  // namespace ordem::app
