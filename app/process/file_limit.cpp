#include "app/process/file_limit.hpp"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>

namespace ordem::app {
namespace {

// For the listening socket, the standard streams, Postgres, and files that libraries open briefly; and for the event
// loop of each I/O thread.
constexpr std::uint64_t reserved = 64;
constexpr std::uint64_t reserved_for_io_thread = 4;
// Files of the store that open_files_max does not bound: write-ahead logs, the manifest, folders, the output of flushes
// and compactions.
constexpr std::uint64_t store_extra = 64;
constexpr std::uint64_t store_least = 64;
constexpr std::uint64_t connections_least = 64;

}  // namespace

std::uint64_t raise_file_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return reserved;
  const rlimit raised{limit.rlim_max, limit.rlim_max};
  return ::setrlimit(RLIMIT_NOFILE, &raised) == 0 ? raised.rlim_cur : limit.rlim_cur;
}

tl::expected<file_shares, std::string> share_files(std::uint64_t limit, const http_edge::server_settings& server) {
  const std::uint64_t others = reserved + reserved_for_io_thread * server.io_threads;
  const std::uint64_t connections_needed = std::max<std::uint64_t>(connections_least, server.io_threads);
  const std::uint64_t least = others + store_least + store_extra + 2 * connections_needed;
  if (limit < least) {
    return tl::make_unexpected(fmt::format(
        "at most {} files may be open (RLIMIT_NOFILE), and {} are needed; raise the hard limit (LimitNOFILE= in a systemd "
        "unit, ulimit -Hn)",
        limit, least));
  }
  const auto store_most = static_cast<std::uint64_t>(storage::store_settings().open_files_max);
  const std::uint64_t store = std::clamp((limit - others) / 4, store_least, store_most);
  const std::uint64_t rest = limit - others - store_extra - store;
  file_shares shares;
  shares.store = static_cast<int>(store);
  shares.refused_at_once = std::min<std::uint64_t>(server.refused_at_once_max, rest / 8);
  shares.connections = std::min<std::uint64_t>(server.connections_max, rest - shares.refused_at_once);
  return shares;
}

void apply(const file_shares& shares, settings& to) {
  to.server.connections_max = shares.connections;
  to.server.refused_at_once_max = shares.refused_at_once;
  to.store.open_files_max = shares.store;
  for (auto& [name, value] : to.effective) {
    if (name == "max-connections") value = std::to_string(shares.connections);
  }
}

}  // namespace ordem::app
