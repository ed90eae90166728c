// The bound of a record, which all rooms of this folder share.
#pragma once

#include <cstddef>

namespace ordem::cluster {

// The largest record of the log with its frame, which is also the largest message of its stream.
inline constexpr std::size_t record_bytes_max = std::size_t{4} << 20;

}  // namespace ordem::cluster
