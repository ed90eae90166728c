#include "app/engine/node_service.hpp"

#include <string_view>
#include <utility>

#include "app/process/version.hpp"

namespace ordem::app {
namespace {

std::int64_t number_of(std::uint64_t value) {
  return static_cast<std::int64_t>(value);
}

cluster::cluster_node_settings node_settings_of(const settings& values, std::string http_address) {
  cluster::cluster_node_settings made;
  made.nats = values.cluster.nats;
  made.names = cluster::names_of(values.cluster.name);
  made.node = values.node.name;
  made.http_address = std::move(http_address);
  made.program_version = version_text;
  return made;
}

// The gateway of one ownership.
class owned_engine final : public cluster::owner_engine {
 public:
  owned_engine(engine_host& host, storage::log& log) : host_(host) {
    host_.begin(log);
    host_.gateway().start_consuming();
  }
  ~owned_engine() override { host_.end(); }
  owned_engine(const owned_engine&) = delete;
  owned_engine& operator=(const owned_engine&) = delete;

  message_port& port() override { return host_.gateway(); }
  std::uint32_t add_queue(completion_queue& queue) override { return host_.gateway().add_queue(queue); }
  bool drain(milliseconds timeout) override { return host_.gateway().drain(timeout); }
  void seal() override { host_.gateway().seal(); }

 private:
  engine_host& host_;
};

}  // namespace

node_service::node_service(const settings& values, std::unique_ptr<cluster::replicated_store> data,
                           std::string http_address, node_surroundings around)
    : cluster_name_(values.cluster.name),
      node_name_(values.node.name),
      around_(std::move(around)),
      data_(std::move(data)),
      engine_(values, data_->store().log_id(),
              {.view = data_->store().view(),
               .clock = around_.clock,
               .tracer = around_.tracer,
               .log = around_.log,
               .reports = around_.reports,
               .status = around_.status},
              [this] {
                running_->on_visible();
                around_.on_visible();
              }),
      node_(std::make_unique<cluster::cluster_node>(
          node_settings_of(values, std::move(http_address)),
          cluster::cluster_node_ports{
              .store = *data_,
              .clock = around_.clock,
              .make_engine = [this](std::uint64_t epoch, storage::log& log) { return make_engine(epoch, log); }},
          node_events())) {
  running_ = node_.get();
  around_.status.set_routes(false);
  around_.reports.set_cluster([this] { return report(); });
}

node_service::~node_service() {
  around_.reports.set_cluster({});
}

void node_service::start() {
  around_.log.info(
      "joining the cluster",
      {{"cluster", cluster_name_}, {"node", node_name_}, {"position", number_of(store().log().last().number)}});
  node_->start();
}

void node_service::update_status() {
  around_.status.set_routes(node_->routes_requests());
}

void node_service::retire(std::chrono::milliseconds timeout) {
  if (!node_->retire(timeout)) {
    around_.log.warning("the log could not be released in time; another node takes over after a while");
  }
}

void node_service::close() {
  around_.reports.set_cluster({});
  node_.reset();
  // What the engine had not applied when it ended.
  if (const auto applied = data_->applier().catch_up(); !applied) {
    around_.log.error(applied.error().message);
    return;  // the next start reads the log again
  }
  data_->store().close();
}

std::unique_ptr<cluster::owner_engine> node_service::make_engine(std::uint64_t, storage::log& log) {
  return std::make_unique<owned_engine>(engine_, log);
}

cluster::cluster_node_events node_service::node_events() {
  cluster::cluster_node_events events;
  events.on_joined = [this] {
    around_.log.info("the log has been read to its end",
                     {{"position", number_of(data_->store().view().visible().number)}});
    around_.status.set_ready();
  };
  events.on_applied = [this] { around_.on_visible(); };
  events.on_owner = [this](const std::string& owner, std::uint64_t epoch) {
    if (owner == node_name_) return;  // on_ownership_begun follows
    if (owner.empty()) {
      around_.log.info("no node owns the log", {{"epoch", number_of(epoch)}});
    } else {
      around_.log.info("another node owns the log", {{"owner", owner}, {"epoch", number_of(epoch)}});
    }
  };
  events.on_ownership_begun = [this](std::uint64_t epoch) {
    around_.log.info("this node owns the log",
                     {{"epoch", number_of(epoch)}, {"position", number_of(data_->store().view().visible().number)}});
  };
  events.on_ownership_ended = [this](std::uint64_t epoch, cluster::ownership_end reason) {
    switch (reason) {
      case cluster::ownership_end::fenced:
        around_.log.warning("another node has taken the log over; this one stands by", {{"epoch", number_of(epoch)}});
        break;
      case cluster::ownership_end::released:
        around_.log.info("this node has released the log, and stands by", {{"epoch", number_of(epoch)}});
        break;
      case cluster::ownership_end::stopped:
        around_.log.error("this node does not own the log any more", {{"epoch", number_of(epoch)}});
        break;
    }
  };
  events.on_stopped = [this](cluster::stop_reason, const std::string& why) {
    around_.log.error("this node has stopped: it neither reads nor writes the log, and serves stale reads alone",
                      {{"reason", why}});
  };
  events.on_connection = [this](bool works) {
    if (works) {
      around_.log.info("connected to NATS");
    } else {
      around_.log.warning("the connection to NATS is lost; trying again");
    }
  };
  events.on_error = [this](std::string_view what) { around_.log.warning(what); };
  return events;
}

http_edge::cluster_report node_service::report() const {
  const cluster::cluster_node_stats now = node_->stats();
  return {.name = cluster_name_,
          .node = node_name_,
          .role = std::string(to_string(now.role)),
          .epoch = now.epoch,
          .owner = now.owner,
          .owner_address = now.owner_address,
          .sequence = now.read_to,
          .applied = now.applied,
          .is_connected = now.is_connected,
          .stopped_because = now.stopped ? now.stopped_why : std::string()};
}

}  // namespace ordem::app
