// All connections of a node to NATS: a link to each server, the reader of the stream, and the messages between nodes.
// Each goes on by itself when it is lost; one that NATS has closed for good is made anew after a pause, on a thread of
// its own, since that may block. Owned by the node.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cluster/nats/cluster_names.hpp"
#include "cluster/nats/log_link.hpp"
#include "cluster/nats/nats_settings.hpp"
#include "cluster/nats/stream_reader.hpp"
#include "cluster/nats/stream_settings.hpp"
#include "cluster/node/stream_position.hpp"
#include "cluster/protocol/effect.hpp"
#include "cluster/protocol/heartbeat.hpp"
#include "cluster/protocol/record_chain.hpp"
#include "engine/model/time.hpp"
#include "storage/records/log_record.hpp"

namespace ordem::cluster {

struct node_connections_settings {
  nats_settings nats;
  cluster_names names;
  std::string node;
  milliseconds reconnect_after{2000};  // the pause before something is made anew or asked again
  // A stream that does not have the last record of the copy is believed after this time: a stale leader says so, too.
  milliseconds lost_after{10'000};
};

// Called on any thread; must not block, nor call the connections. Not called after the destructor.
struct node_connections_handlers {
  using respond_function = std::function<void(std::string)>;

  std::function<void(const link_answer&)> on_answer;
  std::function<void(heartbeat&&)> on_heartbeat;
  // Requests of other nodes. `respond` may be called later, on any thread.
  std::function<void(std::string_view body, respond_function respond)> on_submit;
  std::function<void(std::string_view body, respond_function respond)> on_read_index;
  // Requests of operators.
  std::function<void(std::string_view body, respond_function respond)> on_control;
  // How far the copy has the log; nullopt if the stream does not have its last record, which is for good. Called once.
  std::function<void(tl::expected<chain_state, position_error>)> on_position;
  // What ask_stream_info() has asked for; nullopt if no answer came.
  std::function<void(std::optional<stream_info>)> on_stream_info;
  // There are records to take, or a connection was established or lost.
  std::function<void()> on_change;
  std::function<void(std::string_view what)> on_error;  // a sentence
};

// start() once; the rest is thread-safe, unless said otherwise.
class node_connections {
 public:
  node_connections(node_connections_settings settings, node_connections_handlers handlers);
  ~node_connections();
  node_connections(const node_connections&) = delete;
  node_connections& operator=(const node_connections&) = delete;

  // Begins to connect, and to look for the record with which the copy ends. Reads on behind it.
  void start(std::optional<storage::log_record_header> last);
  // Ends all threads; no handler is called afterwards. Blocks for the time of an attempt to connect.
  void stop();

  // Whether the log can be read and appended to, and other nodes be reached.
  bool is_up();

  struct link_state {
    bool is_up = false;
    std::uint64_t losses = 0;
  };
  std::vector<link_state> links();

  // By the link with that number, modulo their count, or the next one that is up. Returns false if it was not sent.
  // One thread at a time.
  bool append(const publish_effect& what, std::uint64_t epoch);
  // Asks the stream's leader, and any replica.
  void look_up(const look_up_effect& what, std::uint64_t epoch);

  // See stream_reader. Without a reader there is nothing to take, and it is not current. One thread at a time.
  void take(std::vector<stream_record>& records);
  // The records before this sequence need not be read any more. `skips`: nor by the present reader, since they came
  // another way.
  void note_read(std::uint64_t sequence, bool skips);
  bool is_current();

  void ask_stream_info();
  void send_heartbeat(const heartbeat& what);
  // See core_messages::request(); `done` gets nullopt if there is no connection.
  void request(const std::string& subject, std::string_view body, milliseconds timeout,
               std::function<void(std::optional<std::string>)> done);
  std::uint64_t dropped_messages();

 private:
  struct parts;
  std::unique_ptr<parts> parts_;
};

}  // namespace ordem::cluster
