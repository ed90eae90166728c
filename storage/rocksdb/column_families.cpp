#include "storage/rocksdb/column_families.hpp"

#include <rocksdb/env.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/slice_transform.h>
#include <rocksdb/table.h>

#include <algorithm>
#include <array>
#include <cstdarg>
#include <cstdio>
#include <utility>

#include "storage/records/lifetime.hpp"

namespace ordem::storage {
namespace {

// Replaces RocksDB's information log file: in version 7.8 a file that can't be written (a full disk) ends the process
// by an assertion. Passes errors on.
class error_logger final : public rocksdb::Logger {
 public:
  explicit error_logger(std::function<void(std::string_view)> report)
      : rocksdb::Logger(rocksdb::InfoLogLevel::ERROR_LEVEL), report_(std::move(report)) {}

  using rocksdb::Logger::Logv;
  void Logv(const char* format, va_list arguments) override {
    std::array<char, 1024> text;
    const int length = std::vsnprintf(text.data(), text.size(), format, arguments);
    if (length > 0) report_({text.data(), std::min(static_cast<std::size_t>(length), text.size() - 1)});
  }

 private:
  std::function<void(std::string_view)> report_;
};

using block_cache = std::shared_ptr<rocksdb::Cache>;

rocksdb::BlockBasedTableOptions table_options(const block_cache& cache) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = cache;
  table.cache_index_and_filter_blocks = true;  // so that block_cache_bytes bounds them too
  table.pin_l0_filter_and_index_blocks_in_cache = true;
  table.format_version = 5;
  return table;
}

rocksdb::ColumnFamilyOptions family_options(const block_cache& cache, std::size_t memtable_bytes) {
  rocksdb::ColumnFamilyOptions options;
  options.write_buffer_size = memtable_bytes;
  // One memtable is filled while up to two are flushed. If more are to be flushed, writes wait.
  options.max_write_buffer_number = 3;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table_options(cache)));
  // The upper levels are soon rewritten, so they are not compressed. Old data is seldom read, so it is.
  options.compression_per_level = {rocksdb::kNoCompression, rocksdb::kNoCompression, rocksdb::kLZ4Compression};
  return options;
}

// For families that are read by whole key, mostly keys that do not exist. The filters answer most of these reads.
void add_key_filters(rocksdb::ColumnFamilyOptions& options, const block_cache& cache) {
  auto table = table_options(cache);
  table.filter_policy.reset(
      rocksdb::NewBloomFilterPolicy(10));  // 10 bits a key: one absent key in a hundred costs a block
  // Pinned, so reads skip the block cache lookup. The filters still count against the cache's capacity.
  table.metadata_cache_options.unpartitioned_pinning = rocksdb::PinningTier::kAll;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
}

}  // namespace

bool expired_record_filter::Filter(int, const rocksdb::Slice&, const rocksdb::Slice& value, std::string*, bool*) const {
  const auto kept = decode_lifetime(value.ToStringView());
  const timestamp newest = newest_.load(std::memory_order_relaxed);
  if (!kept || newest < kept->expires_at) return false;
  return clock_.read().at(newest).has_ended(kept->expires_at, kept->made_at);
}

rocksdb::DBOptions database_options(const view_settings& settings, std::function<void(std::string_view)> report_error) {
  rocksdb::DBOptions options;
  options.create_if_missing = true;
  options.create_missing_column_families = true;
  // Only a loader and an upgrade write through RocksDB's memtables. Everything else is ingested.
  options.db_write_buffer_size = settings.write_buffer_bytes;
  // For an upgrade: a torn record at the end of the write-ahead log was never acknowledged and is dropped. Damage
  // anywhere else stops the start; RocksDB's default would silently drop everything after the damage.
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  options.track_and_verify_wals_in_manifest = true;  // a missing log file is damage too
  options.max_background_jobs = 2;
  options.bytes_per_sync = std::uint64_t{1}
                           << 20;  // table files reach the disk evenly, not in one burst beside a commit's fsync
  options.max_open_files = settings.open_files_max;
  options.info_log = std::make_shared<error_logger>(std::move(report_error));
  options.info_log_level = rocksdb::InfoLogLevel::ERROR_LEVEL;
  options.stats_dump_period_sec = 0;
  return options;
}

std::vector<rocksdb::ColumnFamilyDescriptor> family_descriptors(const view_settings& settings,
                                                                const expired_record_filter& expired) {
  const auto cache = rocksdb::NewLRUCache(settings.block_cache_bytes);
  const std::size_t memtable_bytes = settings.write_buffer_bytes / 4;

  std::vector<rocksdb::ColumnFamilyDescriptor> all;
  all.reserve(family_names.size() + 1);
  for (const char* name : family_names) all.emplace_back(name, family_options(cache, memtable_bytes));
  const auto options_of = [&all](family which) -> rocksdb::ColumnFamilyOptions& {
    return all[static_cast<std::size_t>(which)].options;
  };

  add_key_filters(options_of(family::orders), cache);
  // These are ingested as small table files with overlapping keys. Universal compaction rewrites them least often.
  for (const family indexed : {family::messages, family::customers, family::captures}) {
    options_of(indexed).compaction_style = rocksdb::kCompactionStyleUniversal;
  }
  for (const family expiring : {family::messages, family::captures}) {
    add_key_filters(options_of(expiring), cache);
    options_of(expiring).compaction_filter = &expired;
    // Bounds how long an expired record waits for its compaction.
    options_of(expiring).ttl = std::uint64_t{24} * 60 * 60;
  }

  all.emplace_back(rocksdb::kDefaultColumnFamilyName, family_options(cache, std::size_t{1} << 20));
  return all;
}

}  // namespace ordem::storage
