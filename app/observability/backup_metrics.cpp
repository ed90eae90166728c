#include "app/observability/backup_metrics.hpp"

#include <fmt/format.h>

#include <chrono>
#include <string_view>

namespace ordem::app {
namespace {

double seconds_of(std::chrono::milliseconds time) {
  return std::chrono::duration<double>(time).count();
}

std::string head_of(std::string_view name, std::string_view type, std::string_view help) {
  return fmt::format("# HELP {0} {2}\n# TYPE {0} {1}\n", name, type, help);
}

template <class Value>
std::string gauge(std::string_view name, std::string_view help, Value value) {
  return head_of(name, "gauge", help) + fmt::format("{} {}\n", name, value);
}

}  // namespace

std::string backup_metrics_text(const backup_stats& stats) {
  std::string text = head_of("ordem_backups_total", "counter", "Back-ups since the start, by result.");
  text += fmt::format("ordem_backups_total{{result=\"made\"}} {}\n", stats.made);
  text += fmt::format("ordem_backups_total{{result=\"failed\"}} {}\n", stats.failed);
  text += gauge("ordem_backup_running", "1 while a back-up is made, else 0.", stats.is_running ? 1 : 0);
  if (stats.made == 0) return text;
  const http_edge::backup_state& last = stats.last_made;
  text += gauge("ordem_backup_end_seconds", "When the last back-up was complete, in seconds since 1970.",
                fmt::format("{:.3f}", seconds_of(last.ended_at.time_since_epoch())));
  text += gauge("ordem_backup_duration_seconds", "How long the last back-up took.", seconds_of(stats.took));
  text +=
      gauge("ordem_backup_bytes", "Size of the last back-up, with what it shares with the data folder.", last.bytes);
  text += gauge("ordem_backup_position", "The position of the last entry in the last back-up.", last.last.number);
  return text;
}

}  // namespace ordem::app
