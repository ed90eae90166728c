// Every conversation between actors, on one page, in the order in which a message takes part in them.
//
//   gateway --submit--> dedupe shard --admit (what changes an order)--> order keeper
//                            |                                               |
//                            +--commit (a created order)--> commit writer <--commit
//                                                                |
//                                                           make_durable
//                                                                v
//   dedupe shards, order keepers <--------- settle --------- log syncer -- answers --> reply router
//                                                             |      ^
//                                                           follow  persisted, abandon
//                                                             v      |
//                                                            persister
//
// Nothing here is answered by a response message: each step hands on a batch, and what comes back is `settle`.
#pragma once

#include <caf/all.hpp>
#include <memory>
#include <vector>

#include "actors/execution.hpp"
#include "engine/port.hpp"

namespace ordem::actors {

// New messages, and what is asked of captures, for a dedupe shard.
struct submit {
  std::vector<submission> submissions;
};

// Messages let through to the keeper of their orders.
struct admit {
  std::vector<task> tasks;
};

// Decisions, those of one order in the order of its versions.
struct commit {
  std::vector<decided> decisions;
};

// Decisions that are in the log, but not yet on the disk.
struct make_durable {
  std::vector<settlement> group;
};

// A note to oneself at the end of the mailbox: what has gathered until it is taken out is one group.
struct flush {};

// A group that is durable, or has failed and says so in its answers. Everybody picks what is theirs.
struct settle {
  std::shared_ptr<const std::vector<settlement>> group;
};

// Something new is durable, for who follows the log.
struct follow {};

// Everything up to this position is where the log is followed to.
struct persisted {
  position through;
};

// Nothing more will ever be persisted.
struct abandon {};

struct introduce;

using dedupe_shard_actor = caf::typed_actor<caf::reacts_to<submit>, caf::reacts_to<settle>>;
using order_keeper_actor = caf::typed_actor<caf::reacts_to<admit>, caf::reacts_to<settle>>;
using commit_writer_actor = caf::typed_actor<caf::reacts_to<commit>, caf::reacts_to<flush>>;
using log_syncer_actor = caf::typed_actor<caf::reacts_to<introduce>, caf::reacts_to<make_durable>,
                                          caf::reacts_to<flush>, caf::reacts_to<persisted>, caf::reacts_to<abandon>>;
using persister_actor = caf::typed_actor<caf::reacts_to<follow>, caf::reacts_to<flush>>;

// The log syncer's first message: who hears of settled groups.
struct introduce {
  std::vector<dedupe_shard_actor> shards;
  std::vector<order_keeper_actor> keepers;
  persister_actor persister;  // null if nothing follows the log
};

// An exception that reaches an actor's edge is a bug: the process stops, and the log says after the restart what holds.
template <class Actor>
void stop_on_exception(Actor* self) {
  self->set_exception_handler([](std::exception_ptr&) -> caf::error { std::terminate(); });
}

}  // namespace ordem::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ordem::actors::introduce)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ordem::actors::submit)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ordem::actors::admit)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ordem::actors::commit)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ordem::actors::make_durable)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ordem::actors::flush)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ordem::actors::settle)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ordem::actors::follow)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ordem::actors::persisted)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ordem::actors::abandon)
