// What the node core asks its caller to do. Values: any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <variant>

#include "cluster/protocol/heartbeat.hpp"
#include "engine/model/ids.hpp"
#include "storage/records/log_record.hpp"

namespace ordem::cluster {

// A whole record, shared by the window, the network and the copy. Never null in an effect.
using shared_record = std::shared_ptr<const std::string>;

// Append `record` to the stream if its last sequence is `sequence - 1`. Answer by node_core::on_publish_reply(), with
// this sequence and attempt, any number of times or never.
struct publish_effect {
  std::uint64_t sequence = 0;  // that the record will have; the expectation is one less, and may be 0
  std::uint64_t attempt = 0;   // names this sending; put it into the reply subject together with the process' nonce
  std::uint32_t server = 0;    // changes if another server should be asked: modulo the number of connections
  shared_record record;
};

// Read that sequence of the stream. Answer by on_record(), or by on_missing() if the server does not have it.
struct look_up_effect {
  std::uint64_t sequence = 0;
  std::uint32_t server = 0;  // as above
};

// The next live record: write it to the copy, then apply it to the view, then call node_core::on_applied(). In the
// order of the log, each once.
//
// A node that does not own the log gets a group only when it knows that the owner's view has it. Else a read of this
// node could show what a later read of the owner, which waits for the acknowledgement, does not.
struct record_effect {
  std::uint64_t sequence = 0;
  storage::log_record_header header;
  shared_record record;
  bool is_own = false;  // appended by this process as the owner, so its appender waits for it
};

// All groups that this owner has appended up to this position are in record_effects before this one.
struct acknowledged_effect {
  position last;
};

// The node owns the log: once its view has all records of the record_effects before this one, it may decide and read.
struct ownership_begun_effect {
  std::uint64_t epoch = 0;
  position last;
};

enum class ownership_end : std::uint8_t {
  fenced,    // another node has claimed the log
  released,  // RELEASE is in the log
  stopped,   // see stopped_effect
};

// What was appended and is not acknowledged will never be in the log (fenced, released), or may be (stopped).
struct ownership_ended_effect {
  std::uint64_t epoch = 0;
  ownership_end reason = ownership_end::fenced;
};

// A linearizable read may start: at this moment it sees every write acknowledged before it was requested.
struct read_ready_effect {
  std::uint64_t ticket = 0;
};
// The node does not own the log any more, or too many reads wait: ask the owner.
struct read_refused_effect {
  std::uint64_t ticket = 0;
};

// Send to all other nodes.
struct heartbeat_effect {
  heartbeat what;
};

// Do not renumber: shown by metrics.
enum class stop_reason : std::uint8_t {
  damaged_record = 1,  // a record of the stream cannot be read, or contradicts the record that it follows
  lost_records = 2,    // the stream ends before what it had acknowledged, or has another record there
  trimmed = 3,         // the stream no longer has the next record: the node needs a back-up of another
  contradiction = 4,   // a server acknowledged what cannot be
  own_disk = 5,        // the data folder of this node cannot be written or read
};

// The node neither reads nor writes this log any more. Alarm.
struct stopped_effect {
  stop_reason reason = stop_reason::damaged_record;
  std::uint64_t sequence = 0;  // where
};

using effect =
    std::variant<publish_effect, look_up_effect, record_effect, acknowledged_effect, ownership_begun_effect,
                 ownership_ended_effect, read_ready_effect, read_refused_effect, heartbeat_effect, stopped_effect>;

enum class publish_outcome : std::uint8_t {
  stored,      // the server says at which sequence
  wrong_last,  // the expectation does not hold; the server says what the last sequence is
  failed,      // anything else: no responders, an error of the server, a connection that broke
};

struct publish_reply {
  std::uint64_t sequence = 0;  // of the publish_effect
  std::uint64_t attempt = 0;   // of the publish_effect
  publish_outcome outcome = publish_outcome::failed;
  std::uint64_t value = 0;  // stored: the sequence; wrong_last: the last sequence
};

}  // namespace ordem::cluster
