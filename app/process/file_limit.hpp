// Divides the open files of the process between connections and the store, so that connections can never take a
// descriptor that the store needs: RocksDB refuses all writes after it could not open a file. Used at start, on the
// main thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <tl/expected.hpp>

#include "app/settings/settings.hpp"

namespace ordem::app {

struct file_shares {
  std::size_t connections = 0;      // not more than server_settings::connections_max
  std::size_t refused_at_once = 0;  // see server_settings
  int store = 0;                    // see store_settings::open_files_max
};

// Raises the soft limit of open files to the hard one. Returns the limit that is then in effect.
std::uint64_t raise_file_limit();

// Returns an error message if the limit is too low to serve.
tl::expected<file_shares, std::string> share_files(std::uint64_t limit, const http_edge::server_settings& server);

// Sets the shares in the settings, and in the list of them that is logged.
void apply(const file_shares& shares, settings& to);

}  // namespace ordem::app
