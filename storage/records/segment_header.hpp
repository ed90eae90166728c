// The first bytes of a file of the log. Pure functions, any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/model/ids.hpp"

namespace ordem::storage {

struct segment_header {
  std::string log_id;  // a UUID, 36 characters
  position first;      // of the entries in the segment
  // The size of all records of the log before the segment, so that the size of the log between two positions is known
  // without reading it.
  std::uint64_t bytes_before = 0;
  std::uint64_t hash_before = 0;  // see log_record_header; 0 for the first segment
};

// Records begin here. A sector of its own, so that no write of a record can harm it.
inline constexpr std::size_t segment_header_bytes = 512;

// Appends segment_header_bytes to `out`.
void encode_segment_header(std::string& out, const segment_header& what);
// Returns nullopt if the bytes do not begin with a whole header.
std::optional<segment_header> decode_segment_header(std::string_view bytes);

}  // namespace ordem::storage
