#include "app/engine/engine_host.hpp"

#include <cstdint>
#include <string_view>
#include <utility>

#include "engine/base/check.hpp"
#include "engine/base/random_bits.hpp"
#include "storage/postgres/postgres_sink.hpp"

namespace ordem::app {
namespace {

actors::gateway_settings gateway_settings_of(const settings& values) {
  actors::gateway_settings made = values.engine;
  made.consumer.wait_for_persisted = values.store.durability == storage::durability::postgres;
  return made;
}

}  // namespace

engine_host::engine_host(const settings& values, std::string log_id, engine_surroundings around,
                         std::function<void()> on_visible)
    : settings_(gateway_settings_of(values)),
      postgres_url_(values.postgres_url),
      log_id_(std::move(log_id)),
      is_of_cluster_(!values.cluster.name.empty()),
      around_(around),
      on_visible_(std::move(on_visible)) {}

engine_host::~engine_host() {
  end();
}

void engine_host::begin(storage::log& log) {
  ORDEM_CHECK(gateway_ == nullptr);
  auto engine = settings_;
  engine.id_seed = random_bits();
  if (!postgres_url_.empty()) postgres_ = storage::make_postgres_sink({postgres_url_, log_id_, &around_.clock});
  auto made = std::make_unique<actors::gateway>(engine,
                                                actors::gateway_ports{.log = log,
                                                                      .view = around_.view,
                                                                      .orders = around_.view,
                                                                      .captures = around_.view,
                                                                      .clock = around_.clock,
                                                                      .newest_order = around_.view.newest_order(),
                                                                      .sink = postgres_.get(),
                                                                      .tracer = around_.tracer,
                                                                      .counters = &counters_},
                                                gateway_events());
  const std::lock_guard lock(mutex_);
  gateway_ = std::move(made);
}

void engine_host::end() {
  std::unique_ptr<actors::gateway> ended;
  {
    const std::lock_guard lock(mutex_);
    ended = std::move(gateway_);
  }
  ended.reset();
  postgres_.reset();
  around_.reports.end_postgres_failure();
  if (is_of_cluster_) around_.status.resume_writes();  // of another node
}

log_positions engine_host::positions() const {
  return stats().positions;
}

engine_stats engine_host::stats() const {
  engine_stats now{.counters = counters_};
  const std::lock_guard lock(mutex_);
  if (gateway_ != nullptr) return stats_of(*gateway_);
  const position visible = around_.view.visible();
  now.positions = {.decided = visible, .durable = visible, .persisted = std::nullopt};
  return now;
}

actors::gateway_events engine_host::gateway_events() {
  actors::gateway_events events;
  events.on_visible = on_visible_;
  events.on_sink_failure = [this](std::string_view why) {
    around_.reports.note_postgres_failure(why);
    around_.log.warning("cannot write to Postgres; retrying", {{"reason", std::string(why)}});
  };
  events.on_sink_recovery = [this] {
    around_.reports.end_postgres_failure();
    around_.log.info("writing to Postgres again");
  };
  events.on_sink_put_back = [this](position held, position before) {
    around_.log.warning("Postgres was restored to an earlier state; missing entries are written again",
                        {{"position", static_cast<std::int64_t>(held.number)},
                         {"position_before", static_cast<std::int64_t>(before.number)}});
  };
  events.on_sink_end = [this] {
    around_.log.error("replication to Postgres has failed permanently; no more writes are accepted");
    around_.status.stop_writes();
  };
  events.on_caught_up = [this] {
    around_.log.info("Postgres has caught up with the log");
    if (!is_of_cluster_) around_.status.set_ready();
  };
  if (is_of_cluster_) return events;  // a gateway that cannot write is destroyed by the node
  events.on_write_failure = [this] {
    around_.reports.begin_write_failure();
    around_.status.stop_writes();
  };
  events.on_write_retry = [this](std::string_view why) {
    around_.reports.note_write_failure(why);
    around_.log.warning("writes do not work yet; trying again", {{"reason", std::string(why)}});
  };
  events.on_write_recovery = [this] {
    around_.reports.end_write_failure();
    around_.log.info("writes work again", {{"position", static_cast<std::int64_t>(around_.view.visible().number)}});
    around_.status.resume_writes();
  };
  events.on_write_end = [this](std::string_view why) {
    around_.reports.note_write_failure(why);
    around_.log.error("no more writes are accepted before a restart", {{"reason", std::string(why)}});
  };
  return events;
}

}  // namespace ordem::app
