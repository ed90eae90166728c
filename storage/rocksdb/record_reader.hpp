// Reads of single records, as of a snapshot. Only for storage/rocksdb/*.cpp.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "engine/model/capture.hpp"
#include "engine/model/ids.hpp"
#include "engine/model/order.hpp"
#include "engine/model/outcome.hpp"
#include "engine/ports/readers.hpp"
#include "storage/rocksdb/column_families.hpp"
#include "storage/rocksdb/database.hpp"
#include "storage/rocksdb/snapshot.hpp"

namespace ordem::storage {

// Reads memtables first, then the database. A record that can't be read or decoded is reported to
// store_settings::on_error. Thread-safe.
class record_reader {
 public:
  // `db` must outlive the reader.
  explicit record_reader(const database& db) noexcept : db_(db) {}

  // The current version, or null if there is no such order.
  read_result<shared_order> find_order(order_id id, const snapshot& from) const;
  // As find_order(), without a read from disk: returns nullopt where that would be needed. Reports nothing.
  std::optional<shared_order> find_cached_order(order_id id, const snapshot& from) const;
  read_result<shared_order> find_version(order_id id, version which, const snapshot& from) const;
  // Return nullopt or null for what has expired by `now`.
  read_result<std::optional<message_record>> find_message(std::string_view tenant, const guid& id,
                                                          const clock_reading& now, const snapshot& from) const;
  read_result<shared_capture> find_capture(std::string_view tenant, const capture_key& key, const clock_reading& now,
                                           const snapshot& from) const;

  // Decodes a record of an order that was found in this family.
  read_result<shared_order> decode_order_record(family where, order_id id, std::string_view record) const;

 private:
  read_result<shared_order> read_order(family where, std::string_view key, order_id id, const snapshot& from) const;

  const database& db_;
};

}  // namespace ordem::storage
