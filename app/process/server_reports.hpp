// What the server knows about itself, for /-/state and /-/settings: its settings, and the failures that last. Owned by
// the command `serve`. Thread-safe.
#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "http-edge/protocol/report_port.hpp"

namespace ordem::app {

class server_reports final : public http_edge::report_port {
 public:
  // `settings`: the values in effect, without passwords.
  server_reports(http_edge::setting_list settings, bool has_postgres);

  // An error of the store. It is the reason of a failure that begins after it.
  void note_storage_error(std::string_view why);
  // Writes have stopped; until end_write_failure(). The reason is the last error of the store.
  void begin_write_failure();
  // Writes do not work, for this reason.
  void note_write_failure(std::string_view why);
  void end_write_failure();
  // Entries cannot be written to Postgres, for this reason; until end_postgres_failure().
  void note_postgres_failure(std::string_view why);
  void end_postgres_failure();

  // From now on reports have what `state` returns. It is called by any thread until set_cluster({}) has returned.
  void set_cluster(std::function<http_edge::cluster_report()> state);

  http_edge::server_report report() const override;
  std::string_view version() const noexcept override;
  const http_edge::setting_list& settings() const noexcept override { return settings_; }

 private:
  const http_edge::setting_list settings_;

  mutable std::mutex mutex_;
  http_edge::server_report report_;
  std::string storage_error_;

  mutable std::mutex cluster_mutex_;  // not the other one: what the function waits for may report a failure meanwhile
  std::function<http_edge::cluster_report()> cluster_;
};

}  // namespace ordem::app
