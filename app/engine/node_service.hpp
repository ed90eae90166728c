// A server as a node of a cluster: its data folder, its cluster_node and the engine that it has while it owns the log.
// Owned by the command `serve`.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "app/engine/engine_host.hpp"
#include "app/observability/logger.hpp"
#include "app/process/server_reports.hpp"
#include "app/settings/settings.hpp"
#include "cluster/forwarding/forwarding_port.hpp"
#include "cluster/node/cluster_node.hpp"
#include "cluster/store/replicated_store.hpp"
#include "engine/model/time.hpp"
#include "engine/ports/read_gate.hpp"
#include "engine/ports/tracing.hpp"
#include "http-edge/protocol/service_status.hpp"
#include "storage/log/store.hpp"

namespace ordem::app {

// All must outlive the node.
struct node_surroundings {
  time_source& clock;
  ordem::tracer* tracer = nullptr;  // null: requests are not traced
  logger& log;
  server_reports& reports;
  http_edge::service_status& status;
  // Reads of this node show more. Called by any thread; must not block.
  std::function<void()> on_visible = [] {};
};

// One thread at a time, unless said otherwise.
class node_service {
 public:
  // `data`: the open folder. `http_address`: where others reach this node, or empty.
  node_service(const settings& values, std::unique_ptr<cluster::replicated_store> data, std::string http_address,
               node_surroundings around);
  // Ends the node without a release.
  ~node_service();
  node_service(const node_service&) = delete;
  node_service& operator=(const node_service&) = delete;

  storage::store& store() noexcept { return data_->store(); }
  const engine_host& engine() const noexcept { return engine_; }
  cluster::forwarding_port& port() noexcept { return node_->port(); }
  read_gate& reads() noexcept { return node_->reads(); }
  // Thread-safe.
  cluster::cluster_node_stats stats() const { return node_->stats(); }

  // Begins to read the log. The status becomes ready once the node has read it to its end. REQUIRES: all queues have
  // been added to the port.
  void start();
  // Lets the status say whether requests reach an owner by way of this node. Called several times a second.
  void update_status();
  // Gives the log up for good, as the process is about to end; goes on to forward. Blocks for `timeout` at most.
  void retire(std::chrono::milliseconds timeout);
  // Ends the node and closes the data folder. Submissions that wait get no reply. Called once, after everything else
  // has ended.
  void close();

 private:
  cluster::cluster_node_events node_events();
  std::unique_ptr<cluster::owner_engine> make_engine(std::uint64_t epoch, storage::log& log);
  http_edge::cluster_report report() const;

  const std::string cluster_name_;
  const std::string node_name_;
  const node_surroundings around_;
  std::unique_ptr<cluster::replicated_store> data_;
  engine_host engine_;
  std::unique_ptr<cluster::cluster_node> node_;  // null once closed
  // The same node, also while it is being destroyed: its engine still reports then.
  cluster::cluster_node* running_ = nullptr;
};

}  // namespace ordem::app
