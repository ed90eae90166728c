// The store of one machine: opens a data folder, and puts its log and its view together. Only for storage/folder/*.cpp:
// others see storage/log/store.hpp.
#pragma once

#include "storage/log/store.hpp"
#include "storage/rocksdb/open_view.hpp"
#include "storage/segments/segment_log.hpp"

namespace ordem::storage {

// The settings of the parts of a store.
segment_log_settings log_settings_of(const store_settings& settings, std::string log_id);
view_settings view_settings_of(const store_settings& settings, view_access access);

}  // namespace ordem::storage
