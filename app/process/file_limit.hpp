// How many files the process may have open, and who may have how many of them, so that no number of connections takes a
// descriptor that the store needs: RocksDB never writes again once it could not open a file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <tl/expected.hpp>

#include "app/settings/settings.hpp"

namespace ordem::app {

struct file_shares {
  std::size_t connections = 0;      // not more than asked for
  std::size_t refused_at_once = 0;  // see server_settings
  int store = 0;                    // see store_settings::open_files_max
};

// Raises the soft limit of open files to the hard one. The limit that holds then.
std::uint64_t raise_file_limit();

// A message if the limit is too low for anything sensible.
tl::expected<file_shares, std::string> share_files(std::uint64_t limit, const http_edge::server_settings& asked);

void apply(const file_shares& shares, settings& to);

}  // namespace ordem::app
