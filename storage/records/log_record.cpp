// Numbers are big-endian. No record ends in a zero, so a record of which only a beginning was written shows it.
//
//   record     | "OLog" 4 | format 1 | kind 1 | check 2 | payload bytes 4 | entries 4 | epoch 8
//              | first position 8 | log time ms 8 | durable position 8 | hash of the record before 8 | hash 8 | payload
//              | 0xFF 1 to 8: up to a multiple of 8 |
//
// The hash is XXH3 of 64 bits (https://github.com/Cyan4973/xxHash, doc/xxhash_spec.md). `check` is 16 bits of the hash
// of the header behind it: so a wrong length is known for what it is, and not for a record that ends too early.

#include "storage/records/log_record.hpp"

#include <xxhash.h>

#include "engine/base/check.hpp"
#include "storage/records/fields.hpp"

namespace ordem::storage {
namespace {

constexpr std::uint8_t log_record_format = 1;
constexpr auto first_kind = static_cast<std::uint8_t>(log_record_kind::group);
constexpr auto last_kind = static_cast<std::uint8_t>(log_record_kind::format);
constexpr char end_byte = static_cast<char>(0xFF);
constexpr std::size_t hashed_header_bytes = log_record_header_bytes - sizeof(std::uint64_t);
constexpr std::size_t check_offset = 6;
constexpr std::size_t check_bytes = 2;

// The payload's hash with that of the header as its seed, so that the hash field need not be left out of the middle.
std::uint64_t hash_of(std::string_view header, std::string_view payload) noexcept {
  return XXH3_64bits_withSeed(payload.data(), payload.size(), XXH3_64bits(header.data(), hashed_header_bytes));
}

std::uint64_t check_of(std::string_view header) noexcept {
  constexpr std::size_t begin = check_offset + check_bytes;
  return XXH3_64bits(header.data() + begin, hashed_header_bytes - begin) & 0xFFFF;
}

}  // namespace

std::size_t log_record_bytes(std::size_t payload_bytes) noexcept {
  const std::size_t bytes = log_record_header_bytes + payload_bytes + 1;
  return (bytes + log_record_alignment - 1) / log_record_alignment * log_record_alignment;
}

void frame_log_record(std::string& out, log_record_header& header) {
  ORDEM_CHECK(out.size() >= log_record_header_bytes && out.size() <= UINT32_MAX);
  header.payload_bytes = static_cast<std::uint32_t>(out.size() - log_record_header_bytes);

  std::string bytes;
  byte_writer to{bytes};
  bytes += log_record_magic;
  to.put_byte(log_record_format);
  to.put_byte(static_cast<std::uint8_t>(header.kind));
  to.put_big_endian(0, check_bytes);
  to.put_big_endian(header.payload_bytes, 4);
  to.put_big_endian(header.entries, 4);
  to.put_big_endian(header.epoch);
  to.put_big_endian(header.first.number);
  to.put_big_endian(milliseconds_of(header.time));
  to.put_big_endian(header.durable.number);
  to.put_big_endian(header.hash_before);
  std::string check;
  byte_writer{check}.put_big_endian(check_of(bytes), check_bytes);
  bytes.replace(check_offset, check_bytes, check);
  header.hash = hash_of(bytes, std::string_view(out).substr(log_record_header_bytes));
  to.put_big_endian(header.hash);
  ORDEM_CHECK(bytes.size() == log_record_header_bytes);

  out.replace(0, log_record_header_bytes, bytes);
  out.resize(log_record_bytes(header.payload_bytes), end_byte);
}

std::optional<log_record_header> decode_log_record_header(std::string_view bytes) {
  if (bytes.size() < log_record_header_bytes) return std::nullopt;
  byte_reader from{bytes.substr(0, log_record_header_bytes)};
  if (from.get_bytes(log_record_magic.size()) != log_record_magic) return std::nullopt;
  if (from.get_byte() != log_record_format) return std::nullopt;
  const std::uint8_t kind = from.get_byte();
  if (kind < first_kind || kind > last_kind) return std::nullopt;
  if (from.get_big_endian(check_bytes) != check_of(bytes)) return std::nullopt;
  log_record_header header;
  header.kind = log_record_kind{kind};
  header.payload_bytes = static_cast<std::uint32_t>(from.get_big_endian(4));
  header.entries = static_cast<std::uint32_t>(from.get_big_endian(4));
  header.epoch = from.get_big_endian();
  header.first = {from.get_big_endian()};
  const std::uint64_t time = from.get_big_endian();
  if (time > static_cast<std::uint64_t>(timestamp::max().time_since_epoch().count())) return std::nullopt;
  header.time = timestamp{milliseconds{static_cast<milliseconds::rep>(time)}};
  header.durable = {from.get_big_endian()};
  header.hash_before = from.get_big_endian();
  header.hash = from.get_big_endian();
  return checked(from, log_record_header{header});
}

bool is_intact(const log_record_header& header, std::string_view record) noexcept {
  const std::string_view end = record.substr(log_record_header_bytes + header.payload_bytes);
  return end.find_first_not_of(end_byte) == std::string_view::npos &&
         hash_of(record, payload_of(header, record)) == header.hash;
}

std::string_view payload_of(const log_record_header& header, std::string_view record) noexcept {
  return record.substr(log_record_header_bytes, header.payload_bytes);
}

}  // namespace ordem::storage
