// The actor that owns one order while it has work. It decides message after message on the state that it decided last,
// without waiting for the disk; the commit writer keeps that order of decisions.
#pragma once

#include "actors/interfaces.hpp"

namespace ordem::actors {

struct live_order_parts {
  order_id id;
  shared_order current;  // null: to be read
  const order_reader* committed = nullptr;
  const time_source* clock = nullptr;
  milliseconds message_ttl{};
  commit_writer_actor writer;
};

class live_order final : public order_actor::base {
 public:
  live_order(caf::actor_config& config, live_order_parts parts);

  behavior_type make_behavior() override;
  void on_exit() override;

 private:
  void execute_one(task&& what);

  live_order_parts parts_;  // `current` stays null as long as there is no such order
};

}  // namespace ordem::actors
