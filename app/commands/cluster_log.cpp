#include "app/commands/cluster_log.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "cluster/nats/stream_calls.hpp"
#include "cluster/protocol/record_chain.hpp"

namespace ordem::app {
namespace {

using storage::log_record_kind;

constexpr std::chrono::milliseconds read_time_max{5000};
// Dead records stand behind an EPOCH record, at most a window of them (cluster/protocol/append_window.hpp), and are of
// earlier epochs. So of this many records in a row one is not, or is that record.
constexpr std::uint64_t dead_run_max = 16;

// Reads the records before and at `last`, at most dead_run_max, the last one first. Skips those that are not there.
tl::expected<std::vector<std::pair<std::uint64_t, read_log_record>>, std::string> read_back(
    cluster::nats_connection& connection, const std::string& stream, std::uint64_t first, std::uint64_t last) {
  std::vector<std::pair<std::uint64_t, read_log_record>> records;
  const std::uint64_t lowest = std::max(first, last < dead_run_max ? 1 : last - dead_run_max + 1);
  for (std::uint64_t sequence = last; sequence >= lowest && sequence > 0; --sequence) {
    auto record = read_log_record_at(connection, stream, sequence);
    if (!record) return tl::make_unexpected(record.error());
    if (*record) records.emplace_back(sequence, std::move(**record));
  }
  return records;
}

}  // namespace

tl::expected<std::unique_ptr<cluster::nats_connection>, std::string> connect_to_nats(const cluster_settings& at) {
  return cluster::nats_connection::connect(
      {.nats = at.nats, .connection_name = "ordem cluster", .keeps_trying = false, .on_state = {}, .on_closed = {}});
}

tl::expected<std::optional<read_log_record>, std::string> read_log_record_at(cluster::nats_connection& connection,
                                                                             const std::string& stream,
                                                                             std::uint64_t sequence) {
  const auto answer = cluster::read_record(connection, stream, sequence, read_time_max);
  if (!answer) return tl::make_unexpected(answer.error());
  if (std::holds_alternative<cluster::record_missing>(*answer)) return std::optional<read_log_record>();
  if (const auto* refusal = std::get_if<cluster::log_refusal>(&*answer)) {
    return tl::make_unexpected(fmt::format("sequence {} of the stream cannot be read: {}", sequence, refusal->text));
  }
  const auto* found = std::get_if<cluster::record_found>(&*answer);
  if (found == nullptr) return tl::make_unexpected("the stream has no leader");
  const auto header = cluster::decode_whole_record(found->bytes);
  if (!header) return tl::make_unexpected(fmt::format("sequence {} of the stream is not a record of a log", sequence));
  return read_log_record{*header, std::string(storage::payload_of(*header, found->bytes))};
}

tl::expected<std::optional<cluster::genesis_record>, std::string> read_genesis(cluster::nats_connection& connection,
                                                                               const std::string& stream) {
  const auto record = read_log_record_at(connection, stream, 1);
  if (!record) return tl::make_unexpected(record.error());
  if (!*record) return std::optional<cluster::genesis_record>();
  auto genesis =
      (*record)->header.kind == log_record_kind::genesis ? cluster::decode_genesis((*record)->payload) : std::nullopt;
  if (!genesis)
    return tl::make_unexpected(fmt::format("the stream {} does not begin with the first record of a log", stream));
  return genesis;
}

tl::expected<std::optional<log_ownership>, std::string> read_ownership(cluster::nats_connection& connection,
                                                                       const std::string& stream,
                                                                       const cluster::stream_info& info) {
  if (info.records == 0) return std::optional<log_ownership>();
  const auto newest = read_back(connection, stream, info.first_sequence, info.last_sequence);
  if (!newest) return tl::make_unexpected(newest.error());
  log_ownership out;
  for (const auto& each : *newest) out.epoch = std::max(out.epoch, each.second.header.epoch);
  if (out.epoch == 0) return std::optional<log_ownership>();
  for (const auto& [sequence, record] : *newest) {
    if (record.header.epoch == out.epoch && record.header.kind == log_record_kind::release) out.is_released = true;
  }
  // Epochs ascend, but for dead records. The search ends at the EPOCH record or behind the dead ones that follow it.
  std::uint64_t below = info.first_sequence - 1;  // is of an earlier epoch, or dead
  std::uint64_t high = info.last_sequence;        // is of this epoch, or dead
  while (below + 1 < high) {
    const std::uint64_t middle = below + (high - below) / 2;
    const auto record = read_log_record_at(connection, stream, middle);
    if (!record) return tl::make_unexpected(record.error());
    (*record && (*record)->header.epoch >= out.epoch ? high : below) = middle;
  }
  const auto around = read_back(connection, stream, info.first_sequence, high);
  if (!around) return tl::make_unexpected(around.error());
  for (const auto& [sequence, record] : *around) {
    if (record.header.epoch != out.epoch || record.header.kind != log_record_kind::epoch) continue;
    auto owner = cluster::decode_epoch(record.payload);
    if (!owner) return tl::make_unexpected(fmt::format("the EPOCH record at sequence {} cannot be read", sequence));
    out.sequence = sequence;
    out.owner = std::move(*owner);
  }
  return out;
}

}  // namespace ordem::app
