// Threads that read orders from the disk for their actors, so that a slow read delays that order alone: not the other
// orders of its shard, nor the connections of the I/O thread that submitted the message.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "actors/interfaces.hpp"
#include "engine/model/ids.hpp"
#include "engine/ports/readers.hpp"

namespace ordem::actors {

// Thread-safe. Its queue holds at most one request for each live order.
class order_loader {
 public:
  // Reads that may be under way at once; more wait for one of them. An idle thread costs nothing but its stack.
  static constexpr std::size_t threads_default = 4;

  // `committed` must outlive the loader.
  explicit order_loader(const order_reader& committed) : committed_(committed) {}
  ~order_loader() { stop(); }
  order_loader(const order_loader&) = delete;
  order_loader& operator=(const order_loader&) = delete;

  // Starts the threads. They run the actors of `system`, which must outlive stop().
  void start(caf::actor_system& system, std::size_t threads = threads_default);

  // Reads the order and sends it to `actor` as `loaded`, which the loader's thread then runs itself. After stop() the
  // request is dropped.
  void load(const order_id& id, order_handle actor);

  // Waits for the reads that are under way and drops the others.
  void stop();

 private:
  struct request {
    order_id id;
    order_handle actor;
  };

  void run(caf::actor_system& system);

  const order_reader& committed_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<request> requests_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace ordem::actors
