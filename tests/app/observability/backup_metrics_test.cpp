#include "app/observability/backup_metrics.hpp"

#include <catch2/catch.hpp>
#include <chrono>

namespace ordem::app {
namespace {

using Catch::Matchers::Contains;

TEST_CASE("the metrics of back-ups tell of the last one that was made") {
  backup_stats stats;
  stats.failed = 2;
  stats.is_running = true;
  CHECK_THAT(backup_metrics_text(stats), Contains("\nordem_backups_total{result=\"made\"} 0\n") &&
                                             Contains("\nordem_backups_total{result=\"failed\"} 2\n") &&
                                             Contains("\nordem_backup_running 1\n") && !Contains("ordem_backup_bytes"));
  stats.made = 1;
  stats.is_running = false;
  stats.took = std::chrono::milliseconds(1500);
  stats.last_made.ended_at = timestamp(std::chrono::milliseconds(1'764'000'000'250));
  stats.last_made.bytes = 123'456'789'012;
  stats.last_made.last = {17};
  const std::string text = backup_metrics_text(stats);
  CHECK_THAT(text, Contains("\nordem_backup_running 0\n") && Contains("\nordem_backup_end_seconds 1764000000.250\n") &&
                       Contains("\nordem_backup_duration_seconds 1.5\n") &&
                       Contains("\nordem_backup_bytes 123456789012\n") && Contains("\nordem_backup_position 17\n"));
}

}  // namespace
}  // namespace ordem::app
