#include "app/commands/cluster_move.hpp"

#include <fmt/format.h>

#include <chrono>
#include <iostream>
#include <string>
#include <thread>

#include "app/commands/cluster_log.hpp"
#include "app/commands/failure.hpp"
#include "app/commands/heard_nodes.hpp"
#include "cluster/nats/cluster_names.hpp"
#include "cluster/node/control_message.hpp"

namespace ordem::app {
namespace {

// More than the owner takes to execute what it has and to release the log.
constexpr std::chrono::milliseconds answer_time_max{15'000};
// For which a released log may be without an owner: longer than a takeover by another node than was asked for.
constexpr std::chrono::seconds claim_time_max{10};
constexpr std::chrono::milliseconds look_again_after{50};

}  // namespace

int cluster_move(const cluster_move_command& what) {
  const auto names = cluster::names_of(what.at.name);
  const auto connected = connect_to_nats(what.at);
  if (!connected) return fail(connected.error());
  cluster::nats_connection& connection = **connected;
  const auto read = [&] {
    return read_log_stream(connection, what.at.name).and_then([&](const cluster::stream_info& info) {
      return read_ownership(connection, names.stream, info);
    });
  };
  auto before = read();
  if (!before) return fail(before.error());
  if (*before && (*before)->sequence == 0) {
    heard_nodes nodes(connection, names.heartbeat);
    std::this_thread::sleep_for(listening_time);
    name_owner(**before, nodes.all());
  }
  if (!*before || (*before)->is_released || (*before)->owner.node.empty()) {
    return fail("no node owns the log: `ordem cluster status` shows which nodes there are");
  }
  const std::string& from = (*before)->owner.node;
  if (what.to == from) {
    std::cout << "nothing to do: " << from << " owns the log\n";
    return 0;
  }
  const auto answered = connection.request(cluster::subject_of_node(names.control, from),
                                           cluster::encode_move_request({what.to}), answer_time_max);
  if (!answered) return fail(fmt::format("{}, which owns the log, does not answer: {}", from, answered.error().text));
  const auto answer = cluster::parse_control_answer(*answered);
  if (!answer) return fail(fmt::format("{}, which owns the log, does not know this request: is it older?", from));
  if (!answer->refusal.empty()) return fail(fmt::format("{} refuses: {}", from, answer->refusal));
  const auto deadline = std::chrono::steady_clock::now() + claim_time_max;
  for (;;) {
    const auto now = read();
    if (now && *now && (*now)->epoch > (*before)->epoch) {
      std::cout << fmt::format("{} owns the log instead of {}, epoch {}\n", (*now)->owner.node, from, (*now)->epoch);
      if (what.to.empty() || (*now)->owner.node == what.to) return 0;
      return fail(fmt::format("{} did not take the log in time, and another node did", what.to));
    }
    if (std::chrono::steady_clock::now() >= deadline) {
      return fail(fmt::format("{} has given the log up, and no node has taken it yet", from));
    }
    std::this_thread::sleep_for(look_again_after);
  }
}

}  // namespace ordem::app
