// Threads that read orders, and the versions that updates are merged from, from disk for their actors. So a slow read
// delays only its order, not the other orders of the shard, nor the connections of the I/O thread that submitted the
// message. Owned by the gateway.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "actors/interfaces.hpp"
#include "engine/model/ids.hpp"
#include "engine/ports/readers.hpp"

namespace ordem::actors {

// Thread-safe. Its queue holds at most one request for each live order.
class order_loader {
 public:
  // Number of concurrent reads; more wait in the queue. An idle thread costs only its stack.
  static constexpr std::size_t threads_default = 4;

  // `committed` must outlive the loader.
  explicit order_loader(const order_lookup& committed) : committed_(committed) {}
  ~order_loader() { stop(); }
  order_loader(const order_loader&) = delete;
  order_loader& operator=(const order_loader&) = delete;

  // Starts the threads, which run actors of `system`. REQUIRES: `system` is not destroyed before stop() returns.
  void start(caf::actor_system& system, std::size_t threads = threads_default);

  // Reads the order and sends it to `actor` as `loaded`, which the loader thread then runs. Does nothing after stop().
  void load(const order_id& id, order_handle actor);

  // As load(), for one version of the order, which `actor` gets as `base_loaded`.
  void load_version(const order_id& id, version which, order_handle actor);

  // Waits for the reads in progress and drops the requests in the queue.
  void stop();

 private:
  struct request {
    order_id id;
    std::optional<version> which;  // absent: the current one
    order_handle actor;
  };

  void add(request&& what);
  void run(caf::actor_system& system);

  const order_lookup& committed_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<request> requests_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace ordem::actors
