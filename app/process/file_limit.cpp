#include "app/process/file_limit.hpp"

#include <sys/resource.h>

#include <algorithm>

namespace ordem::app {
namespace {

// The listening socket, standard streams, Postgres, and what libraries open for a moment; and an I/O thread's loop.
constexpr std::uint64_t reserved = 64;
constexpr std::uint64_t reserved_for_io_thread = 4;
// Of the store what is not bounded by open_files_max: write-ahead logs, the manifest, folders, the outputs of flushes
// and merges.
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

tl::expected<file_shares, std::string> share_files(std::uint64_t limit, const http_edge::server_settings& asked) {
  const std::uint64_t others = reserved + reserved_for_io_thread * asked.io_threads;
  const std::uint64_t connections_needed = std::max<std::uint64_t>(connections_least, asked.io_threads);
  const std::uint64_t least = others + store_least + store_extra + 2 * connections_needed;
  if (limit < least) {
    return tl::make_unexpected("at most " + std::to_string(limit) + " files may be open (RLIMIT_NOFILE), and " +
                               std::to_string(least) +
                               " are needed; raise the hard limit (LimitNOFILE= in a systemd unit, ulimit -Hn)");
  }
  const auto store_most = static_cast<std::uint64_t>(storage::store_settings().open_files_max);
  const std::uint64_t store = std::clamp((limit - others) / 4, store_least, store_most);
  const std::uint64_t rest = limit - others - store_extra - store;
  file_shares shares;
  shares.store = static_cast<int>(store);
  shares.refused_at_once = std::min<std::uint64_t>(asked.refused_at_once_max, rest / 8);
  shares.connections = std::min<std::uint64_t>(asked.connections_max, rest - shares.refused_at_once);
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
