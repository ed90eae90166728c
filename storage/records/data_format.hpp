// The format of the whole data folder.
#pragma once

namespace ordem::storage {

// The number in the file FORMAT. A folder with another number is not opened. Changes with every incompatible record
// format.
inline constexpr int data_format = 4;

}  // namespace ordem::storage
