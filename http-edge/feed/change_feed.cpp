#include "http-edge/feed/change_feed.hpp"

#include <pthread.h>

#include <algorithm>
#include <memory>

#include "engine/base/check.hpp"

namespace ordem::http_edge {
namespace {

// Entries of one read of the log for a reader behind the newest blocks. With a filter most of them are no event.
constexpr std::size_t entries_at_once = 256;
constexpr std::size_t filtered_entries_at_once = 2048;
// The pause after the log could not be read for the newest blocks.
constexpr auto retry_pause = std::chrono::seconds(1);

std::chrono::microseconds pause_for(std::size_t readers) {
  return std::clamp<std::chrono::microseconds>(feed_limits::pause_per_reader * static_cast<std::int64_t>(readers),
                                               feed_limits::pause_min, feed_limits::pause_max);
}

// Renders the changes as blocks that have the range from `after` to changes.through without a gap.
std::vector<shared_feed_block> render(position after, const order_changes& changes, const std::string& log_id) {
  std::vector<shared_feed_block> blocks;
  auto next = std::make_shared<feed_block>(after);
  for (const order_change& each : changes.changes) {
    if (next->is_full()) {
      next->finish(next->last());
      const position behind = next->last();
      blocks.push_back(std::exchange(next, std::make_shared<feed_block>(behind)));
    }
    next->add(each, log_id);
  }
  next->finish(changes.through);
  blocks.push_back(std::move(next));
  return blocks;
}

}  // namespace

void change_feed::attach(const change_reader& changes) {
  ORDEM_CHECK(changes_ == nullptr);
  changes_ = &changes;
  tail_ = std::thread([this] { run_tail(); });
  pthread_setname_np(tail_.native_handle(), "ordem-feed");
  for (std::size_t i = 0; i < feed_limits::read_threads; ++i) {
    readers_behind_.emplace_back([this] { run_reads(); });
    pthread_setname_np(readers_behind_.back().native_handle(), "ordem-feed-read");
  }
}

void change_feed::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  {
    const std::lock_guard lock(reads_mutex_);
    reads_stopping_ = true;
  }
  reads_changed_.notify_all();
  if (tail_.joinable()) tail_.join();
  for (std::thread& each : readers_behind_) each.join();
  readers_behind_.clear();
  reads_.clear();
}

std::optional<change_feed::permit> change_feed::admit() {
  readers::iterator admitted;
  {
    const std::lock_guard lock(mutex_);
    if (readers_.size() == readers_max_) {
      counters_.refused.fetch_add(1, std::memory_order_relaxed);
      return std::nullopt;
    }
    admitted = readers_.emplace(readers_.end());
  }
  counters_.readers.fetch_add(1, std::memory_order_relaxed);
  changed_.notify_one();
  return permit(*this, admitted);
}

void change_feed::leave(readers::iterator which) noexcept {
  counters_.readers.fetch_sub(1, std::memory_order_relaxed);
  const std::lock_guard lock(mutex_);
  readers_.erase(which);
}

change_feed::next_block change_feed::next(position after) const {
  const std::lock_guard lock(mutex_);
  if (after >= (tail_runs_ ? last_ : changes_->visible())) return at_end();
  const auto found = std::upper_bound(recent_.begin(), recent_.end(), after,
                                      [](position at, const shared_feed_block& each) { return at < each->last(); });
  if (found == recent_.end() || (*found)->after() > after) return behind();
  return *found;
}

std::uint64_t change_feed::lag() const noexcept {
  const std::uint64_t rendered = rendered_.load(std::memory_order_acquire);
  if (rendered == 0) return 0;  // changes_ is set before it is not
  const std::uint64_t visible = changes_->visible().number;
  return visible - std::min(visible, rendered);
}

std::uint64_t change_feed::slowest_lag() const {
  const std::lock_guard lock(mutex_);
  std::uint64_t least = reader::unknown;
  for (const reader& each : readers_) least = std::min(least, each.sent_to.load(std::memory_order_relaxed));
  if (least == reader::unknown) return 0;
  const std::uint64_t visible = changes_->visible().number;
  return visible - std::min(visible, least);
}

// --- the newest blocks ---

