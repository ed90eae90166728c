// The format, after RocksDB's wiki, "Write Ahead Log File Format": blocks of 32 KiB, in each one records without a gap,
// and a trailer of zeros where no further header fits.
//
//   record     | checksum 4 | length 2, little-endian | type 1 | length bytes |
//   types      0 none (a trailer, or space allocated ahead), 1 to 4 whole or a part, 5 to 8 the same in a recycled file
//   checksum   CRC-32C of the type and the bytes, masked
//
// A record that does not fit into the rest of a block is written in parts: the first ones fill their blocks. What whole
// records and first parts hold begins with a sequence number of 8 bytes, little-endian, which only ever rises.

#include "storage/rocksdb/wal_scan.hpp"

#include <fcntl.h>
#include <rocksdb/version.h>
#include <unistd.h>

#include <algorithm>
#include <boost/crc.hpp>
#include <cerrno>
#include <fstream>
#include <utility>
#include <vector>

namespace ordem::storage {
namespace {

namespace fs = std::filesystem;

// Before this is raised, compare the format above, group_end, and what the header says of RocksDB's recovery with the
// new version (db/log_format.h, db/log_reader.cc, db/write_batch.cc).
static_assert(ROCKSDB_MAJOR == 7 && ROCKSDB_MINOR == 8);

constexpr std::size_t block_bytes = 32 * 1024;
constexpr std::size_t header_bytes = 7;
constexpr std::size_t sequence_bytes = 8;
// The last bytes of a group: log_end_mark behind its tag and its length in the write batch.
constexpr std::string_view group_end = "\x03\x08\xff\xff\xff\xff\xff\xff\xff\xff";
static_assert(group_end.ends_with(log_end_mark) && group_end[1] == log_end_mark.size());
// Far more than a group and the table files between two groups use.
constexpr std::uint64_t sequence_step_max = std::uint64_t{1} << 32;

constexpr unsigned type_whole = 1;
constexpr unsigned type_first = 2;
constexpr unsigned type_last = 4;

std::uint64_t little_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

// A header, and the bytes of the record that the file has.
struct record {
  explicit record(std::string_view from)
      : bytes(from),
        checksum(static_cast<std::uint32_t>(little_endian(from.substr(0, 4)))),
        length(little_endian(from.substr(4, 2))),
        type(static_cast<unsigned char>(from[6])) {}

  bool has_known_type() const { return type >= type_whole && type <= type_last; }
  bool begins() const { return type == type_whole || type == type_first; }
  bool ends() const { return type == type_whole || type == type_last; }
  std::size_t size() const { return header_bytes + length; }
  bool is_complete() const { return size() <= bytes.size(); }
  // Whether the checksum matches a record of `count` bytes after the header, the last of which are `end`.
  bool is_intact(std::size_t count, std::string_view end = {}) const {
    boost::crc_optimal<32, 0x1EDC6F41, 0xFFFFFFFF, 0xFFFFFFFF, true, true> crc;
    crc.process_bytes(bytes.data() + header_bytes - 1, 1 + count - end.size());
    crc.process_bytes(end.data(), end.size());
    const std::uint32_t sum = crc.checksum();
    return ((sum >> 15 | sum << 17) + 0xa282ead8U) == checksum;
  }
  std::optional<std::uint64_t> sequence() const {
    if (!begins() || length < sequence_bytes || bytes.size() < header_bytes + sequence_bytes) return std::nullopt;
    return little_endian(bytes.substr(header_bytes, sequence_bytes));
  }

  std::string_view bytes;  // up to the end of the block
  std::uint32_t checksum;
  std::size_t length;
  unsigned type;
};

bool holds_whole_record(std::string_view bytes) {
  for (; bytes.size() >= header_bytes; bytes.remove_prefix(1)) {
    const record each(bytes);
    if (each.has_known_type() && each.is_complete() && each.is_intact(each.length)) return true;
  }
  return false;
}

class file_scan {
 public:
  explicit file_scan(const fs::path& path) : file_(path, std::ios::binary) {
    std::error_code error;
    size_ = fs::file_size(path, error);
    if (error) size_ = 0;
  }

  // Ignores what is appended during the scan.
  void run() {
    zeros_from_ = find_zeros_at_end();
    for (block_ = 0; block_ < size_ && !ended_; block_ += block_bytes) scan_block(read(block_));
  }

  std::optional<std::uint64_t> damaged_at() const { return damaged_at_; }
  std::optional<std::uint64_t> torn_at() const { return torn_at_; }

 private:
  std::string read(std::uint64_t begin) {
    std::string bytes(std::min<std::uint64_t>(block_bytes, size_ - begin), '\0');
    file_.clear();
    file_.seekg(static_cast<std::streamoff>(begin));
    if (!file_.read(bytes.data(), static_cast<std::streamsize>(bytes.size()))) {
      damage(begin);  // a read failed
      bytes.clear();
    }
    return bytes;
  }

