#include "app/observability/backup_metrics.hpp"

#include <fmt/format.h>

#include <chrono>

#include "app/observability/metric_text.hpp"

namespace ordem::app {
namespace {

double seconds_of(std::chrono::milliseconds time) {
  return std::chrono::duration<double>(time).count();
}

}  // namespace

std::string backup_metrics_text(const backup_stats& stats) {
  std::string text = metric_head("ordem_backups_total", "counter", "Back-ups since the start, by result.");
  text += metric_value("ordem_backups_total", metric_label("result", "made"), stats.made);
  text += metric_value("ordem_backups_total", metric_label("result", "failed"), stats.failed);
  text += gauge_text("ordem_backup_running", "1 while a back-up is made, else 0.", stats.is_running ? 1 : 0);
  if (stats.made == 0) return text;
  const http_edge::backup_state& last = stats.last_made;
  text += gauge_text("ordem_backup_end_seconds", "When the last back-up was complete, in seconds since 1970.",
                     fmt::format("{:.3f}", seconds_of(last.ended_at.time_since_epoch())));
  text += gauge_text("ordem_backup_duration_seconds", "How long the last back-up took.", seconds_of(stats.took));
  text += gauge_text("ordem_backup_bytes", "Size of the last back-up, with what it shares with the data folder.",
                     last.bytes);
  text += gauge_text("ordem_backup_position", "The position of the last entry in the last back-up.", last.last.number);
  return text;
}

}  // namespace ordem::app
