// Numbers are big-endian.
//
//   segment    | "OrdemLog" 8 | format 1 | log id 36 | first position 8 | bytes of the records before 8
//              | hash of the record before 8 | hash (XXH3) of all this 8 | 0 up to 512 |

#include "storage/records/segment_header.hpp"

#include <xxhash.h>

#include "engine/base/check.hpp"
#include "storage/records/fields.hpp"

namespace ordem::storage {
namespace {

constexpr std::string_view magic = "OrdemLog";
constexpr std::uint8_t segment_format = 1;
constexpr std::size_t log_id_bytes = 36;
constexpr std::size_t hashed_bytes = magic.size() + 1 + log_id_bytes + 3 * sizeof(std::uint64_t);

}  // namespace

void encode_segment_header(std::string& out, const segment_header& what) {
  ORDEM_CHECK(what.log_id.size() == log_id_bytes);
  std::string bytes;
  byte_writer to{bytes};
  bytes += magic;
  to.put_byte(segment_format);
  bytes += what.log_id;
  to.put_big_endian(what.first.number);
  to.put_big_endian(what.bytes_before);
  to.put_big_endian(what.hash_before);
  ORDEM_CHECK(bytes.size() == hashed_bytes);
  to.put_big_endian(XXH3_64bits(bytes.data(), bytes.size()));
  bytes.resize(segment_header_bytes, '\0');
  out += bytes;
}

std::optional<segment_header> decode_segment_header(std::string_view bytes) {
  if (bytes.size() < segment_header_bytes) return std::nullopt;
  byte_reader from{bytes};
  if (from.get_bytes(magic.size()) != magic || from.get_byte() != segment_format) return std::nullopt;
  segment_header what;
  what.log_id = from.get_bytes(log_id_bytes);
  what.first = {from.get_big_endian()};
  what.bytes_before = from.get_big_endian();
  what.hash_before = from.get_big_endian();
  if (from.get_big_endian() != XXH3_64bits(bytes.data(), hashed_bytes)) return std::nullopt;
  return what;
}

}  // namespace ordem::storage
