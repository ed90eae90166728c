// The captures of one dedupe shard, by tenant and key: keeps those with a change that is not durable yet, and reads all
// others from the store. A plain class, owned by the shard. Not thread-safe.
#pragma once

#include <cstddef>
#include <optional>

#include "engine/model/capture.hpp"
#include "engine/model/outcome.hpp"
#include "engine/model/tenant_key.hpp"
#include "engine/ports/readers.hpp"
#include "storage/log/entry.hpp"

namespace ordem::actors {

class capture_table {
 public:
  struct admission {
    ordem::answer answer;
    // The change to append to the log, if there is one.
    std::optional<storage::entry> entry;
    // Whether the answer depends on a change that is not durable yet. It then goes to the commit writer, behind that
    // change, and complete() is called once it is durable or has failed.
    bool waits = false;
  };

  // `committed` must outlive the table.
  capture_table(const capture_reader& committed, const capture_terms& terms) : committed_(committed), terms_(terms) {}

  // Decides the request on the capture as it was decided last, durable or not.
  admission admit(capture_request&& request, const clock_reading& now);

  // Ends the wait of one answer of that key, which is durable or has failed.
  // REQUIRES: admit() returned an answer that waits.
  void complete(const tenant_capture_key& key);

  // Returns the number of keys with answers that wait.
  std::size_t in_flight() const noexcept { return undurable_.size(); }

 private:
  struct state {
    shared_capture decided;
    std::size_t waiting = 0;  // answers that depend on the change
  };

  const capture_reader& committed_;
  const capture_terms terms_;
  tenant_map<capture_key, state> undurable_;
};

}  // namespace ordem::actors