  std::uint64_t find_zeros_at_end() {
    for (std::uint64_t end = size_; end > 0 && !ended_;) {
      const std::uint64_t begin = (end - 1) / block_bytes * block_bytes;
      const std::string bytes = read(begin);
      if (const auto last = bytes.find_last_not_of('\0'); last != std::string::npos) return begin + last + 1;
      end = begin;
    }
    return 0;
  }

  void scan_block(std::string_view block) {
    for (std::size_t at = 0; !ended_ && at + header_bytes <= block.size();) {
      const record next(block.substr(at));
      check(next, block_ + at, block_bytes - at);
      at += next.size();
    }
  }

  // `room`: the bytes from the beginning of the record to the end of its block.
  void check(const record& next, std::uint64_t at, std::size_t room) {
    if (!inside_) begin_ = at;
    if (zeros_from_ < at + header_bytes) {  // no header, or a part of one, and then zeros to the end of the file
      if (inside_ || zeros_from_ > at) torn_at_ = begin_;
      ended_ = true;
    } else if (!next.has_known_type() || next.size() > room) {
      damage(at);
    } else if (!next.is_complete()) {
      ended_ = true;
      if (!is_cut_short(next, at, room)) damage(at);
    } else if (zeros_from_ < at + next.size() && !next.is_intact(next.length)) {
      if (is_torn(next, at + next.size() - zeros_from_)) {
        torn_at_ = begin_;
        ended_ = true;
      } else {
        damage(at);
      }
    } else {
      if (next.begins()) begin_ = at;
      inside_ = !next.ends();
      last_sequence_ = next.sequence().value_or(last_sequence_);
    }
  }

  // Returns whether a record that reaches beyond the end of the file was not written to its end. If not, its header is
  // damaged, and RocksDB would treat what follows as part of it.
  bool is_cut_short(const record& last, std::uint64_t at, std::size_t room) const {
    if (!last.ends() && last.size() != room) return false;
    if (last.begins() == inside_) return false;
    const auto sequence = last.sequence();
    const bool is_written = zeros_from_ >= at + header_bytes + sequence_bytes;
    if (sequence && is_written && last_sequence_ != 0 &&
        (*sequence <= last_sequence_ || *sequence > last_sequence_ + sequence_step_max)) {
      return false;
    }
    return !last.is_intact(last.bytes.size() - header_bytes) && !holds_whole_record(last.bytes.substr(1));
  }

  // Returns whether the zeros at the end of a record stand for bytes that were not written. A few may also be damage.
  static bool is_torn(const record& last, std::uint64_t zeros) {
    if (!last.ends() || zeros >= group_end.size()) return true;
    return last.is_intact(last.length, group_end.substr(group_end.size() - std::min(group_end.size(), last.length)));
  }

  void damage(std::uint64_t at) {
    damaged_at_ = at;
    ended_ = true;
  }

  std::ifstream file_;
  std::uint64_t size_ = 0;
  std::uint64_t zeros_from_ = 0;  // the file has only zeros from here on
  std::uint64_t block_ = 0;
  std::uint64_t begin_ = 0;  // of the record whose parts are read
  bool inside_ = false;      // more parts of a record must follow
  std::uint64_t last_sequence_ = 0;
  bool ended_ = false;
  std::optional<std::uint64_t> damaged_at_;
  std::optional<std::uint64_t> torn_at_;
};

std::vector<fs::path> log_files(const fs::path& database) {
  std::vector<fs::path> found;
  std::error_code error;
  for (fs::directory_iterator each(database, error), end; !error && each != end; each.increment(error)) {
    std::error_code ignored;
    if (each->path().extension() == ".log" && fs::file_size(each->path(), ignored) > 0 && !ignored) {
      found.push_back(each->path());
    }
  }
  std::sort(found.begin(), found.end(), [](const fs::path& a, const fs::path& b) {  // by number
    return std::pair(a.native().size(), a.native()) < std::pair(b.native().size(), b.native());
  });
  return found;
}

}  // namespace

log_scan scan_write_ahead_logs(const fs::path& database) {
  const auto files = log_files(database);
  log_scan result;
  for (const fs::path& each : files) {
    file_scan scan(each);
    scan.run();
    auto damaged_at = scan.damaged_at();
    if (scan.torn_at() && each == files.back()) {
      result.torn = {each, *scan.torn_at()};
    } else if (scan.torn_at()) {
      damaged_at = scan.torn_at();  // a later file was written after it
    }
    if (damaged_at) return {place_of({each, *damaged_at}), std::nullopt};
  }
  return result;
}

std::error_code cut_off(const torn_record& what) {
  const int file = ::open(what.file.c_str(), O_WRONLY | O_CLOEXEC);
  std::error_code error;
  if (file < 0 || ::ftruncate(file, static_cast<off_t>(what.begin)) != 0 || ::fsync(file) != 0) {
    error = {errno, std::generic_category()};
  }
  if (file >= 0) ::close(file);
  return error;
}

std::string place_of(const torn_record& what) {
  return what.file.filename().string() + ", byte " + std::to_string(what.begin);
}

}  // namespace ordem::storage
