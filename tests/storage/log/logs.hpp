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

#include "cluster/store/replicated_log.hpp"
#include "storage/segments/segment_log.hpp"
#include "tests/cluster/store/stream_model.hpp"
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

// Small segments, so that a log has many.
inline storage::segment_log_settings small_segments(const std::filesystem::path& folder, const log_options& options) {
  storage::segment_log_settings settings;
  settings.folder = folder;
  settings.log_id = sample_log_id;
  settings.segment_bytes = 4096;
  settings.entries_kept = options.entries_kept;
  settings.consumed = options.consumed;
  settings.on_error = [](std::string_view) {};
  return settings;
}

// A log in segments.
class segments {
 public:
  static constexpr bool recovers = true;  // recover() succeeds after repair()

  explicit segments(const log_options& options) {
    settings_ = small_segments(folder_, options);
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
  static constexpr bool recovers = true;

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

// The log of the owner of a replicated log, with a copy in small segments. A start is a new ownership of a node that
// has read the log to its end.
class replicated {
 public:
  static constexpr bool recovers = false;

  explicit replicated(const log_options& options) : stream_(options.first) {
    settings_ = small_segments(folder_, options);
    REQUIRE(storage::segment_log::make(settings_, options.first));
    disk_.emplace(folder_);
    open();
  }

  storage::log& log() noexcept { return *log_; }
  std::optional<timestamp> newest() const { return newest_; }

  // What was appended is in the stream.
  void restart() {
    appender_->fence(std::numeric_limits<std::size_t>::max());
    close();
    open();
  }
  // Of what was appended and not acknowledged, the first ones are in the stream.
  void lose_power(std::mt19937_64& random) {
    appender_->fence(random() % 4);
    close();
    disk_->strike(random);
    open();
  }

  void break_appends() { appender_->fail_appends(); }
  void break_syncs() { appender_->fail_syncs(); }
  void repair() {}

 private:
  void close() {
    log_.reset();
    appender_.reset();
    copy_.reset();
  }
  void open() {
    auto opened = storage::segment_log::open_copy(settings_, position{});
    INFO((opened ? "" : opened.error().message));
    REQUIRE(opened);
    copy_ = std::move(*opened);
    for (const std::string& each : records_missing_in(*copy_, stream_)) {
      const auto appended = copy_->append_record(each);
      INFO((appended ? "" : appended.error().message));
      REQUIRE(appended);
    }
    const auto last = copy_->last_record();
    newest_ = last ? std::optional(last->time) : std::nullopt;
    appender_ = std::make_unique<model_appender>(stream_, *copy_);
    log_ = std::make_unique<cluster::replicated_log>(*copy_, *appender_, clock_);
  }

  temp_folder temp_;
  const std::filesystem::path folder_ = std::filesystem::canonical(temp_.path()) / "log";
  manual_clock clock_;
  storage::segment_log_settings settings_;
  stream_model stream_;
  std::optional<power_loss> disk_;
  std::optional<timestamp> newest_;
  std::unique_ptr<storage::segment_log> copy_;
  std::unique_ptr<model_appender> appender_;
  std::unique_ptr<cluster::replicated_log> log_;
};

}  // namespace ordem::testing
