// A node of a cluster: reads the replicated log into the data folder of this machine, owns the log or stands by, takes
// submissions of the edge to the owner, and opens reads. It joins the protocol (cluster/protocol/node_core.hpp), NATS,
// the store and forwarding.
//
// Threads: one of its own drives the protocol, writes the copy, applies the records of other owners to the view, and
// makes and destroys the engine. A second one makes connections, which may block, and a third one is the clock of
// forwarding. Owned by the service.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cluster/forwarding/forward_server.hpp"
#include "cluster/forwarding/forwarding_port.hpp"
#include "cluster/forwarding/read_index_gate.hpp"
#include "cluster/nats/cluster_names.hpp"
#include "cluster/nats/nats_settings.hpp"
#include "cluster/protocol/effect.hpp"
#include "cluster/protocol/heartbeat.hpp"
#include "cluster/protocol/node_core.hpp"
#include "cluster/store/replicated_store.hpp"
#include "engine/model/ids.hpp"
#include "engine/model/time.hpp"
#include "engine/ports/engine_port.hpp"
#include "engine/ports/read_gate.hpp"
#include "storage/log/log.hpp"

namespace ordem::cluster {

// What decides on the node that owns the log: a gateway, and what it needs. Made when an ownership begins and destroyed
// when it ends. Implemented by the service, and by tests. Its functions are called by the node.
class owner_engine {
 public:
  // Destroys the gateway. Called on the node's thread after seal(), so it must not wait for the log, and for anything
  // else not long: while it runs the node sends no heartbeat and applies no record.
  virtual ~owner_engine() = default;

  virtual message_port& port() = 0;
  // That of the gateway. Called before anything is submitted.
  virtual std::uint32_t add_queue(completion_queue& queue) = 0;

  // See gateway::drain(): waits for the replies to all submissions, whose groups the node still appends. Called by the
  // thread that releases the log.
  virtual bool drain(milliseconds timeout) = 0;
  // See gateway::seal(): the log belongs to another node. Called on the node's thread.
  virtual void seal() = 0;
};

// Makes the engine of an ownership: over `log`, which outlives it, and over the view of the store. Its gateway must
// call cluster_node::on_visible() at gateway_events::on_visible. Called on the node's thread; must not call the node.
using owner_engine_factory = std::function<std::unique_ptr<owner_engine>(std::uint64_t epoch, storage::log& log)>;

struct cluster_node_settings {
  nats_settings nats;
  cluster_names names;
  // See node_name_error(); unique in the cluster.
  std::string node;
  std::string http_address;     // host:port for the other nodes and for operators, at most 255 bytes; empty: unknown
  std::string program_version;  // at most 255 bytes
  milliseconds takeover_after{1500};  // see node_settings
  append_settings append;
  forwarding_settings forwarding;
  forward_server_settings server;
  read_index_settings reads;
  std::size_t group_bytes_max = replicated_log_settings{}.group_bytes_max;
  // The pause before a connection that NATS has closed for good is made anew, and before the place of the copy in the
  // stream is looked for again.
  milliseconds reconnect_after{2000};
};

// What the node works on. All must outlive it.
struct cluster_node_ports {
  replicated_store& store;
  time_source& clock;  // the one of the store
  owner_engine_factory make_engine;
};

// News for the log of the service. Called on the node's thread unless said otherwise; must not block, nor call the
// node.
struct cluster_node_events {
  // The node has found its place in the log, and has read it to its end: joining -> standby. Called once.
  std::function<void()> on_joined = [] {};
  // Another owner than before is in the log. `owner`: empty if the log was released.
  std::function<void(const std::string& owner, std::uint64_t epoch)> on_owner = [](const std::string&, std::uint64_t) {
  };
  // A standby's view shows more than before. For the owner, gateway_events::on_visible says it.
  std::function<void()> on_applied = [] {};
  // This node owns the log, and its engine takes submissions; and the end of that.
  std::function<void(std::uint64_t epoch)> on_ownership_begun = [](std::uint64_t) {};
  std::function<void(std::uint64_t epoch, ownership_end reason)> on_ownership_ended = [](std::uint64_t, ownership_end) {
  };
  // For good: the node applies nothing any more. `why`: a sentence.
  std::function<void(stop_reason reason, const std::string& why)> on_stopped = [](stop_reason, const std::string&) {};
  // Whether the node reaches the log and the other nodes. Called when that changes, first with true.
  std::function<void(bool works)> on_connection = [](bool) {};
  // Anything else that an operator should see, as a sentence without secrets; the node goes on. On any thread.
  std::function<void(std::string_view what)> on_error = [](std::string_view) {};
};

// For metrics and status. All as of one moment, but for the stats of forwarding.
struct cluster_node_stats {
  struct link {
    std::string server;  // its URL
    bool is_up = false;
    std::uint64_t losses = 0;
  };
  struct peer {
    heartbeat last;
    milliseconds age{};     // of the last heartbeat
    std::uint64_t lag = 0;  // records of the stream, dead ones too, that it had not read then
  };

