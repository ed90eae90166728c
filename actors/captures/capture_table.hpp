// What a dedupe shard knows of its captures: those that changed and are not durable yet here, all others in the store.
// A plain class, owned by one shard.
#pragma once

#include <cstddef>
#include <unordered_map>

#include "actors/execution.hpp"
#include "engine/model/capture.hpp"
#include "engine/ports/readers.hpp"

namespace ordem::actors {

class capture_table {
 public:
  struct admission {
    ordem::answer answer;
    // The change that it makes, if it makes one.
    std::optional<storage::entry> entry;
    // It speaks of what is not durable yet: it goes to the commit writer, behind what it depends on, until settle().
    bool waits = false;
  };

  // `committed` must outlive the table.
  capture_table(const capture_reader& committed, const capture_terms& terms) : committed_(committed), terms_(terms) {}

  // Decides on what was decided before, durable or not.
  admission admit(capture_request&& asked, const clock_reading& now);

  // An answer that waited is durable, or has failed.
  void complete(const capture_key& key);

  std::size_t in_flight() const noexcept { return undurable_.size(); }

 private:
  struct state {
    shared_capture decided;
    std::size_t waiting = 0;  // answers that depend on it
  };

  const capture_reader& committed_;
  const capture_terms terms_;
  std::unordered_map<capture_key, state> undurable_;
};

}  // namespace ordem::actors
