#include "cluster/node/node_appender.hpp"

#include <utility>

#include "engine/base/check.hpp"

namespace ordem::cluster {

using storage::log_error;

tl::expected<void, log_error> node_appender::append(unframed_group group) {
  {
    std::unique_lock lock(mutex_);
    appending_.wait(lock, [this] { return has_failed_ || !group_; });
    if (has_failed_) return tl::make_unexpected(log_error::write_failed);
    ORDEM_CHECK(group.entries > 0 && group.first.number == appended_.number + 1);
    appended_ = {group.first.number + group.entries - 1};
    group_ = std::move(group);
  }
  on_group_();
  return {};
}

tl::expected<position, log_error> node_appender::wait_acknowledged() {
  std::unique_lock lock(mutex_);
  const position appended = appended_;
  syncing_.wait(lock, [&] { return has_failed_ || acknowledged_ >= appended; });
  if (has_failed_ && acknowledged_ < appended) return tl::make_unexpected(log_error::write_failed);
  return acknowledged_;
}

std::optional<std::size_t> node_appender::waiting_bytes() const {
  const std::lock_guard lock(mutex_);
  if (!group_) return std::nullopt;
  return group_->payload.size();
}

unframed_group node_appender::take() {
  std::optional<unframed_group> taken;
  {
    const std::lock_guard lock(mutex_);
    ORDEM_CHECK(group_);
    taken = std::exchange(group_, std::nullopt);
  }
  appending_.notify_one();
  return std::move(*taken);
}

void node_appender::acknowledge(position last) {
  {
    const std::lock_guard lock(mutex_);
    acknowledged_ = std::max(acknowledged_, last);
  }
  syncing_.notify_one();
}

void node_appender::fail() {
  {
    const std::lock_guard lock(mutex_);
    has_failed_ = true;
    group_.reset();
  }
  appending_.notify_one();
  syncing_.notify_one();
}

}  // namespace ordem::cluster
