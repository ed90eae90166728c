// Brings a data folder of an earlier format up to the present one.
//
// Format 5 differs in the records of orders and messages alone, which are read in both formats, so only the number in
// FORMAT is written: an earlier program can't read the records that are written from then on.
//
// Format 4 kept the log in a family of the database, without the orders. The upgrade writes the whole log anew, in
// files of its own, and the indexes that the files of the database lack, and then the number in FORMAT. Until then the
// folder has format 4 with everything that belongs to it, so an upgrade that is cut off begins again. It needs as much
// space as the log.
#pragma once

#include "storage/folder/data_folder.hpp"
#include "storage/log/error.hpp"
#include "storage/log/store.hpp"

namespace ordem::storage {

// REQUIRES: folder.is_old(). Reports each step to store_settings::on_progress. Uses the folder of the settings.
result<void> upgrade(const store_settings& settings, data_folder& folder);

}  // namespace ordem::storage
