// Checks RocksDB's write-ahead logs for two cases that RocksDB 7.8 handles wrongly in every recovery mode:
//
//   it treats as a clean end, and ignores what follows: a record of a type for recycled logs (we never recycle them), a
//   type of zero, a length that reaches beyond the end of the file
//   it treats as damage: a last record that ends in zeros, which a file system leaves if it wrote the file's new size
//   before the data. No fsync has returned since, so the record was never acknowledged
//
// RocksDB itself drops a record that is cut short by the end of the file, and refuses a record with a wrong checksum.
// Used by the thread that opens the database.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace ordem::storage {

// Written after each group, as data that only the write-ahead log has. So no whole record ends in zeros. If only some
// of these bytes are zeros, which may also be damage, the checksum of the record with the bytes restored decides.
inline constexpr std::string_view log_end_mark = "\xff\xff\xff\xff\xff\xff\xff\xff";

// A record at the end of a log whose last bytes were never written.
struct torn_record {
  std::filesystem::path file;
  std::uint64_t begin = 0;
};

struct log_scan {
  std::optional<std::string> damage;  // where it is
  std::optional<torn_record> torn;    // to be cut off before RocksDB opens the database; nullopt if there is damage
};

// Scans every log file in the folder of the database. REQUIRES: the database was not opened, because that may delete
// log files. Another process may append to the logs during the scan.
log_scan scan_write_ahead_logs(const std::filesystem::path& database);

// Truncates the file to where the record begins, durably.
std::error_code cut_off(const torn_record& what);

// Returns "000012.log, byte 345".
std::string place_of(const torn_record& what);

}  // namespace ordem::storage
