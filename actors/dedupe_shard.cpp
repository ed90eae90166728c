#include "actors/dedupe_shard.hpp"

#include <utility>

#include "actors/order_keeper.hpp"

namespace ordem::actors {

dedupe_shard::dedupe_shard(caf::actor_config& config, dedupe_shard_parts parts)
    : dedupe_shard_actor::base(config),
      parts_(std::move(parts)),
      table_(*parts_.committed, parts_.policy),
      ids_(parts_.id_seed) {
  stop_on_exception(this);
}

dedupe_shard::behavior_type dedupe_shard::make_behavior() {
  return {
      [this](submit& batch) { admit_all(batch); },
      [this](const settle& notice) { settle_all(notice); },
  };
}

void dedupe_shard::on_exit() {
  parts_.keepers.clear();  // actors that hold each other would never go
  parts_.writer = commit_writer_actor{};
}

void dedupe_shard::admit_all(submit& batch) {
  const timestamp now = parts_.clock->now();
  std::vector<reply> replies;
  std::vector<decided> created;
  std::vector<std::vector<task>> by_keeper(parts_.keepers.size());
  std::uint64_t joins = 0;
  std::uint64_t replays = 0;

  for (submission& each : batch.submissions) {
    auto admission = table_.admit(each.ticket, each.message, now);
    if (auto* known = std::get_if<answer>(&admission)) {
      if (std::holds_alternative<executed>(*known)) ++replays;
      replies.push_back({each.ticket, std::move(*known)});
    } else if (std::holds_alternative<dedupe_table::joined>(admission)) {
      ++joins;
    } else {
      task what{each.ticket, parts_.number, std::move(each.message)};
      if (what.message.target) {
        by_keeper[keeper_of(*what.message.target, static_cast<std::uint32_t>(by_keeper.size()))].push_back(
            std::move(what));
      } else {
        const order_id id = ids_.next(now, what.message.guid.slot());
        created.push_back(execute(std::move(what), nullptr, id, now, parts_.message_ttl).decided);
      }
    }
  }

  if (!created.empty()) send(parts_.writer, commit{std::move(created)});
  for (std::size_t i = 0; i < by_keeper.size(); ++i) {
    if (!by_keeper[i].empty()) send(parts_.keepers[i], admit{std::move(by_keeper[i])});
  }
  add(parts_.counters->joins, joins);
  add(parts_.counters->replays, replays);
  if (!replies.empty()) parts_.replies->answer(std::move(replies));
}

void dedupe_shard::settle_all(const settle& notice) {
  std::vector<reply> replies;
  for (const settlement& each : *notice.group) {
    if (each.shard == parts_.number) table_.settle(each, replies);
  }
  if (!replies.empty()) parts_.replies->answer(std::move(replies));
}

}  // namespace ordem::actors
