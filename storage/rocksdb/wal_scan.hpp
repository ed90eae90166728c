// Judges RocksDB's write-ahead logs where RocksDB 7.8 gets it wrong, in every recovery mode:
//
//   it takes for a clean end, and forgets what follows: a record's type that looks recycled (we never recycle logs); a
//   type of zero; a length that reaches beyond the end of the file
//   it takes for damage: a last record whose end is zeros, as a file system leaves it that wrote the file's new size
//   before its data. No fsync has returned since then, so the record was never acknowledged
//
// A record that is just cut short by the end of the file RocksDB drops by itself; a checksum that is wrong stops it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace ordem::storage {

// Each group is written with this behind it, as data that stands in the write-ahead log alone. So no whole record ends
// in zeros, and where so few were torn off that they may also be damage, the checksum tells: what was there is known.
inline constexpr std::string_view log_end_mark = "\xff\xff\xff\xff\xff\xff\xff\xff";

// A record at the end of a log whose last bytes were never written.
struct torn_record {
  std::filesystem::path file;
  std::uint64_t begin = 0;
};

struct log_scan {
  std::optional<std::string> damage;  // its place
  std::optional<torn_record> torn;    // to be cut off before RocksDB opens the database; only if there is no damage
};

// Looks through every log file in the database's folder. To be called before the database is opened, as opening may
// delete log files. Another process may append to the logs meanwhile.
log_scan scan_write_ahead_logs(const std::filesystem::path& database);

// Ends the file where the record begins, durably.
std::error_code cut_off(const torn_record& what);

// "000012.log, byte 345"
std::string place_of(const torn_record& what);

}  // namespace ordem::storage
