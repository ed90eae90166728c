#include "actors/commit/write_recovery.hpp"

#include <algorithm>
#include <utility>

namespace ordem::actors {

write_recovery::write_recovery(write_recovery_parts parts) : parts_(std::move(parts)), thread_([this] { run(); }) {}

void write_recovery::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
}

void write_recovery::begin() {
  const std::lock_guard lock(mutex_);
  wanted_ = true;
  changed_.notify_all();
}

void write_recovery::run() {
  std::unique_lock lock(mutex_);
  for (auto delay = parts_.retry_first;;) {
    changed_.wait(lock, [this] { return wanted_ || stopping_; });
    if (changed_.wait_for(lock, delay, [this] { return stopping_; })) return;
    wanted_ = false;
    lock.unlock();
    const attempt result = try_once();
    lock.lock();
    switch (result) {
      case attempt::succeeded: delay = parts_.retry_first; break;
      case attempt::failed:
        wanted_ = true;
        delay = std::min(2 * delay, parts_.retry_longest);
        break;
      case attempt::ended: return;
    }
  }
}

write_recovery::attempt write_recovery::try_once() {
  const auto failed = [this](const storage::error& why) {
    if (why.code == storage::error_code::permanent) {
      parts_.on_end(why);
      return attempt::ended;
    }
    parts_.on_failure(why);
    return attempt::failed;
  };
  // With durability::postgres, messages may be in flight until Postgres has them.
  if (!parts_.replies->wait_until_idle(parts_.retry_longest)) {
    return failed({storage::error_code::unavailable, "earlier writes wait for their responses"});
  }
  parts_.forget();
  if (auto recovered = parts_.log->recover(); !recovered) return failed(recovered.error());
  if (auto recovered = parts_.view->recover(); !recovered) return failed(recovered.error());
  parts_.on_success();
  return attempt::succeeded;
}

}  // namespace ordem::actors
