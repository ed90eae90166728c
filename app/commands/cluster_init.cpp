#include "app/commands/cluster_init.hpp"

#include <fmt/format.h>

#include <boost/uuid/random_generator.hpp>
#include <boost/uuid/uuid_io.hpp>
#include <chrono>
#include <iostream>
#include <string>
#include <thread>

#include "app/commands/cluster_log.hpp"
#include "app/commands/failure.hpp"
#include "app/process/system_clock.hpp"
#include "cluster/nats/cluster_names.hpp"
#include "cluster/nats/stream_calls.hpp"
#include "cluster/nats/stream_settings.hpp"
#include "storage/records/data_format.hpp"

namespace ordem::app {
namespace {

// For how long the servers may be too few, or without a leader, which they are at first after their start, and a stream
// after it was made.
constexpr std::chrono::seconds patience{25};
constexpr std::chrono::milliseconds retry_after{100};
constexpr std::chrono::milliseconds append_time_max{2000};

std::string genesis_bytes() {
  cluster::genesis_record genesis;
  genesis.cluster_id = boost::uuids::to_string(boost::uuids::random_generator()());
  genesis.data_format = storage::data_format;
  return cluster::genesis_log_record(genesis, system_time());
}

// Writes the first record of the log, unless there is one: of two that run at once, one writes it. Returns the error.
std::optional<std::string> write_genesis(cluster::nats_connection& connection, const cluster::cluster_names& names) {
  const std::string record = genesis_bytes();
  const auto deadline = std::chrono::steady_clock::now() + patience;
  for (;;) {
    // Again with the same expectation, whatever became of the one before.
    const auto answer = cluster::append_record(connection, names.log_subject, 0, record, append_time_max);
    std::string error = "the stream has no leader";
    if (!answer) {
      error = answer.error();
    } else if (const auto* refusal = std::get_if<cluster::log_refusal>(&*answer)) {
      error = refusal->text;
    } else if (!std::holds_alternative<cluster::no_responders>(*answer)) {
      return std::nullopt;
    }
    if (std::chrono::steady_clock::now() >= deadline) return "the first record could not be written: " + error;
    std::this_thread::sleep_for(retry_after);
  }
}

tl::expected<cluster::stream_info, std::string> find_or_make_stream(cluster::nats_connection& connection,
                                                                    const cluster::stream_settings& settings) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  for (;;) {
    const auto found = cluster::read_stream_info(connection, settings.names.stream);
    if (found && *found) return **found;
    const auto made = found ? cluster::create_stream(connection, settings) : tl::make_unexpected(found.error());
    if (made) return *made;
    if (!made.error().may_pass || std::chrono::steady_clock::now() >= deadline) {
      return tl::make_unexpected(made.error().text);
    }
    std::this_thread::sleep_for(retry_after);
  }
}

int print_differences(const std::string& stream, const std::vector<cluster::stream_difference>& differences) {
  const auto shown = [](const std::string& value) { return value.empty() ? std::string("nothing") : value; };
  std::string text = fmt::format("the stream {} is there, with other settings:", stream);
  for (const auto& each : differences) {
    text += fmt::format("\n  {}: {}, and not {}", each.name, shown(each.found), shown(each.wanted));
  }
  return fail(text);
}

}  // namespace

int cluster_init(const cluster_init_command& what) {
  const cluster::stream_settings settings{
      .names = cluster::names_of(what.at.name), .replicas = what.replicas, .bytes_max = what.bytes_max};
  const std::string& stream = settings.names.stream;
  const auto connected = connect_to_nats(what.at);
  if (!connected) return fail(connected.error());
  cluster::nats_connection& connection = **connected;
  if (connection.payload_bytes_max() < cluster::nats_payload_bytes_min) {
    return fail(
        fmt::format("the servers of NATS take messages of at most {} bytes, and {} are needed: set max_payload to 8MB",
                    connection.payload_bytes_max(), cluster::nats_payload_bytes_min));
  }
  const auto info = find_or_make_stream(connection, settings);
  if (!info) return fail(info.error());
  const auto differences = cluster::compare_stream(settings, *info);
  if (!differences.empty()) return print_differences(stream, differences);
  const bool had_records = info->last_sequence > 0;
  if (!had_records) {
    if (const auto error = write_genesis(connection, settings.names)) return fail(*error);
  }
  const auto genesis = read_genesis(connection, stream);
  if (!genesis) return fail(genesis.error());
  std::cout << (had_records ? "nothing to do: the stream " : "made the stream ") << stream
            << (had_records ? " is there" : "") << ", of " << settings.replicas
            << (settings.replicas == 1 ? " replica" : " replicas");
  if (*genesis) std::cout << "; the cluster's id is " << (*genesis)->cluster_id;
  std::cout << "\n";
  return 0;
}

}  // namespace ordem::app