  std::string node;
  std::string http_address;
  node_role role = node_role::joining;
  std::uint64_t epoch = 0;
  std::string owner;  // empty: none is known
  std::string owner_address;
  std::optional<stop_reason> stopped;
  std::string stopped_why;  // a sentence

  std::uint64_t stream_last = 0;  // the greatest sequence of which the node knows
  std::uint64_t log_bytes = 0;    // of the stream, as its leader said at most some seconds ago; 0: not known yet
  std::uint64_t log_bytes_max = 0;
  std::uint64_t read_to = 0;  // the sequence up to which it has read
  position read;              // the last position in that
  position applied;           // of the view

  std::uint64_t dead_records = 0;
  std::uint64_t unknown_outcomes = 0;
  std::uint64_t ownerships_begun = 0;
  std::uint64_t ended_fenced = 0;
  std::uint64_t ended_released = 0;
  std::uint64_t ended_stopped = 0;
  std::size_t window_records = 0;  // appended and not acknowledged
  std::size_t window_records_max = 0;

  bool is_connected = false;
  std::vector<link> links;
  std::vector<peer> peers;             // heard of in the last 10 s, by name
  std::uint64_t dropped_messages = 0;  // of other nodes, since this one was too slow
  forwarding_stats forwarding;
};

class cluster_node {
 public:
  // Nothing happens before start(). REQUIRES: settings that are valid; `store` was opened and caught up.
  cluster_node(cluster_node_settings settings, cluster_node_ports ports, cluster_node_events events);
  // Ends the threads, without a release: another node takes over after a while. What waits for an owner gets no reply.
  // Leaves no engine and no log of one behind. Blocks for the time of attempts to connect, 2 s for each server at most.
  ~cluster_node();
  cluster_node(const cluster_node&) = delete;
  cluster_node& operator=(const cluster_node&) = delete;

  // The port for submissions of this node's clients: it is ready at once, and all queues must be added before start().
  // Thread-safe as its header says.
  forwarding_port& port() noexcept;
  // The gate of linearizable reads. Thread-safe.
  read_gate& reads() noexcept;

  // Begins to connect and to read, and tries for ever. Returns at once. Called once.
  void start();

  // Entries have become visible to reads of this node, by its engine. Cheap. Thread-safe.
  void on_visible();

  // Gives the log up: submissions wait for the next owner from now on, what the engine has is executed, and then the
  // release is appended. Blocks until it is in the log. Returns false if this node does not own the log, or if that
  // takes longer than `timeout`; then it may still happen. `successor`: the node that should claim the log; empty: the
  // standby that has read most. Operators ask for it by control_message.hpp. Thread-safe; one call waits for the other.
  bool release(const std::string& successor, milliseconds timeout);
  // As release(), before the process ends: this node never claims the log again. It goes on to apply records and to
  // forward submissions. Returns true if it does not own the log (any more).
  bool retire(milliseconds timeout);

  // The functions below are thread-safe.

  // Returns whether requests can be served by way of this node: it has joined, is not stopped, and an owner was known
  // in the last 10 s.
  bool routes_requests() const;
  // Whether this node owns the log and its engine takes submissions.
  bool is_owner() const noexcept;
  cluster_node_stats stats() const;

 private:
  struct parts;
  std::unique_ptr<parts> parts_;
};

}  // namespace ordem::cluster
