// What a start does with the database of a data folder before it is served: finds the end of the log, checks the data
// against it, and fills the memtables. Used by rocks_store::open(), on its thread. Only for storage/rocksdb/*.cpp.
#pragma once

#include <optional>

#include "engine/model/ids.hpp"
#include "engine/model/time.hpp"
#include "storage/log/error.hpp"
#include "storage/rocksdb/database.hpp"
#include "storage/rocksdb/log_table.hpp"
#include "storage/rocksdb/recent_index.hpp"
#include "storage/rocksdb/record_reader.hpp"
#include "storage/rocksdb/snapshot_set.hpp"

namespace ordem::storage {

class recovery {
 public:
  // The last groups of the log. They are what check_data() covers.
  struct log_tail {
    log_end end;
    position first;                   // of the entries in these groups; 0 if the log is empty
    std::optional<timestamp> newest;  // of the times of the entries
  };

  // All must outlive this object.
  recovery(const database& db, const record_reader& records, const log_table& log) noexcept
      : db_(db), records_(records), log_(log) {}

  result<log_tail> find_log_tail() const;

  // Folds the last groups of the log again, with the same apply() as live traffic, and fails unless the orders and
  // captures are what these groups made of them. `as_of`: the present state. `now`: see is_as_logged().
  result<void> check_data(const log_tail& tail, const snapshot& as_of, const clock_reading& now) const;

  // Returns the greatest id of an order, or nullopt if there is no order.
  result<std::optional<order_id>> find_newest_order() const;

  // Adds the entries to `index` that its table files do not have yet, up to `last`, all of which are durable. Returns
  // the position that the table files have. `as_of`: the present state, without memtables.
  result<position> fill(recent_index& index, position last, const snapshot& as_of) const;

 private:
  std::string difference_in(const message_entry& logged, const snapshot& as_of) const;
  bool is_as_logged(const capture_key& key, const shared_capture& after, const snapshot& as_of,
                    const clock_reading& now) const;
  result<void> find_before(message_entry& logged, const snapshot& as_of) const;

  const database& db_;
  const record_reader& records_;
  const log_table& log_;
};

}  // namespace ordem::storage
