// The column families of the database and their options. Only for storage/rocksdb/.
#pragma once

#include <rocksdb/cache.h>
#include <rocksdb/compaction_filter.h>
#include <rocksdb/db.h>
#include <rocksdb/options.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/model/time.hpp"
#include "storage/rocksdb/open_view.hpp"

namespace ordem::storage {

enum class family : std::uint8_t { orders, versions, messages, customers, captures };
inline constexpr std::array family_names = {"orders", "versions", "messages", "customers", "captures"};

// Drops expired messages and captures when their file is compacted. Readers check the expiry themselves; the filter
// only frees the space. It uses the time of the newest durable record, which every later start finds in the log, so
// that a start can tell dropped records from lost ones whatever the machine's clock shows. Thread-safe.
class expired_record_filter final : public rocksdb::CompactionFilter {
 public:
  explicit expired_record_filter(const time_source& clock) : clock_(clock) {}
  const char* Name() const override { return "ordem.expired_record"; }
  bool Filter(int level, const rocksdb::Slice& key, const rocksdb::Slice& value, std::string* new_value,
              bool* value_changed) const override;

  // A record of that time is durable. Before the first call nothing is dropped.
  void confirm_durable(timestamp newest) noexcept { newest_.store(newest, std::memory_order_relaxed); }

 private:
  const time_source& clock_;
  std::atomic<timestamp> newest_{timestamp::min()};
};

// `report_error` is called with what RocksDB logs as an error, on any of its threads, while the database is open.
rocksdb::DBOptions database_options(const view_settings& settings, std::function<void(std::string_view)> report_error);

// Returns descriptors in the order of `family`, followed by RocksDB's "default", which holds the position that the
// files reach and the state of the clock. The filter must outlive the database.
std::vector<rocksdb::ColumnFamilyDescriptor> family_descriptors(const view_settings& settings,
                                                                const expired_record_filter& expired);

}  // namespace ordem::storage
