// The implementations of the log, each with the faults that the tests of the port need. All have the same functions.
#pragma once

#include <array>
#include <catch2/catch.hpp>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <memory>
#include <optional>
#include <random>
#include <string_view>
#include <utility>

#include "storage/segments/segment_log.hpp"
#include "tests/storage/file_size_limit.hpp"
#include "tests/storage/segments/power_loss.hpp"
#include "tests/storage/segments/segment_support.hpp"
#include "tests/support_cpp/manual_clock.hpp"
#include "tests/support_cpp/memory_log.hpp"
#include "tests/support_cpp/seed.hpp"
#include "tests/support_cpp/temp_folder.hpp"

namespace ordem::testing {

struct log_options {
  position first{1};  // of the first entry
  std::uint64_t entries_kept = std::numeric_limits<std::uint64_t>::max();
  std::array<bool, storage::log_consumers> consumed{};
};

// A log in segments, small ones, so that it has many.
class segments {
 public:
  explicit segments(const log_options& options) {
    settings_.folder = folder_;
    settings_.log_id = sample_log_id;
    settings_.segment_bytes = 4096;
    settings_.entries_kept = options.entries_kept;
    settings_.consumed = options.consumed;
    settings_.on_error = [](std::string_view) {};
    REQUIRE(storage::segment_log::make(settings_, options.first));
    disk_.emplace(folder_);
    open();
  }

  storage::log& log() noexcept { return *log_; }
  std::optional<timestamp> newest() const { return log_->newest(); }

  // As a start after kill -9.
  void restart() {
    repair();
    log_.reset();
    open();
  }
  void lose_power(std::mt19937_64& random) {
    repair();
    log_.reset();
    disk_->strike(random);
    open();
  }

  // From now on that step fails.
  void break_appends() { full_.emplace(0); }
  void break_syncs() { disk_->refuse_syncs(true); }
  // From now on recover() succeeds.
  void repair() {
    full_.reset();
    disk_->refuse_syncs(false);
  }

 private:
  void open() {
    auto opened = storage::segment_log::open(settings_, clock_);
    INFO((opened ? "" : opened.error().message));
    REQUIRE(opened);
    log_ = std::move(*opened);
  }

  temp_folder temp_;
  const std::filesystem::path folder_ = std::filesystem::canonical(temp_.path()) / "log";
  manual_clock clock_;
  storage::segment_log_settings settings_;
  std::optional<power_loss> disk_;
  std::optional<file_size_limit> full_;
  std::unique_ptr<storage::segment_log> log_;
};

class memory {
 public:
  explicit memory(const log_options& options)
      : log_({options.first, options.entries_kept, options.consumed, seed_of_run()}) {}

  storage::log& log() noexcept { return log_; }
  std::optional<timestamp> newest() const { return log_.newest(); }

  void restart() { log_.restart(); }
  void lose_power(std::mt19937_64&) { log_.lose_power(); }

  void break_appends() {
    log_.fail_next_append();
    log_.fail_recoveries(std::numeric_limits<std::uint64_t>::max());
  }
  void break_syncs() {
    log_.fail_next_sync();
    log_.fail_recoveries(std::numeric_limits<std::uint64_t>::max());
  }
  void repair() { log_.fail_recoveries(0); }

 private:
  memory_log log_;
};

}  // namespace ordem::testing
