// The frame of one record of the log: where it belongs, when it was written, and whether it is whole. Each record has
// the hash of the record before, so a reader knows whether a record follows the one that it has read last. Pure
// functions, any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/model/ids.hpp"
#include "engine/model/time.hpp"

namespace ordem::storage {

// What a record is. Only groups have entries; the others are control records of a replicated log, whose `first` is the
// position that the next group will have (cluster/protocol/control_record.hpp). Do not renumber.
enum class log_record_kind : std::uint8_t {
  group = 1,
  genesis = 2,
  epoch = 3,
  release = 4,
  barrier = 5,
  format = 6,
};

struct log_record_header {
  log_record_kind kind = log_record_kind::group;
  std::uint32_t payload_bytes = 0;
  std::uint32_t entries = 0;
  std::uint64_t epoch = 0;  // of the engine that owned the log; 1 for a log on one machine
  position first;           // of the entries
  timestamp time;           // of the log: never before that of the record before
  // Everything up to there was durable when this record was written. So a reader can tell that a damaged record before
  // this one may have been acknowledged.
  position durable;
  std::uint64_t hash_before = 0;  // hash of the record before; 0 for the first one
  std::uint64_t hash = 0;         // of the header without this field, and of the payload

  // The position of the last entry; of a control record, the last position before it.
  position last() const noexcept { return {first.number + entries - 1}; }
};

inline constexpr std::size_t log_record_header_bytes = 64;
// Records begin at multiples of this.
inline constexpr std::size_t log_record_alignment = 8;
// The beginning of each record.
inline constexpr std::string_view log_record_magic = "OLog";

// Returns the size of the whole record, from 1 to 8 end bytes included.
std::size_t log_record_bytes(std::size_t payload_bytes) noexcept;

// Turns `out`, which holds log_record_header_bytes of any value and then the payload, into a record. Sets payload_bytes
// and hash in the header.
void frame_log_record(std::string& out, log_record_header& header);

// Returns nullopt if the bytes do not begin with the header of a record of one of the kinds above. Does not check the
// hash.
std::optional<log_record_header> decode_log_record_header(std::string_view bytes);
// Returns whether a record is whole and unchanged. REQUIRES: `record` has log_record_bytes(header.payload_bytes).
bool is_intact(const log_record_header& header, std::string_view record) noexcept;
// REQUIRES: as is_intact().
std::string_view payload_of(const log_record_header& header, std::string_view record) noexcept;

}  // namespace ordem::storage
