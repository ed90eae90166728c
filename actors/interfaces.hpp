// Every conversation between actors, on one page, in the order in which a message takes part in them.
//
//   gateway --submit--> dedupe shard --route (what changes an order)--> order shard --execute--> order actor
//                            |                                                                  ^    |
//                            |                                           order loader --loaded--+    |
//                            +--push (a created order)--> commit queue <------------------------push-+
//                                                              | flush
//                                                              v
//                                                         commit writer
//                                                              | make_durable
//                                                              v
//   dedupe shards <--settle-- order shards <--unpin-- log syncer -- answers --> reply router
//                                                       |      ^
//                                                     follow  persisted, abandon
//                                                       v      |
//                                                      replicator
//
// Nothing here is answered by a response message: each step hands on a batch, and what comes back is `settle` and
// `unpin`. The commit queue (actors/commit/commit_queue.hpp) and the order loader (actors/orders/order_loader.hpp) are
// no actors.
#pragma once

#include <caf/all.hpp>
#include <memory>
#include <vector>

#include "actors/execution.hpp"
#include "engine/ports/engine_port.hpp"
#include "engine/ports/readers.hpp"

namespace ordem::actors {

// New messages, and what is asked of captures, for a dedupe shard.
struct submit {
  std::vector<submission> submissions;
};

// Messages that were let through, for the shard of their orders.
struct route {
  std::vector<task> tasks;
};

// All the tasks of one order in one batch, in the order of their arrival.
struct execute {
  std::vector<task> tasks;
};

// The order that its actor asked the loader for, or why it could not be read.
struct loaded {
  read_result<shared_order> order;
};

// Decisions that are in the log, but not yet on the disk.
struct make_durable {
  std::vector<completion> group;
};

// To the commit writer: there is something in its queue. A note of the log syncer to itself at the end of its mailbox:
// what has gathered until it is taken out is one group.
struct flush {};

// Messages and captures of that dedupe shard which are durable, or have failed and say so in their answers.
struct complete {
  std::vector<completion> completions;
};

// Orders of that order shard of which a task each is done; one that had several is named as often.
struct unpin {
  std::vector<order_id> orders;
};

// Something new is durable, for who follows the log.
struct replicate {};

// Everything up to this position is where the log is followed to.
struct persisted {
  position through;
};

// Nothing more will ever be persisted.
struct fail_replication {};

struct connect;

using dedupe_shard_actor = caf::typed_actor<caf::reacts_to<submit>, caf::reacts_to<complete>>;
using order_shard_actor = caf::typed_actor<caf::reacts_to<route>, caf::reacts_to<unpin>>;
using order_handle = caf::typed_actor<caf::reacts_to<execute>, caf::reacts_to<loaded>>;
using commit_writer_actor = caf::typed_actor<caf::reacts_to<flush>>;
using log_syncer_actor = caf::typed_actor<caf::reacts_to<connect>, caf::reacts_to<make_durable>, caf::reacts_to<flush>,
                                          caf::reacts_to<persisted>, caf::reacts_to<fail_replication>>;
using replicator_actor = caf::typed_actor<caf::reacts_to<replicate>, caf::reacts_to<flush>>;

// The log syncer's first message: the receivers of what is settled.
struct connect {
  std::vector<dedupe_shard_actor> shards;
  std::vector<order_shard_actor> order_shards;
  replicator_actor replicator;  // null if nothing follows the log
};

// An exception that reaches an actor's edge is a bug: the process stops, and the log says after the restart what holds.
template <class Actor>
void stop_on_exception(Actor* self) {
  self->set_exception_handler([](std::exception_ptr&) -> caf::error { std::terminate(); });
}

}  // namespace ordem::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ordem::actors::connect)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ordem::actors::submit)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ordem::actors::route)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ordem::actors::execute)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ordem::actors::loaded)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ordem::actors::make_durable)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ordem::actors::flush)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ordem::actors::complete)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ordem::actors::unpin)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ordem::actors::replicate)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ordem::actors::persisted)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ordem::actors::fail_replication)
