// Nodes over one stream in memory, each with a data folder and a clock of its own.
#pragma once

#include <catch2/catch.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cluster/store/replicated_store.hpp"
#include "engine/model/engine_clock.hpp"
#include "tests/cluster/store/stream_model.hpp"
#include "tests/storage/open_store_support.hpp"
#include "tests/support_cpp/temp_folder.hpp"

namespace ordem::testing {

inline const std::string sample_cluster_id = "2d1c7a54-9a3e-4c1f-8a53-0f6d0a8f6f11";

struct store_node {
  temp_folder folder;
  stream_model& stream;
  manual_machine machine;
  std::unique_ptr<engine_clock> clock;
  storage::store_settings settings = settings_for(folder.path());
  std::unique_ptr<cluster::replicated_store> store;
  std::unique_ptr<model_appender> appender;
  std::unique_ptr<cluster::replicated_log> log;

  explicit store_node(stream_model& given) : stream(given) {
    settings.log_entries_kept = 0;
    open();
  }

  auto try_open(const std::string& cluster_id = sample_cluster_id) {
    store.reset();
    clock = std::make_unique<engine_clock>(machine.sources());
    return cluster::open_replicated_store(settings, cluster_id, *clock);
  }
  void open() {
    auto opened = try_open();
    INFO((opened ? "" : opened.error().message));
    REQUIRE(opened);
    store = std::move(*opened);
    REQUIRE(store->applier().catch_up());
  }
  // As after kill -9.
  void restart() {
    log.reset();
    appender.reset();
    open();
  }

  // Takes what it lacks of the stream, so many records at once.
  void tail(std::size_t at_once = 1000) {
    const auto missing = records_missing_in(store->copy(), stream);
    for (std::size_t i = 0; i < missing.size(); i += at_once) {
      std::vector<std::string_view> some;
      for (std::size_t j = i; j < std::min(missing.size(), i + at_once); ++j) some.emplace_back(missing[j]);
      const auto applied = store->applier().apply(some);
      INFO((applied ? "" : applied.error().message));
      REQUIRE(applied);
      REQUIRE(*applied == store->copy().last());
    }
  }
  void begin_ownership(std::uint64_t epoch) {
    stream.begin_epoch(epoch);
    tail();
    appender = std::make_unique<model_appender>(stream, store->copy());
    log = store->begin_ownership(*appender);
  }
  // Ends it: so many of the groups that are not acknowledged have landed.
  void end_ownership(std::size_t landed = 0) {
    appender->fence(landed);
    log.reset();
    appender.reset();
    REQUIRE(store->applier().catch_up());
  }
  void write(const std::vector<storage::entry>& entries) {
    const position first{log->appended().number + 1};
    REQUIRE(log->append(entries));
    REQUIRE(log->sync());
    REQUIRE(view().apply(entries, first));
  }

  storage::view& view() { return store->store().view(); }
};

}  // namespace ordem::testing