// Either this exchange comes first, and the caller's check of visible() comes after it and sees what became visible; or
// the one of has_more() comes first, and then the thread is woken. It holds the mutex from there until it waits.
void change_feed::on_visible() noexcept {
  if (!tail_waits_.exchange(false, std::memory_order_acq_rel)) return;
  {
    const std::lock_guard lock(mutex_);
  }
  changed_.notify_all();
}

bool change_feed::has_more() noexcept {
  tail_waits_.exchange(true, std::memory_order_acq_rel);
  if (changes_->visible() <= last_) return false;
  tail_waits_.store(false, std::memory_order_relaxed);
  return true;
}

void change_feed::run_tail() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return stopping_ || readers_.empty() == tail_runs_ || (tail_runs_ && has_more()); });
    if (stopping_) return;
    if (readers_.empty()) {
      tail_runs_ = false;
      recent_.clear();
      recent_bytes_ = 0;
      rendered_.store(0, std::memory_order_relaxed);
    } else if (!tail_runs_) {
      begin_tail(lock);
    } else {
      extend_tail(lock);
    }
  }
}

// Begins at the end of the log. Readers before it read from the log.
void change_feed::begin_tail(std::unique_lock<std::mutex>& lock) {
  tail_runs_ = true;
  last_ = changes_->visible();
  rendered_.store(last_.number, std::memory_order_release);
  lock.unlock();
  for (const auto& each : listeners_) each();
  lock.lock();
}

void change_feed::extend_tail(std::unique_lock<std::mutex>& lock) {
  const position after = last_;
  const auto pause = pause_for(readers_.size());
  lock.unlock();
  const auto changes = changes_->read_changes(after, feed_limits::tail_entries_max);
  if (!changes) {
    // Readers behind a gap read from the log, and are told what is wrong with it.
    lock.lock();
    changed_.wait_for(lock, retry_pause, [this] { return stopping_; });
    tail_runs_ = false;
    recent_.clear();
    recent_bytes_ = 0;
    return;
  }
  publish(render(after, *changes, changes_->log_id()), changes->through);
  lock.lock();
  if (changes_->visible() > last_) return;
  changed_.wait_for(lock, pause, [this] { return stopping_; });
}

void change_feed::publish(std::vector<shared_feed_block>&& blocks, position last) {
  {
    const std::lock_guard lock(mutex_);
    for (shared_feed_block& each : blocks) {
      recent_bytes_ += each->bytes();
      recent_.push_back(std::move(each));
    }
    while (recent_.size() > 1 && recent_bytes_ > feed_limits::recent_bytes_max) {
      recent_bytes_ -= recent_.front()->bytes();
      recent_.pop_front();
    }
    last_ = last;
  }
  rendered_.store(last.number, std::memory_order_release);
  for (const auto& each : listeners_) each();
}

// --- readers behind them ---

void change_feed::read(position after, const feed_filter& by, read_callback done) {
  counters_.reads_behind.fetch_add(1, std::memory_order_relaxed);
  {
    const std::lock_guard lock(reads_mutex_);
    reads_.push_back({after, by, std::move(done)});
  }
  reads_changed_.notify_one();
}

void change_feed::run_reads() {
  std::unique_lock lock(reads_mutex_);
  while (true) {
    reads_changed_.wait(lock, [this] { return reads_stopping_ || !reads_.empty(); });
    if (reads_stopping_) return;
    pending_read next = std::move(reads_.front());
    reads_.pop_front();
    lock.unlock();
    next.done(read_block(next.after, next.by));
    lock.lock();
  }
}

change_feed::read_result change_feed::read_block(position after, const feed_filter& by) const {
  auto made = std::make_shared<feed_block>(after);
  const std::size_t at_once = by.customer_id ? filtered_entries_at_once : entries_at_once;
  position through = after;
  while (!made->is_full() && through.number - after.number < feed_limits::looked_at_max) {
    const auto changes = changes_->read_changes(through, at_once);
    if (!changes) return tl::make_unexpected(changes.error());
    if (changes->through == through) break;
    through = changes->through;
    for (const order_change& each : changes->changes) {
      if (made->is_full()) {
        through = made->last();
        break;
      }
      const order& of = *each.order;
      if (by.takes(of.origin.tenant, of.content.customer_id, each.what)) made->add(each, changes_->log_id());
    }
  }
  made->finish(through);
  return made;
}

}  // namespace ordem::http_edge
