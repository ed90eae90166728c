// The format, after RocksDB's wiki, "Write Ahead Log File Format": blocks of 32 KiB, in each one records without a gap,
// and a trailer of zeros where no further header fits.
//
//   record     | checksum 4 | length 2, little-endian | type 1 | length bytes |
//   types      0 none (a trailer, or space allocated ahead), 1 to 4 whole or a part, 5 to 8 the same in a recycled file

#include "storage/wal_scan.hpp"

#include <array>
#include <fstream>
#include <string_view>

namespace ordem::storage {
namespace {

constexpr std::size_t block_bytes = 32 * 1024;
constexpr std::size_t header_bytes = 7;
constexpr unsigned first_recycled_type = 5;
constexpr unsigned last_recycled_type = 8;

// The offset of a header with a recycled type in the block, if there is one.
std::optional<std::size_t> find_recycled(std::string_view block) {
  const auto byte_at = [block](std::size_t i) { return static_cast<unsigned>(static_cast<unsigned char>(block[i])); };
  std::size_t at = 0;
  while (at + header_bytes <= block.size()) {
    const unsigned type = byte_at(at + 6);
    if (type >= first_recycled_type && type <= last_recycled_type) return at;
    if (type == 0) return std::nullopt;
    at += header_bytes + (byte_at(at + 4) | byte_at(at + 5) << 8);
  }
  return std::nullopt;
}

std::optional<std::string> find_recycled_in_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::array<char, block_bytes> block;
  for (std::size_t begin = 0; file; begin += block_bytes) {
    file.read(block.data(), block.size());
    if (const auto at = find_recycled({block.data(), static_cast<std::size_t>(file.gcount())})) {
      return path.filename().string() + ", byte " + std::to_string(begin + *at);
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> find_hidden_log_end(const std::filesystem::path& database) {
  std::error_code error;
  for (std::filesystem::directory_iterator each(database, error), end; !error && each != end; each.increment(error)) {
    if (each->path().extension() != ".log") continue;
    if (auto place = find_recycled_in_file(each->path())) return place;
  }
  return std::nullopt;
}

}  // namespace ordem::storage
