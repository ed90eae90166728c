// The format of the whole data folder.
#pragma once

namespace ordem::storage {

// Kept in its file FORMAT. A folder of another number is not opened.
inline constexpr int data_format = 4;

}  // namespace ordem::storage
