// The format of the whole data folder.
#pragma once

namespace ordem::storage {

// The number in the file FORMAT. Changes with every incompatible format of a file or a record. A start brings a folder
// of an earlier format, from oldest_data_format on, up to this one (storage/folder/upgrade.hpp), so that no release
// refuses the folder of the release before it.
inline constexpr int data_format = 6;
inline constexpr int oldest_data_format = 4;

// The format from which on the log is files of its own.
inline constexpr int data_format_with_log = 5;

}  // namespace ordem::storage
