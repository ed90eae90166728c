// The files of a log: their names, and how one is made. Used by segment_log alone.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "engine/model/ids.hpp"
#include "storage/files/files.hpp"
#include "storage/records/segment_header.hpp"

namespace ordem::storage {

// Returns the name of the segment whose first entry has that position: 20 digits and ".seg".
std::string segment_name(position first);

// Returns the first positions of all segments in the folder, ascending.
result<std::vector<position>> find_segments(const std::filesystem::path& folder);

// Makes a segment without records, durably, and returns its file. After a failure there is none.
result<open_file> make_segment(const segment_header& header, const std::filesystem::path& folder);

}  // namespace ordem::storage
