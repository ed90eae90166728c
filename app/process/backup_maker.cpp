#include "app/process/backup_maker.hpp"

#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <system_error>
#include <utility>

#include "app/process/system_clock.hpp"

namespace ordem::app {
namespace {

namespace fs = std::filesystem;
using codec::problem;
using http_edge::backup_refusal;
using http_edge::backup_state;
using http_edge::backup_status;

// Of the thread that reads all of the data: requests come first.
constexpr int niceness = 10;

tl::unexpected<backup_refusal> refuse(std::string detail) {
  return tl::make_unexpected(backup_refusal{problem::backup_refused, std::move(detail)});
}

// Without a slash at its end, unless it is the root of the file system.
fs::path normal(const fs::path& root) {
  const fs::path path = root.lexically_normal();
  return path.has_filename() ? path : path.parent_path();
}

bool is_name(std::string_view text) {
  const auto is_allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
           c == '-';
  };
  return !text.empty() && text.size() <= backup_name_bytes_max && text.front() != '.' &&
         std::all_of(text.begin(), text.end(), is_allowed) && !text.ends_with(storage::unfinished_backup_suffix);
}

}  // namespace

backup_maker::backup_maker(const fs::path& root, std::function<void(const backup_state&)> on_end)
    : root_(normal(root)), on_end_(std::move(on_end)) {}

void backup_maker::attach(storage::store& of) {
  const std::lock_guard lock(mutex_);
  store_ = &of;
}

void backup_maker::stop() {
  stopping_ = true;
  std::thread last;
  {
    const std::lock_guard lock(mutex_);
    last = std::move(thread_);
  }
  if (last.joinable()) last.join();
}

// A name, or the path of a folder directly below the root; so no link in a path leads elsewhere.
tl::expected<fs::path, backup_refusal> backup_maker::folder_of(std::string_view to) const {
  if (root_.empty()) return refuse("the server was started without --backup-root, so it makes no back-ups");
  std::string_view name = to;
  const std::string prefix = root_ == root_.root_path() ? root_.string() : root_.string() + "/";
  if (to.starts_with(prefix)) name.remove_prefix(prefix.size());
  if (name.ends_with('/') && name.size() > 1) name.remove_suffix(1);
  if (is_name(name)) return root_ / name;
  return refuse(
      "the folder must be directly below " + root_.string() +
      ", the server's --backup-root, with a name of 1 to 128 characters of A-Z a-z 0-9 . _ -, without . at its "
      "beginning or " +
      storage::unfinished_backup_suffix + " at its end");
}

tl::expected<backup_state, backup_refusal> backup_maker::begin(std::string_view to) {
  auto folder = folder_of(to);
  if (!folder) return tl::make_unexpected(std::move(folder.error()));
  const std::lock_guard lock(mutex_);
  if (stopping_ || store_ == nullptr) {
    return tl::make_unexpected(backup_refusal{problem::draining, "the server is shutting down; no back-up was begun"});
  }
  if (state_.status == backup_status::running) {
    return tl::make_unexpected(backup_refusal{problem::backup_running, "one is being made already"});
  }
  std::error_code ignored;
  if (fs::exists(fs::symlink_status(*folder, ignored))) {
    return refuse(folder->string() + " exists; a back-up makes its folder");
  }
  if (thread_.joinable()) thread_.join();  // it has ended
  const timestamp now = system_time();
  try {
    thread_ = std::thread([this, where = *folder, now] { make(where, now); });
  } catch (const std::system_error& error) {
    return refuse(std::string("no thread for it can be started: ") + error.what());
  }
  // The thread waits for the mutex before it changes the state.
  state_ = {};
  state_.status = backup_status::running;
  state_.folder = folder->string();
  state_.began_at = now;
  pthread_setname_np(thread_.native_handle(), "ordem-backup");
  return state_;
}

void backup_maker::make(const fs::path& folder, timestamp began_at) {
  ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), niceness);  // Linux: of this thread alone
  const auto began = std::chrono::steady_clock::now();
  const auto is_late = [began] { return std::chrono::steady_clock::now() > began + backup_time_max; };
  storage::backup_request request{folder, began_at};
  request.is_cancelled = [&] { return stopping_ || is_late(); };
  request.on_file = [this](std::uint64_t bytes) {
    const std::lock_guard lock(mutex_);
    ++state_.files;
    state_.bytes += bytes;
  };
  const auto made = store_->back_up(request);
  backup_state ended = state();
  ended.ended_at = system_time();
  if (made) {
    ended.status = backup_status::made;
    ended.files = made->files;
    ended.bytes = made->bytes;
    ended.bytes_linked = made->bytes_linked;
    ended.last = made->last;
  } else {
    ended.status = backup_status::failed;
    ended.reason = made.error().message;
    if (stopping_) {
      ended.reason += ": the server is shutting down";
    } else if (is_late()) {
      ended.reason += ": it took longer than 6 hours";
    }
  }
  on_end_(ended);
  const std::lock_guard lock(mutex_);
  state_ = ended;
  if (!made) {
    ++stats_.failed;
    return;
  }
  ++stats_.made;
  stats_.last_made = std::move(ended);
  stats_.took = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - began);
}

backup_state backup_maker::state() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

backup_stats backup_maker::stats() const {
  const std::lock_guard lock(mutex_);
  backup_stats now = stats_;
  now.is_running = state_.status == backup_status::running;
  return now;
}

}  // namespace ordem::app
