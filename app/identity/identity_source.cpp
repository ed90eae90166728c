#include "app/identity/identity_source.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <utility>

#include "app/identity/text_file.hpp"
#include "auth/keys/keys_file.hpp"
#include "auth/tokens/key_set.hpp"
#include "http-edge/client/https_client.hpp"

namespace ordem::app {
namespace {

using std::chrono::steady_clock;

// How soon a change of a file is noticed.
constexpr auto poll_interval = std::chrono::seconds(1);
// How long a key that its issuer has removed is taken at most.
constexpr auto key_set_age_max = std::chrono::minutes(15);
constexpr auto fetch_retry_interval = std::chrono::seconds(30);
constexpr auto fetch_time_max = std::chrono::seconds(10);

auth::directory_settings directory_settings_of(const identity_settings& values) {
  auth::directory_settings settings;
  settings.tokens = values.tokens;
  settings.key_set_interval = fetch_retry_interval;
  return settings;
}

std::int64_t signed_of(std::size_t count) {
  return static_cast<std::int64_t>(count);
}

}  // namespace

identity_source::identity_source(identity_settings settings, logger& log)
    : settings_(std::move(settings)), log_(log), directory_(directory_settings_of(settings_)) {
  const auto watch = [](watched_file& file, const std::string& path) {
    if (!path.empty()) file = {path, file_watch({path})};
  };
  watch(keys_, settings_.keys_file);
  if (!has_url()) watch(key_set_, settings_.key_set);
}

identity_source::~identity_source() = default;

tl::expected<void, std::string> identity_source::load() {
  const std::lock_guard lock(files_mutex_);
  if (auto read = read_keys(); !read) return read;
  return read_key_set();
}

void identity_source::watch() {
  if (!settings_.any()) return;
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void identity_source::reload() {
  {
    const std::lock_guard lock(files_mutex_);
    report(read_keys());
    report(read_key_set());
  }
  const std::lock_guard lock(wake_mutex_);
  fetch_now_ = true;
  wake_.notify_one();
}

// --- the files ---

// REQUIRES: files_mutex_ is held; for the next one too.
tl::expected<void, std::string> identity_source::read_keys() {
  if (keys_.path.empty()) return {};
  keys_.changes.mark_read();
  const auto file = read_text_file(keys_.path, auth::keys_file_bytes_max);
  if (!file) return tl::make_unexpected("the keys file: " + file.error());
  const auto count = directory_.replace_keys(file->text);
  const bool has_secrets = !count || *count > 0;
  if ((file->mode & S_IROTH) != 0 && has_secrets) {
    log_.warning("others may read the keys file; make its mode 0640 or less", {{"file", keys_.path}});
  }
  if (!count) return tl::make_unexpected(fmt::format("the keys file '{}': {}", keys_.path, count.error()));
  log_.info("read the keys file", {{"file", keys_.path}, {"identities", signed_of(*count)}});
  return {};
}

tl::expected<void, std::string> identity_source::read_key_set() {
  if (key_set_.path.empty()) return {};
  key_set_.changes.mark_read();
  const auto file = read_text_file(key_set_.path, auth::key_set_bytes_max);
  if (!file) return tl::make_unexpected("the key set: " + file.error());
  const auto summary = directory_.replace_key_set(file->text);
  if (!summary) return tl::make_unexpected(fmt::format("the key set '{}' {}", key_set_.path, summary.error()));
  for (const std::string& each : summary->left_out)
    log_.warning("a key of the key set is not used", {{"reason", each}});
  log_.info("read the key set", {{"file", key_set_.path}, {"keys", signed_of(summary->keys)}});
  return {};
}

void identity_source::report(const tl::expected<void, std::string>& read) {
  if (!read) log_.error("identities stay as they were", {{"reason", read.error()}});
}

void identity_source::reread_changed() {
  const std::lock_guard lock(files_mutex_);
  if (keys_.changes.has_changed()) report(read_keys());
  if (key_set_.changes.has_changed()) report(read_key_set());
}

// --- the thread ---

void identity_source::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    reread_changed();
    fetch_if_due(stop);
    std::unique_lock lock(wake_mutex_);
    wake_.wait_for(lock, stop, poll_interval, [this] { return fetch_now_; });
  }
}

void identity_source::fetch_if_due(const std::stop_token& stop) {
  bool is_due = false;
  {
    const std::lock_guard lock(wake_mutex_);
    is_due = std::exchange(fetch_now_, false);
  }
  if (!has_url()) return;
  const auto now = steady_clock::now();
  const auto age_max =
      fetch_failed_ ? steady_clock::duration(fetch_retry_interval) : steady_clock::duration(key_set_age_max);
  is_due = is_due || !fetched_at_ || now - *fetched_at_ >= age_max;
  if (!is_due && now - *fetched_at_ >= fetch_retry_interval) is_due = directory_.take_key_set_request(now);
  if (!is_due) return;
  fetched_at_ = now;
  const auto failed = [this](const std::string& why) {
    log_.warning("cannot fetch the key set; the one before stays", {{"url", settings_.key_set}, {"reason", why}});
    fetch_failed_ = true;
  };
  const auto response = http_edge::https_get(settings_.key_set, auth::key_set_bytes_max, fetch_time_max, stop);
  if (stop.stop_requested()) return;
  if (!response) return failed(response.error());
  if (response->status != 200) return failed(fmt::format("the status is {}", response->status));
  const auto summary = directory_.replace_key_set(response->body);
  if (!summary) return failed("it " + summary.error());
  fetch_failed_ = false;
  if (response->body == fetched_text_) return;
  fetched_text_ = response->body;
  for (const std::string& each : summary->left_out)
    log_.warning("a key of the key set is not used", {{"reason", each}});
  log_.info("fetched the key set", {{"url", settings_.key_set}, {"keys", signed_of(summary->keys)}});
}

}  // namespace ordem::app
