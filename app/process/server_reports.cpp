#include "app/process/server_reports.hpp"

#include <chrono>
#include <utility>

#include "app/process/version.hpp"
#include "engine/base/text.hpp"

namespace ordem::app {
namespace {

// A longer reason is cut, and ends with "..." then: 1024 bytes in all.
constexpr std::size_t reason_bytes_max = 1021;

timestamp now() {
  return std::chrono::floor<milliseconds>(std::chrono::system_clock::now());
}

void note(std::optional<http_edge::lasting_failure>& to, std::string_view why) {
  if (!to) to = {now(), {}};
  to->reason = to_utf8(why, reason_bytes_max);
}

}  // namespace

server_reports::server_reports(http_edge::setting_list settings, bool has_postgres) : settings_(std::move(settings)) {
  report_.started_at = now();
  report_.has_postgres = has_postgres;
}

void server_reports::note_storage_error(std::string_view why) {
  const std::lock_guard lock(mutex_);
  storage_error_ = why;
}

void server_reports::begin_write_failure() {
  const std::lock_guard lock(mutex_);
  note(report_.write_failure, storage_error_.empty() ? "a write has failed" : storage_error_);
}

void server_reports::note_write_failure(std::string_view why) {
  const std::lock_guard lock(mutex_);
  note(report_.write_failure, why);
}

void server_reports::end_write_failure() {
  const std::lock_guard lock(mutex_);
  report_.write_failure.reset();
  storage_error_.clear();
}

void server_reports::note_postgres_failure(std::string_view why) {
  const std::lock_guard lock(mutex_);
  note(report_.postgres_failure, why);
}

void server_reports::end_postgres_failure() {
  const std::lock_guard lock(mutex_);
  report_.postgres_failure.reset();
}

void server_reports::set_cluster(std::function<http_edge::cluster_report()> state) {
  const std::lock_guard lock(cluster_mutex_);
  cluster_ = std::move(state);
}

http_edge::server_report server_reports::report() const {
  http_edge::server_report now;
  {
    const std::lock_guard lock(mutex_);
    now = report_;
  }
  const std::lock_guard lock(cluster_mutex_);
  if (cluster_) now.cluster = cluster_();
  return now;
}

std::string_view server_reports::version() const noexcept {
  return version_text;
}

}  // namespace ordem::app
