// One node of a cluster, as a state machine: it reads the log, owns it or stands by, and never lets two nodes
// acknowledge. No thread, no I/O, no clock: the caller hands in what happened with the time, and does what the effects
// say, in their order. The node's thread drives it, or the simulation in virtual time.
//
//   joining ──read to the end──▶ standby ──owner silent, or its successor──▶ claiming ──EPOCH is written──▶ owner
//                                   ▲                                           │ another was first             │
//                                   └───────────────────────────────────────────┴── fenced, or released ◀───────┘
//
// One thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cluster/protocol/append_window.hpp"
#include "cluster/protocol/effect.hpp"
#include "cluster/protocol/heartbeat.hpp"
#include "cluster/protocol/instant.hpp"
#include "cluster/protocol/protocol_rules.hpp"
#include "cluster/protocol/read_lease.hpp"
#include "cluster/protocol/record_chain.hpp"

namespace ordem::cluster {

inline constexpr milliseconds heartbeat_interval{300};
// A standby claims after this time without a heartbeat or a record of the owner; the next ones in their order take
// turns.
inline constexpr milliseconds takeover_after{1500};
inline constexpr milliseconds takeover_turn{500};
// A node that sent no heartbeat for this time takes no turn. More nodes than this are not remembered.
inline constexpr milliseconds peer_forgotten_after{1500};
inline constexpr std::size_t peers_max = 64;

struct node_settings {
  std::string node;             // its name: 1 to 255 bytes, unique in the cluster
  std::uint64_t nonce = 0;      // drawn anew by each process
  std::string http_address;     // where it serves HTTP, for the other nodes
  std::string program_version;  // for the other nodes
  // A standby claims after this time without a heartbeat or a record of the owner; the next ones, in the order of their
  // names, takeover_turn after each other. Safety does not depend on it.
  milliseconds takeover_after{1500};
  append_settings append;
};

class node_core {
 public:
  // `from`: how far the copy of the node has the log, with the sequence of its last record as found in the stream.
  node_core(node_settings settings, chain_state from, instant now, protocol_rules rules = {});

  // --- what happened ---
  // Effects are added to those that take_effects() returns. After stopped_effect only heartbeats go on.

  // A record of the stream, as read from it or received as it was appended. One that is not the next is ignored.
  void on_record(std::uint64_t sequence, const shared_record& record, instant now);
  // A server has no record at that sequence, the answer to a look_up_effect.
  void on_missing(std::uint64_t sequence, instant now);
  // The stream's leader says that the stream has these sequences: ask once a second, and when a read finds no more. If
  // it ends before what this node or another one has read, for 10 s, the log has lost records. `first`: 1 if nothing
  // has been trimmed; of an empty stream `last + 1`.
  void on_stream_state(std::uint64_t first, std::uint64_t last, instant now);
  void on_publish_reply(const publish_reply& reply, instant now);
  void on_heartbeat(const heartbeat& from, instant now);
  // The view of this node has everything up to that position: it may show that, and as the owner let others show it.
  void on_applied(position applied);
  // The owner has said that its view has everything up to there: in its answer to a read or to a write that this node
  // forwarded. A read of this node is linearizable if it starts when the view has the position that the owner gave at a
  // read_ready_effect after the read was requested.
  void on_visible(position visible);
  // Whether the node's own connection to the log and the other nodes works. At first it does not.
  void on_connection(bool works, instant now);
  // Call at next_deadline(), or earlier.
  void on_timer(instant now);

  // --- what the node wants ---

  // Returns whether append() may be called with a record of that many bytes.
  bool has_room(std::size_t bytes) const noexcept;
  // Appends a group behind all that were appended. `record`: log_record_header_bytes of any value, then the payload,
  // the self-contained group. Its first entry gets next_position(). REQUIRES: has_room(), entries > 0.
  void append(std::string record, std::uint32_t entries, instant now);
  // The position that the next group gets. REQUIRES: the node owns the log.
  position next_position() const noexcept { return next_position_; }

  // Answers by read_ready_effect or read_refused_effect with the ticket, at once or later.
  void request_read(std::uint64_t ticket, instant now);
  // Until when a read may start without request_read(); boot_time::min() if it may not.
  boot_time lease_end() const noexcept;

  // Whether the node claims the log when it may, as it does at first. An ownership that has begun goes on.
  void set_may_claim(bool may) noexcept { may_claim_ = may; }

  // Gives the log up once all groups that were appended are acknowledged: no appends, no reads from now on. Returns
  // false, and does nothing, if the node does not own it. `successor`: the node that should claim it, empty: any.
  bool release(const std::string& successor, instant now);

  // The caller cannot go on: its disk has failed, say. An ownership ends, and a stopped_effect follows. If the owner
  // releases the log before, the next one need not wait.
  void fail(stop_reason reason, instant now);

  // --- results ---

  std::vector<effect> take_effects();
  // When on_timer() should be called next.
  boot_time next_deadline() const noexcept;

  // --- state ---

  node_role role() const noexcept { return role_; }
  // What was read. The last groups of it may not have been handed out by a record_effect yet.
  const chain_state& chain() const noexcept { return chain_.state(); }
  // The sequence to read next.
  std::uint64_t next_sequence() const noexcept { return chain_.next_sequence(); }
  heartbeat own_heartbeat() const;
  // The greatest sequence of the stream that was heard of, in whatever way.
  std::uint64_t stream_last() const noexcept;
  // Records that were appended and are not known to be written, control records too.
  std::size_t in_flight() const noexcept { return window_ ? window_->in_flight() : 0; }
  // Since the start.
  std::uint64_t dead_records() const noexcept;
  std::uint64_t unknown_outcomes() const noexcept;

 private:
  struct peer {
    heartbeat last;
    boot_time heard;
  };

  void take(std::uint64_t sequence, const shared_record& record, instant now);
  void after_window(instant now);
  void claim(instant now);
  void lose(ownership_end reason, instant now);
  void stop(stop_reason reason, std::uint64_t sequence, instant now);
  void append_what_waits(instant now);
  void hand_out(record_effect what);
  void hand_out_held();
  void notice(instant now);
  std::size_t rank(boot_time now) const;
  std::optional<boot_time> claim_time(boot_time now) const;

  node_settings settings_;
  protocol_rules rules_;
  record_chain chain_;
  node_role role_ = node_role::joining;
  std::vector<effect> effects_;
  bool is_connected_ = false;
  bool may_claim_ = true;

  // as a standby
  boot_time heard_{};    // the owner, or what the time of the takeover counts from
  boot_time noticed_{};  // the last event
  boot_time next_heartbeat_{};
  boot_time old_record_seen_{};  // the last live record of another process
  std::map<std::string, peer> peers_;
  std::optional<boot_time> short_since_;  // since when servers say that the stream ends before what was read
  std::uint64_t known_last_ = 0;          // the greatest last sequence that was heard of

  // A window of the owner's groups at most, and control records behind them.
  std::deque<record_effect> held_;
  position visible_;  // what the owner is known to show
  position applied_;  // what this node shows

  // as the owner
  std::optional<append_window> window_;
  read_lease lease_;
  std::optional<boot_time> begins_;  // the claim is written: when the ownership begins
  bool waits_for_old_lease_ = false;
  position next_position_;
  bool is_releasing_ = false;
  bool release_appended_ = false;
  std::string successor_;

  std::uint64_t dead_records_ = 0;
  std::uint64_t unknown_outcomes_ = 0;
  std::uint64_t attempts_ = 0;  // of earlier windows
};

}  // namespace ordem::cluster
