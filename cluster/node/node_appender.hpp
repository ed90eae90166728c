// The appender of one ownership: hands the groups of the commit writer to the node's thread, one at a time, and tells
// the log syncer when they are acknowledged. While the window of the protocol is full, the commit writer waits here,
// and its next group becomes larger. Owned by the node.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>

#include "cluster/store/group_appender.hpp"

namespace ordem::cluster {

class node_appender final : public group_appender {
 public:
  // `written`: the position of the last entry of the log. `on_group` wakes the node's thread when there is a group to
  // take; it must not block, nor call the appender.
  node_appender(position written, std::function<void()> on_group)
      : on_group_(std::move(on_group)), appended_(written), acknowledged_(written) {}

  tl::expected<void, storage::log_error> append(unframed_group group) override;
  tl::expected<position, storage::log_error> wait_acknowledged() override;

  // The functions below are for the node's thread.

  // The size of the record of the group that waits to be taken, without its end bytes; absent if none waits.
  std::optional<std::size_t> waiting_bytes() const;
  // REQUIRES: a group waits.
  unframed_group take();
  // Everything up to there is acknowledged, and in the copy.
  void acknowledge(position last);
  // The ownership ends: all calls fail from now on, those too that wait.
  void fail();

 private:
  const std::function<void()> on_group_;
  mutable std::mutex mutex_;
  std::condition_variable appending_;  // the group was taken
  std::condition_variable syncing_;    // more is acknowledged
  std::optional<unframed_group> group_;
  position appended_;
  position acknowledged_;
  bool has_failed_ = false;
};

}  // namespace ordem::cluster
