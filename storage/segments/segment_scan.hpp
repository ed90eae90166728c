// Reads a file of the log from its first record to its end, and tells a write that was cut off from damage.
//
// Records are written one after another into a file of zeros, and several may be written before one sync. After a power
// loss any of the 512-byte sectors that were not synced may be missing, so zeros again. So what follows the last intact
// record is
//
//   the end    if there are only zeros
//   torn       if a sector of the next record is missing, or its last byte, which is never zero. The record was never
//              acknowledged, since it was not synced
//   damaged    if the record is all there but wrong, or if an intact record behind it says that it was durable
//
// A record whose first sector is missing, and no record behind which says that it was durable, is torn; damage of just
// this kind to the very last record can't be told from it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "engine/model/ids.hpp"
#include "engine/model/time.hpp"
#include "storage/records/log_record.hpp"
#include "storage/records/segment_header.hpp"

namespace ordem::storage {

// Where the record of a group begins in its segment. Control records may follow it.
struct group_place {
  position first;
  std::uint64_t offset = 0;
};

enum class segment_tail : std::uint8_t { end, torn, damaged };

struct segment_scan {
  std::vector<group_place> groups;
  std::uint64_t end = segment_header_bytes;  // of the last intact record
  position last;                             // of the entries; that before the segment if it has none
  std::uint64_t hash = 0;                    // of the last record; that before the segment if it has none
  std::optional<log_record_header> record;   // the last one, a group or not
  std::optional<clock_state> clock;          // the newest one in the segment
  segment_tail tail = segment_tail::end;
  std::uint64_t written_end = segment_header_bytes;  // behind the last byte that is not zero
};

// Returns whether the record is the next one after that with this hash, up to which the last entry is `last`.
bool follows(const log_record_header& record, position last, std::uint64_t hash) noexcept;

// `content`: the whole file. REQUIRES: it begins with that header.
segment_scan scan_segment(const segment_header& header, std::string_view content);

}  // namespace ordem::storage
