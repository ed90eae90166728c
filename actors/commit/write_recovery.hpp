// Brings writes back after a failure, once its cause is gone: a full disk that has room again, descriptors that are
// free again. A thread of its own tries, with growing delays:
//
//   1. waits until nothing is in flight. Writes are refused, so whatever was appended and did not become durable has
//      been answered
//   2. makes the order shards forget their orders, some of which may be ahead of what is durable
//   3. lets the log drop what is not durable, and the view write its files
//
// Owned by the gateway.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "actors/commit/reply_router.hpp"
#include "storage/log/log.hpp"
#include "storage/log/view.hpp"

namespace ordem::actors {

// What is given by pointer must outlive the recovery. The functions are called on its thread.
struct write_recovery_parts {
  storage::log* log = nullptr;
  storage::view_writer* view = nullptr;
  reply_router* replies = nullptr;
  // Drops the orders that are decided and not durable. Called while nothing is in flight.
  std::function<void()> forget;
  // A try failed; another follows.
  std::function<void(const storage::error&)> on_failure;
  // Writes work again.
  std::function<void()> on_success;
  // No later try can succeed.
  std::function<void(const storage::error&)> on_end;
  // Delay before the first try, doubled up to retry_longest.
  std::chrono::milliseconds retry_first{};
  std::chrono::milliseconds retry_longest{};
};

class write_recovery {
 public:
  explicit write_recovery(write_recovery_parts parts);
  ~write_recovery() { stop(); }

  // A write has failed, and writes are refused from now on. Does nothing after stop(). Thread-safe.
  void begin();

  // Stops the thread, after the try that it is in.
  void stop();

 private:
  enum class attempt : std::uint8_t { succeeded, failed, ended };

  void run();
  attempt try_once();

  const write_recovery_parts parts_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool wanted_ = false;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace ordem::actors
