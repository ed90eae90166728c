// scenario: the workloads of a run.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>

#include "bench/load/hot_order_workload.hpp"
#include "bench/load/order_text.hpp"
#include "bench/load/workload.hpp"

namespace ordem::bench {

enum class scenario : std::size_t {
  create,        // a new order each time
  update,        // one of the connection's own orders, against its version
  get,           // one of the connection's own orders
  replay,        // creates, of which a share repeats earlier ones with their GUIDs
  conflict,      // updates, of which a share is made against an old version
  hot_order,     // all connections update one order
  captures,      // allocate, record, read, with one key after the other
  mixed,         // see mixed_shares
  batch,         // new orders, many in one request
  batch_update,  // updates of the connection's own orders, many in one request
  bare,          // the bytes of `create`, for a server that answers a constant
};
inline constexpr std::array<std::string_view, 11> scenario_names{
    "create", "update", "get", "replay", "conflict", "hot-order", "captures", "mixed", "batch", "batch-update", "bare"};

/// Whether its connections have their own orders, which are created before the load.
constexpr bool uses_own_orders(scenario what) noexcept {
  return what == scenario::update || what == scenario::get || what == scenario::conflict || what == scenario::mixed ||
         what == scenario::batch_update;
}

/// Whether a request is about many orders.
constexpr bool sends_batches(scenario what) noexcept {
  return what == scenario::batch || what == scenario::batch_update;
}

/// The parts of `mixed`, as shares of its requests. Creates and updates contain the repeats and the stale ones.
inline constexpr struct {
  double get = 0.50;
  double update = 0.25;
  double stale_of_updates = 0.2;  // 0.05 of all
  double create = 0.20;
  double repeats_of_creates = 0.25;  // 0.05 of all
  double capture = 0.05;
} mixed_shares;
static_assert(mixed_shares.get + mixed_shares.update + mixed_shares.create + mixed_shares.capture == 1);

struct scenario_plan {
  scenario what = scenario::create;
  body_size body;
  unsigned orders_each = 1;        // orders of each connection, where the scenario reads or updates orders
  double replay_share = 0.5;       // of `replay`
  double conflict_share = 0.5;     // of `conflict`
  std::size_t batch_lines = 1000;  // of `batch` and `batch_update`
};

/// The connection of a workload, and what it shares with others.
struct workload_place {
  std::string_view fields;  // the header fields that every request has, without the last line end
  unsigned number = 0;      // of the connection; unique within the run
  std::uint64_t seed = 0;
  hot_order* hot = nullptr;   // one for the run
  findings* noted = nullptr;  // one for the thread
};

/// The pointees must outlive the workload. Throws std::invalid_argument if the plan is impossible.
[[nodiscard]] std::unique_ptr<workload> make_workload(const scenario_plan& plan, const workload_place& place);

}  // namespace ordem::bench
