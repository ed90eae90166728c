// The change feed: what all readers share. One thread reads the end of the log, while there are readers, and renders
// each change once, as blocks. The newest blocks stay in memory, up to a bound. A reader is a position: it takes blocks
// at its own speed, and one that is behind the newest blocks has its next block read from the log by a small pool of
// threads. So nothing is kept for a reader but the block that is being sent to it.
//
// Owned by the server. Thread-safe, except where a function says otherwise.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <list>
#include <mutex>
#include <optional>
#include <thread>
#include <tl/expected.hpp>
#include <utility>
#include <variant>
#include <vector>

#include "engine/model/ids.hpp"
#include "engine/ports/change_reader.hpp"
#include "http-edge/feed/feed_block.hpp"
#include "http-edge/feed/feed_counters.hpp"
#include "http-edge/feed/feed_filter.hpp"

namespace ordem::http_edge {

namespace feed_limits {
// The text of the newest blocks that are kept. Readers that are further behind read from the log.
inline constexpr std::size_t recent_bytes_max = std::size_t{8} << 20;
// Entries of one read of the log for the newest blocks.
inline constexpr std::size_t tail_entries_max = 1024;
// Entries that one read for a reader behind them, or a page, looks at.
inline constexpr std::size_t looked_at_max = 10'000;
// Threads that read for readers behind the newest blocks.
inline constexpr std::size_t read_threads = 2;
// After it has rendered what there was, the feed waits this long for each reader, so that the events of many small
// commits become one write to a reader: at least pause_min, at most pause_max.
inline constexpr auto pause_per_reader = std::chrono::microseconds(100);
inline constexpr auto pause_min = std::chrono::microseconds(2'000);
inline constexpr auto pause_max = std::chrono::microseconds(100'000);
}  // namespace feed_limits

class change_feed {
 public:
  change_feed(std::size_t readers_max, feed_counters& counters) : readers_max_(readers_max), counters_(counters) {}
  ~change_feed() { stop(); }
  change_feed(const change_feed&) = delete;
  change_feed& operator=(const change_feed&) = delete;

  // Adds a function that is called, by the feed's thread, after blocks were published. It must not block.
  // REQUIRES: before attach(). Not thread-safe.
  void add_listener(std::function<void()> on_blocks) { listeners_.push_back(std::move(on_blocks)); }
  // Starts the threads. `changes` must outlive the feed, or stop(). Called once; not thread-safe.
  void attach(const change_reader& changes);
  // Entries have become visible. Costs one atomic operation unless the feed's thread waits for entries.
  void on_visible() noexcept;
  // Joins the threads, and drops the reads that wait, with their callbacks. Not thread-safe.
  void stop();

 private:
  struct reader {
    static constexpr std::uint64_t unknown = std::numeric_limits<std::uint64_t>::max();
    std::atomic<std::uint64_t> sent_to{unknown};  // a position
  };
  using readers = std::list<reader>;

 public:
  // One reader, while it exists.
  class permit {
   public:
    permit(permit&& other) noexcept : of_(std::exchange(other.of_, nullptr)), which_(other.which_) {}
    permit(const permit&) = delete;
    permit& operator=(const permit&) = delete;
    permit& operator=(permit&&) = delete;
    ~permit() {
      if (of_ != nullptr) of_->leave(which_);
    }

    // The client has taken all events up to that position, for slowest_lag(). Not called for pages, whose clients are
    // no readers between two of them. Costs one store.
    void set_sent_to(position what) const noexcept { which_->sent_to.store(what.number, std::memory_order_relaxed); }

   private:
    friend class change_feed;
    permit(change_feed& of, readers::iterator which) noexcept : of_(&of), which_(which) {}
    change_feed* of_;
    readers::iterator which_;
  };
  // Returns nullopt if there are as many readers as the bound allows. REQUIRES: attach() was called.
  std::optional<permit> admit();

  struct at_end {};  // nothing is behind the position yet; a listener is called once there may be
  struct behind {};  // the next block has to be read from the log
  using next_block = std::variant<shared_feed_block, at_end, behind>;
  // Returns the block that has the events behind that position. It may begin before the position.
  next_block next(position after) const;

  using read_result = tl::expected<shared_feed_block, change_error>;
  using read_callback = std::function<void(read_result&&)>;
  // Reads the block behind that position from the log: the events that the filter takes, until the block is full or
  // looked_at_max entries were looked at. It is empty if there is none yet. Calls back on a thread of the pool. Each
  // reader has at most one read under way.
  void read(position after, const feed_filter& by, read_callback done);

  // REQUIRES: attach() was called.
  position visible() const noexcept { return changes_->visible(); }
  const change_reader& changes() const noexcept { return *changes_; }
  feed_counters& counters() noexcept { return counters_; }
  // Returns how many entries are visible that the feed's thread has not rendered yet; 0 without a reader.
  std::uint64_t lag() const noexcept;
  // Returns how many entries are visible that the stream that is furthest behind has not been sent; 0 without a stream.
  // Looks at every reader.
  std::uint64_t slowest_lag() const;

 private:
  struct pending_read {
    position after;
    feed_filter by;
    read_callback done;
  };

  void leave(readers::iterator which) noexcept;
  void run_tail();
  bool has_more() noexcept;
  void begin_tail(std::unique_lock<std::mutex>& lock);
  void extend_tail(std::unique_lock<std::mutex>& lock);
  void publish(std::vector<shared_feed_block>&& blocks, position last);
  void run_reads();
  read_result read_block(position after, const feed_filter& by) const;

  const std::size_t readers_max_;
  feed_counters& counters_;
  std::vector<std::function<void()>> listeners_;
  const change_reader* changes_ = nullptr;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  readers readers_;
  bool tail_runs_ = false;  // recent_ ends at last_, and goes on
  position last_;
  std::deque<shared_feed_block> recent_;  // without a gap, the last one ends at last_
  std::size_t recent_bytes_ = 0;
  std::atomic<std::uint64_t> rendered_{0};  // last_, while there are readers, for lag()
  std::atomic<bool> tail_waits_{false};     // for on_visible()
  std::thread tail_;

  std::mutex reads_mutex_;
  std::condition_variable reads_changed_;
  bool reads_stopping_ = false;
  std::deque<pending_read> reads_;  // at most one for each reader
  std::vector<std::thread> readers_behind_;
};

}  // namespace ordem::http_edge
