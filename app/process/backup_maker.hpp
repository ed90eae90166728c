// Makes back-ups of the store while it is served, one at a time, on a thread of its own. Owned by the command `serve`.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <mutex>
#include <string_view>
#include <thread>

#include "http-edge/protocol/backup_port.hpp"
#include "storage/log/store.hpp"

namespace ordem::app {

// A back-up that takes longer is cut off, because the log and old table files are kept until it ends.
inline constexpr auto backup_time_max = std::chrono::hours(6);
inline constexpr std::size_t backup_name_bytes_max = 128;

// For metrics.
struct backup_stats {
  std::uint64_t made = 0;
  std::uint64_t failed = 0;
  http_edge::backup_state last_made;  // status none if there is none
  std::chrono::milliseconds took{0};  // of the one that was made last
  bool is_running = false;
};

class backup_maker final : public http_edge::backup_port {
 public:
  // `root`: the folder below which back-ups are made, absolute; empty: none is made. `on_end` is called on the thread
  // that has made one, after it was made or has failed.
  backup_maker(const std::filesystem::path& root, std::function<void(const http_edge::backup_state&)> on_end);
  ~backup_maker() override { stop(); }

  // Called once, before begin(). `of` must outlive the maker, or stop() come before its end.
  void attach(storage::store& of);
  // Cuts off the back-up that is running, and waits for its end. No other is begun after it.
  void stop();

  tl::expected<http_edge::backup_state, http_edge::backup_refusal> begin(std::string_view to) override;
  http_edge::backup_state state() const override;
  backup_stats stats() const;

 private:
  tl::expected<std::filesystem::path, http_edge::backup_refusal> folder_of(std::string_view to) const;
  void make(const std::filesystem::path& folder, timestamp began_at);

  const std::filesystem::path root_;
  const std::function<void(const http_edge::backup_state&)> on_end_;
  storage::store* store_ = nullptr;
  std::atomic<bool> stopping_{false};

  mutable std::mutex mutex_;
  http_edge::backup_state state_;
  backup_stats stats_;
  std::thread thread_;
};

}  // namespace ordem::app
