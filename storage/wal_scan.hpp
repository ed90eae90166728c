// Finds the one kind of damage to RocksDB's write-ahead log that RocksDB 7.8 takes for a clean end in every recovery
// mode: a record's type that looks recycled. We never recycle logs, so that such a type is damage, and what follows it
// would silently be forgotten.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace ordem::storage {

// Looks through every log file in the database's folder. The place of the damage, if there is any. To be called before
// the database is opened, as opening may delete log files.
std::optional<std::string> find_hidden_log_end(const std::filesystem::path& database);

}  // namespace ordem::storage
