// Where the server's identities come from: reads the keys file and the key set into the directory of auth/, at the
// start, when they change, and when it is told to. A key set that is a URL is fetched.
#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <tl/expected.hpp>

#include "app/observability/logger.hpp"
#include "app/process/file_watch.hpp"
#include "app/settings/settings.hpp"
#include "auth/authenticator.hpp"
#include "auth/directory.hpp"

namespace ordem::app {

// load() and watch() are called once, by one thread; the other functions by any thread.
class identity_source {
 public:
  // REQUIRES: the logger outlives it.
  identity_source(identity_settings settings, logger& log);
  // Ends the thread; a fetch is cut off.
  ~identity_source();
  identity_source(const identity_source&) = delete;
  identity_source& operator=(const identity_source&) = delete;

  // Reads the files. Returns an error message if one of them cannot be read or has an error. Logs a warning if others
  // than the owner and the group may read a keys file that names someone. A URL is left to watch(): the server starts
  // without its issuer, and refuses tokens until the key set is there.
  tl::expected<void, std::string> load();

  // Starts the thread that looks every second whether a file has changed, and fetches the key set: at once, every 15
  // minutes, and when a token of an unknown key has come, but not twice within 30 s. After a failure the identities
  // stay as they were, and the log says why. Without files and URL there is no thread.
  void watch();

  // Reads both again now, a URL in the thread. For SIGHUP. Logs the result.
  void reload();

  // REQUIRES: this outlives the authenticator.
  std::unique_ptr<auth::authenticator> make_authenticator() { return directory_.make_authenticator(); }

 private:
  // One of the two files.
  struct watched_file {
    std::string path;  // empty: none
    file_watch changes;
  };

  tl::expected<void, std::string> read_keys();
  tl::expected<void, std::string> read_key_set();
  void report(const tl::expected<void, std::string>& read);
  void run(const std::stop_token& stop);
  void reread_changed();
  void fetch_if_due(const std::stop_token& stop);
  bool has_url() const noexcept { return is_url(settings_.key_set); }

  const identity_settings settings_;
  logger& log_;
  auth::directory directory_;

  std::mutex files_mutex_;  // guards the two
  watched_file keys_;
  watched_file key_set_;

  // Used by the thread alone.
  std::optional<std::chrono::steady_clock::time_point> fetched_at_;  // the last try
  bool fetch_failed_ = false;
  std::string fetched_text_;  // of the last key set, so that only a change is logged

  std::mutex wake_mutex_;  // guards fetch_now_
  std::condition_variable_any wake_;
  bool fetch_now_ = false;
  std::jthread thread_;
};

}  // namespace ordem::app
