// The messages between actors and the interface of each actor, in the order in which a request passes through them.
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
//   dedupe shards <--complete--+-- log syncer --replies--> reply router
//   order shards  <--unpin-----+    |      ^
//                            replicate   persisted, fail_replication
//                                   v      |
//                                  replicator
//
// No message has a response: each step passes a batch on, and `complete` and `unpin` come back. The commit queue
// (actors/commit/commit_queue.hpp), the order loader (actors/orders/order_loader.hpp) and the reply router
// (actors/commit/reply_router.hpp) are not actors.
#pragma once

#include <caf/all.hpp>
#include <memory>
#include <optional>
#include <vector>

#include "actors/execution.hpp"
#include "engine/ports/engine_port.hpp"
#include "engine/ports/readers.hpp"

namespace ordem::actors {

// Messages and calls of captures, for the dedupe shard that owns their GUIDs and keys.
struct submit {
  std::vector<submission> submissions;
};

// Admitted messages, for the order shard of their orders.
struct route {
  std::vector<task> tasks;
};

// The tasks of one order in one batch, in the order of their arrival.
struct execute {
  std::vector<task> tasks;
};

// The order that the loader has read for its actor, or the error.
struct loaded {
  read_result<shared_order> order;
};

// The version of the order that the loader has read for its actor, or the error. Null if the order has none.
struct base_loaded {
  version which;
  read_result<shared_order> base;
};

// A decision of a sampled request, on its way through the log.
struct traced_decision {
  decision_trace decision;
  std::optional<ordem::position> position;  // of its entry; absent if it has none, or it could not be appended
  std::optional<span_context> commit;       // the span of the sync that its group waited for
  bool failed = false;                      // it is answered `read_only`
};

// A group that has been appended to the log and is not durable yet.
struct make_durable {
  std::vector<completion> group;
  // Its entries, the first of which has position `first`; none if the append failed.
  std::vector<storage::entry> entries;
  position first;
  std::size_t bytes = 0;                     // of the entries in the log, about
  std::vector<traced_decision> traced = {};  // of sampled requests only
};

// Sent to the commit writer: its queue is no longer empty. Sent by the log syncer to itself, to the end of its mailbox:
// what it has received by then is one group. Sent by the replicator to itself, delayed: continue.
struct flush {};

// Completions of messages and captures of that dedupe shard.
struct complete {
  std::vector<completion> completions;
};

// Orders of that order shard, once for each of their tasks that is durable or has failed.
struct unpin {
  std::vector<order_id> orders;
};

// For the order shards: drop all order actors, whose orders may be ahead of what is durable after a failed write. Sent
// while nothing is in flight.
struct forget_orders {};

// There are new durable entries, for the replicator.
struct replicate {};

// The sink has the log up to this position.
struct persisted {
  position through;
};

// The sink will never take another entry.
struct fail_replication {};

struct connect;

using dedupe_shard_actor = caf::typed_actor<caf::reacts_to<submit>, caf::reacts_to<complete>>;
using order_shard_actor = caf::typed_actor<caf::reacts_to<route>, caf::reacts_to<unpin>, caf::reacts_to<forget_orders>>;
using order_handle = caf::typed_actor<caf::reacts_to<execute>, caf::reacts_to<loaded>, caf::reacts_to<base_loaded>>;
using commit_writer_actor = caf::typed_actor<caf::reacts_to<flush>>;
using log_syncer_actor = caf::typed_actor<caf::reacts_to<connect>, caf::reacts_to<make_durable>, caf::reacts_to<flush>,
                                          caf::reacts_to<persisted>, caf::reacts_to<fail_replication>>;
using replicator_actor = caf::typed_actor<caf::reacts_to<replicate>, caf::reacts_to<flush>>;

// The log syncer's first message: the receivers of its completions.
struct connect {
  std::vector<dedupe_shard_actor> shards;
  std::vector<order_shard_actor> order_shards;
  replicator_actor replicator;  // null if there is no sink
};

// Stops the process if an exception leaves one of the actor's handlers, which is a bug. The restart recovers from the
// log.
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
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ordem::actors::base_loaded)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ordem::actors::make_durable)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ordem::actors::flush)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ordem::actors::complete)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ordem::actors::unpin)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ordem::actors::forget_orders)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ordem::actors::replicate)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ordem::actors::persisted)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ordem::actors::fail_replication)
