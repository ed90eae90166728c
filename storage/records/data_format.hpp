// The format of the whole data folder.
#pragma once

namespace ordem::storage {

// The number in the file FORMAT. Changes with every incompatible format of a file or a record. A start brings a folder
// of the format before up to this one (storage/folder/upgrade.hpp), so that no release refuses the folder of the
// release before it.
inline constexpr int data_format = 5;

}  // namespace ordem::storage
