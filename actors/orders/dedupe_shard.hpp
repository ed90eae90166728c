// The actor that owns the GUIDs and capture keys of its hash slots. It decides creations itself: no other message can
// name the order before the reply, so there is nothing to serialise and no order actor is needed.
#pragma once

#include <memory>
#include <vector>

#include "actors/captures/capture_table.hpp"
#include "actors/commit/commit_queue.hpp"
#include "actors/commit/reply_router.hpp"
#include "actors/counters.hpp"
#include "actors/interfaces.hpp"
#include "actors/orders/dedupe_table.hpp"
#include "engine/model/order_id_generator.hpp"
#include "engine/ports/tracing.hpp"

namespace ordem::actors {

// What is given by pointer must outlive the actor.
struct dedupe_shard_parts {
  std::uint32_t number = 0;
  const order_lookup* committed_orders = nullptr;
  const capture_reader* committed_captures = nullptr;
  const time_source* clock = nullptr;
  reply_router* replies = nullptr;
  actors::counters* counters = nullptr;
  ordem::tracer* tracer = nullptr;  // null: no submission has a trace
  in_flight_policy policy = in_flight_policy::join;
  milliseconds message_ttl{};
  capture_terms captures;
  order_id_sequence* id_sequence = nullptr;
  std::uint64_t id_seed = 0;
  std::vector<order_shard_actor> order_shards;
  std::shared_ptr<commit_queue> decisions;
};

class dedupe_shard final : public dedupe_shard_actor::base {
 public:
  dedupe_shard(caf::actor_config& config, dedupe_shard_parts parts);

  behavior_type make_behavior() override;
  void on_exit() override;

 private:
  // The replies, decisions and tasks of one batch, so that each receiver gets one message.
  struct batch_result;

  void admit_all(submit& batch);
  void admit_message(submission&& what, const clock_reading& now, batch_result& to);
  void admit_capture(submission&& what, const clock_reading& now, batch_result& to);
  void complete_all(const complete& notice);

  dedupe_shard_parts parts_;
  dedupe_table messages_;
  capture_table captures_;
  order_id_generator ids_;
};

}  // namespace ordem::actors
