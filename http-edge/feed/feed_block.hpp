// A part of the change feed: the events of a range of positions, rendered once for all readers. Immutable once it is
// shared; thread-safe then.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "engine/model/ids.hpp"
#include "engine/model/order_change.hpp"
#include "http-edge/feed/feed_filter.hpp"

namespace ordem::http_edge {

// A block takes no further event once its text has this size. An event may be larger: an order of the largest body.
inline constexpr std::size_t feed_block_bytes = std::size_t{64} << 10;

class feed_block {
 public:
  // An event, by its place in text(): "id: N\ndata: JSON\n\n", as a text/event-stream has it.
  struct event {
    ordem::position position;
    verdict what = verdict::order_created;
    std::uint32_t tenant = 0;  // its number in the block
    std::size_t begin = 0;
    std::size_t json = 0;  // where the JSON begins; two line ends follow it
    std::size_t end = 0;
  };

  // A block that begins behind a position.
  explicit feed_block(position after) : after_(after), last_(after) {}

  // --- building, by one thread ---

  // Appends the next change. REQUIRES: it is behind last().
  void add(const order_change& what, std::string_view log_id);
  bool is_full() const noexcept { return text_.size() >= feed_block_bytes; }
  // Ends the block at that position, which is at or behind the last event. Called once, last.
  void finish(position last);

  // --- reading ---

  // The block has every event behind after(), up to last(), that it was made for.
  position after() const noexcept { return after_; }
  position last() const noexcept { return last_; }
  std::size_t events() const noexcept { return events_.size(); }
  // Returns about how much memory it takes, without lines().
  std::size_t bytes() const noexcept {
    return sizeof(*this) + text_.size() + events_.size() * (sizeof(event) + sizeof(entry));
  }

  // All events as text/event-stream, and as lines of JSON. The lines are made by the first caller.
  const std::string& text() const noexcept { return text_; }
  const std::string& lines() const;

  std::string_view frame_of(const event& which) const noexcept { return slice(which.begin, which.end); }
  // With one line end behind it.
  std::string_view line_of(const event& which) const noexcept { return slice(which.json, which.end - 1); }
  std::string_view json_of(const event& which) const noexcept { return slice(which.json, which.end - 2); }

  // Returns whether the filter takes every event.
  bool is_taken_whole(const feed_filter& by) const noexcept;
  // Calls visit(event) for each event behind a position that the filter takes, in order, until it returns false.
  template <class Visit>
  void select(const feed_filter& by, position behind, Visit visit) const {
    if (by.customer_id) {
      for (auto each = first_of(by.tenant, *by.customer_id); each != by_customer_.size(); ++each) {
        const entry& found = by_customer_[each];
        if (!is_of(found, by.tenant, *by.customer_id)) return;
        const event& what = events_[found.event];
        if (what.position > behind && by.takes(what.what) && !visit(what)) return;
      }
      return;
    }
    const auto tenant = tenant_of(by.tenant);
    if (tenant == tenants_.size()) return;
    for (const event& what : events_) {
      if (what.position > behind && what.tenant == tenant && by.takes(what.what) && !visit(what)) return;
    }
  }

 private:
  // The index: the events of a customer of a tenant are found by one search.
  struct entry {
    std::uint32_t tenant = 0;
    std::uint32_t event = 0;
    std::string customer;
  };

  std::string_view slice(std::size_t from, std::size_t to) const noexcept {
    return std::string_view(text_).substr(from, to - from);
  }
  std::size_t tenant_of(std::string_view name) const noexcept;
  std::size_t first_of(std::string_view tenant, std::string_view customer) const noexcept;
  bool is_of(const entry& what, std::string_view tenant, std::string_view customer) const noexcept;

  const position after_;
  position last_;
  std::string text_;
  std::vector<event> events_;
  std::vector<std::string> tenants_;
  std::vector<entry> by_customer_;  // by tenant, customer and event, once the block is finished
  std::uint8_t verdicts_ = 0;       // of all events, as in feed_filter
  mutable std::once_flag lines_made_;
  mutable std::string lines_;
};

using shared_feed_block = std::shared_ptr<const feed_block>;

}  // namespace ordem::http_edge
