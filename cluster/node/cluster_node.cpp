#include "cluster/node/cluster_node.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>
#include <utility>
#include <variant>

#include "cluster/forwarding/forward_message.hpp"
#include "cluster/node/boot_clock.hpp"
#include "cluster/node/control_message.hpp"
#include "cluster/node/job_thread.hpp"
#include "cluster/node/lease_gate.hpp"
#include "cluster/node/node_appender.hpp"
#include "cluster/node/node_connections.hpp"
#include "cluster/node/replaceable.hpp"
#include "engine/base/atomic_max.hpp"
#include "engine/base/check.hpp"
#include "engine/base/inbox.hpp"
#include "engine/base/random_bits.hpp"

namespace ordem::cluster {
namespace {

constexpr milliseconds tick_interval{50};
constexpr milliseconds ask_interval{1000};        // for the state of the stream
constexpr milliseconds ask_interval_joining{20};  // until the node has joined
constexpr milliseconds sleep_max{1000};
constexpr milliseconds peer_kept_for{10'000};      // in the stats
constexpr milliseconds owner_missing_max{10'000};  // then requests are not routed here
constexpr milliseconds drain_after_seal_max{2000};
constexpr milliseconds move_time_max{10'000};

milliseconds ms_of(boot_time at) {
  return std::chrono::duration_cast<milliseconds>(at.time_since_epoch());
}

// What other threads have for the node's thread. Bounded by their senders: answers by the window, heartbeats and
// questions by the nodes of the cluster, reads by the gate.
struct read_wanted {
  std::uint64_t ticket = 0;
};
struct release_wanted {
  std::string successor;
};
// The engine cannot go on with this ownership.
struct engine_failed {
  std::string why;
};
using position_found = tl::expected<chain_state, position_error>;
using node_event = std::variant<link_answer, heartbeat, position_found, std::optional<stream_info>, read_wanted,
                                release_wanted, engine_failed>;

// Wakes one thread.
class wake_signal {
 public:
  void wake() {
    const std::lock_guard lock(mutex_);
    is_set_ = true;
    woken_.notify_one();
  }
  // Waits until wake() has been called since the last call, or that much time has passed.
  void wait_for(boot_clock::duration time) {
    std::unique_lock lock(mutex_);
    woken_.wait_for(lock, time, [this] { return is_set_; });
    is_set_ = false;
  }

 private:
  std::mutex mutex_;
  std::condition_variable woken_;
  bool is_set_ = false;
};

publish_reply reply_of(const link_answer& from) {
  publish_reply reply{from.request.sequence, from.request.attempt, publish_outcome::failed, 0};
  if (const auto* stored = std::get_if<record_stored>(&from.answer); stored != nullptr && !stored->duplicate) {
    reply.outcome = publish_outcome::stored;
    reply.value = stored->sequence;
  } else if (const auto* wrong = std::get_if<wrong_last_sequence>(&from.answer)) {
    reply.outcome = publish_outcome::wrong_last;
    reply.value = wrong->last;
  }
  return reply;
}

std::string sentence_of(stop_reason reason, std::uint64_t sequence) {
  const std::string where = " at sequence " + std::to_string(sequence) + " of the stream";
  switch (reason) {
    case stop_reason::damaged_record:
      return "the record" + where + " cannot be read, or contradicts the one that it follows";
    case stop_reason::lost_records: return "the log has lost records that it had acknowledged," + where;
    case stop_reason::trimmed:
      return "the stream no longer has the record" + where +
             " that this node needs next: begin again with a back-up of another node";
    case stop_reason::contradiction: return "a server of NATS has acknowledged what cannot be," + where;
    case stop_reason::own_disk: return "the data folder of this node cannot be used";
  }
  return "unknown";
}

}  // namespace

struct cluster_node::parts final : peer_transport {
  parts(cluster_node_settings given, cluster_node_ports on, cluster_node_events to);

  // --- peer_transport, any thread ---
  void request(std::string_view subject_suffix, std::string body, milliseconds timeout,
               std::function<void(std::optional<std::string>)> done) override;
  void note_visible(position visible) override {
    raise_to(noted_visible, visible.number);
    signal.wake();
  }

  void push(node_event&& what) {
    if (arrived.push(std::move(what))) signal.wake();
  }
  instant now() const { return {boot_now(), ports.clock.now()}; }
  position visible() const { return ports.store.store().view().visible(); }
  node_connections_handlers handlers();

  // --- the node's thread ---
  void run();
  void run_once();
  boot_clock::duration time_to_sleep();
  boot_time next_ask();
  void handle(node_event&& what);
  void on_answer(const link_answer& what);
  void on_heartbeat(const heartbeat& from);
  void on_position(position_found&& found);
  void on_stream_info(const std::optional<stream_info>& info);
  void take_records();
  void take_groups();
  void perform();
  void perform(effect&& what);
  void apply_batch();
  void on_applied();
  void begin_ownership(const ownership_begun_effect& begun);
  void end_ownership();
  void release_log(const std::string& successor);
  void fail(stop_reason reason, std::string why);
  void carry_out_failure();
  void ask_when_due();
  std::string best_successor() const;
  void on_control(std::string_view body, node_connections_handlers::respond_function respond);
  std::string move(const std::string& to);
  std::uint64_t ownerships_ended() const;
  bool owns() const;
  bool release(const std::string& successor, milliseconds timeout);
  cluster_node_stats stats();
  void publish_state();
  void publish_owner();
  void tick();

  const cluster_node_settings settings;
  const cluster_node_ports ports;
  const cluster_node_events events;
  const std::uint64_t nonce = random_bits();

  // Between the threads.
  inbox<node_event> arrived;
  wake_signal signal;
  std::atomic<bool> stops{false};
  std::atomic<bool> retires{false};
  std::atomic<bool> has_changed{false};  // of the connections: there may be records
  std::atomic<bool> has_applied{false};  // the engine has
  std::atomic<std::uint64_t> noted_visible{0};
  std::atomic<std::uint64_t> known_epoch{0};

  // What other threads see of the node, written by its thread.
  mutable std::mutex state_mutex;
  mutable std::condition_variable state_changed;  // an ownership has ended, or the node's thread has
  cluster_node_stats state;
  boot_time owner_known{};
  bool has_joined = false;
  bool has_ended = false;

  lease_gate lease;
  forwarding_port port;
  forward_server server;
  read_index_gate reads;

  // Of the node's thread.
  std::optional<node_core> core;
  std::vector<node_event> taken;
  std::vector<stream_record> records;
  std::vector<shared_record> batch;  // live records of other owners that are not applied yet
  std::vector<publish_effect> unsent;
  std::unique_ptr<node_appender> appender;
  std::unique_ptr<replicated_log> log;
  std::atomic<bool> ownership_ends{false};
  replaceable<owner_engine> engine;
  bool has_engine = false;
  std::map<std::string, std::pair<heartbeat, boot_time>> peers;
  std::uint64_t namesake = 0;  // the nonce of another process with the name of this node
  std::optional<std::pair<stop_reason, std::string>> failure;
  bool has_failed = false;  // it has been carried out
  std::uint64_t next_sequence = 0;
  boot_time asked_at{};
  bool is_asking = false;
  std::uint64_t asked_read_to = 0;
  bool is_connected = false;
  std::string owner;  // as published
  std::uint64_t owner_epoch = 0;

  std::mutex tick_mutex;
  std::condition_variable tick_changed;
  std::mutex release_mutex;  // one release at a time
  std::atomic<bool> is_moving{false};
  job_thread moves;
  node_connections connections;
  std::thread ticker;
  std::thread thread;
};

cluster_node::parts::parts(cluster_node_settings given, cluster_node_ports on, cluster_node_events to)
    : settings(std::move(given)),
      ports(std::move(on)),
      events(std::move(to)),
      lease([] { return boot_now(); }, [this](std::uint64_t ticket) { push(read_wanted{ticket}); }),
      port(settings.forwarding, *this, random_bits(), ms_of(boot_now())),
      server(
          settings.server, port, [this] { return visible(); }, [this] { return known_epoch.load(); },
          ms_of(boot_now())),
      reads(
          settings.reads, *this, lease, [this] { return visible(); }, ms_of(boot_now())),
      connections({.nats = settings.nats,
                   .names = settings.names,
                   .node = settings.node,
                   .reconnect_after = settings.reconnect_after,
                   .lost_after = settings.append.lost_after},
                  handlers()) {
  state.node = settings.node;
  state.http_address = settings.http_address;
  state.window_records_max = settings.append.records_max;
}

node_connections_handlers cluster_node::parts::handlers() {
  return {.on_answer = [this](const link_answer& what) { push(what); },
          .on_heartbeat = [this](heartbeat&& what) { push(std::move(what)); },
          .on_submit = [this](std::string_view body, auto respond) { server.handle(body, std::move(respond)); },
          .on_read_index =
              [this](std::string_view body, auto respond) {
                answer_read_index(
                    body, lease, [this] { return visible(); }, [this] { return known_epoch.load(); },
                    std::move(respond));
              },
          .on_control = [this](std::string_view body, auto respond) { on_control(body, std::move(respond)); },
          .on_position = [this](position_found found) { push(std::move(found)); },
          .on_stream_info = [this](std::optional<stream_info> info) { push(std::move(info)); },
          .on_change =
              [this] {
                has_changed = true;
                signal.wake();
              },
          .on_error = [this](std::string_view what) { events.on_error(what); }};
}

void cluster_node::parts::request(std::string_view subject_suffix, std::string body, milliseconds timeout,
                                  std::function<void(std::optional<std::string>)> done) {
  std::string to;
  {
    const std::lock_guard lock(state_mutex);
    to = state.owner;
  }
  const bool submits = subject_suffix == submit_subject;
  ORDEM_CHECK(submits || subject_suffix == read_index_subject);
  if (to.empty() || to == settings.node) {
    // As that node would answer: nothing was done.
    const std::uint64_t epoch = known_epoch.load();
    if (!submits) return done(encode_read_index_answer({std::nullopt, epoch}));
    return done(encode_forward_answer(
        {.status = forward_status::not_owner, .epoch = epoch, .visible = visible(), .answers = {}},
        settings.server.answer_bytes_max));
  }
  connections.request(subject_of_node(submits ? settings.names.submit : settings.names.read_index, to), body, timeout,
                      std::move(done));
}

// --- events ---

void cluster_node::parts::run() {
  while (!stops) {
    signal.wait_for(time_to_sleep());
    run_once();
  }
  if (has_engine) end_ownership();
  lease.close();
  const std::lock_guard lock(state_mutex);
  has_ended = true;
  state_changed.notify_all();
}

boot_clock::duration cluster_node::parts::time_to_sleep() {
  if (!core) return sleep_max;
  const boot_time next = std::min(core->next_deadline(), next_ask());
  return std::clamp<boot_clock::duration>(std::min(next, boot_now() + sleep_max) - boot_now(), boot_clock::duration(0),
                                          sleep_max);
}

// When the stream's state is asked for; until it has joined, a node asks as soon as it has read all that there was.
boot_time cluster_node::parts::next_ask() {
  if (is_asking || core->role() == node_role::stopped) return boot_time::max();
  if (core->role() != node_role::joining) return asked_at + ask_interval;
  return connections.is_current() ? asked_at + ask_interval_joining : boot_time::max();
}

void cluster_node::parts::run_once() {
  arrived.take(taken);
  for (node_event& each : taken) handle(std::move(each));
  if (!core) return publish_state();
  if (const bool works = connections.is_up(); works != is_connected) {
    is_connected = works;
    core->on_connection(works, now());
    events.on_connection(works);
  }
  core->set_may_claim(!retires && !failure);
  if (has_changed.exchange(false)) take_records();
  if (has_applied.exchange(false)) on_applied();
  core->on_visible({noted_visible.load()});
  core->on_timer(now());
  ask_when_due();
  perform();
  // Acknowledgements have made room, so groups follow.
  take_groups();
  perform();
  if (has_engine && ports.store.store().view().has_failed()) fail(stop_reason::own_disk, "the view cannot be written");
  carry_out_failure();
  publish_state();
}

void cluster_node::parts::handle(node_event&& what) {
  if (auto* answer = std::get_if<link_answer>(&what)) return on_answer(*answer);
  if (auto* heard = std::get_if<heartbeat>(&what)) return on_heartbeat(*heard);
  if (auto* found = std::get_if<position_found>(&what)) return on_position(std::move(*found));
  if (auto* info = std::get_if<std::optional<stream_info>>(&what)) return on_stream_info(*info);
  if (auto* wanted = std::get_if<release_wanted>(&what)) return release_log(wanted->successor);
  if (auto* read = std::get_if<read_wanted>(&what)) {
    if (!core) return lease.finish(read->ticket, false);
    return core->request_read(read->ticket, now());
  }
  events.on_error(std::get<engine_failed>(what).why);
  release_log({});
}

void cluster_node::parts::on_answer(const link_answer& what) {
  if (!core) return;
  if (what.question == log_question::append) return core->on_publish_reply(reply_of(what), now());
  if (const auto* found = std::get_if<record_found>(&what.answer)) {
    core->on_record(found->sequence, std::make_shared<const std::string>(found->bytes), now());
  } else if (std::holds_alternative<record_missing>(what.answer)) {
    core->on_missing(what.request.sequence, now());
  }
}

void cluster_node::parts::on_heartbeat(const heartbeat& from) {
  if (from.node == settings.node) {
    if (from.nonce != nonce && std::exchange(namesake, from.nonce) != from.nonce) {
      events.on_error("another process sends heartbeats by the name of this node, or did until now");
    }
    return;
  }
  const boot_time heard = boot_now();
  std::erase_if(peers, [&](const auto& each) { return heard - each.second.second > peer_kept_for; });
  if (peers.size() < peers_max || peers.contains(from.node)) peers[from.node] = {from, heard};
  if (core) core->on_heartbeat(from, now());
}

void cluster_node::parts::on_position(position_found&& found) {
  node_settings of_core{.node = settings.node,
                        .nonce = nonce,
                        .http_address = settings.http_address,
                        .program_version = settings.program_version,
                        .takeover_after = settings.takeover_after,
                        .append = settings.append};
  core.emplace(std::move(of_core), found ? std::move(*found) : chain_state{}, now());
  if (!found) {
    const bool is_trimmed = found.error().what == position_error::kind::trimmed;
    return fail(is_trimmed ? stop_reason::trimmed : stop_reason::lost_records, found.error().text);
  }
  has_changed = true;
}

void cluster_node::parts::ask_when_due() {
  const boot_time at = boot_now();
  if (at < next_ask()) return;
  is_asking = true;
  asked_at = at;
  asked_read_to = core->chain().read_to;
  connections.ask_stream_info();
}

void cluster_node::parts::on_stream_info(const std::optional<stream_info>& info) {
  is_asking = false;
  if (!info || !core) return;
  {
    const std::lock_guard lock(state_mutex);
    state.log_bytes = info->bytes;
    state.log_bytes_max = info->bytes_max;
  }
  // What was read since the question was asked stands behind what the answer knows.
  const bool is_short = info->last_sequence < asked_read_to;
  const std::uint64_t last = is_short ? info->last_sequence : std::max(info->last_sequence, core->chain().read_to);
  core->on_stream_state(std::max<std::uint64_t>(info->first_sequence, 1), last, now());
}

void cluster_node::parts::take_records() {
  connections.take(records);
  const instant at = now();
  for (stream_record& each : records) {
    core->on_record(each.sequence, std::make_shared<const std::string>(std::move(each.bytes)), at);
  }
}

void cluster_node::parts::take_groups() {
  while (appender != nullptr) {
    const auto bytes = appender->waiting_bytes();
    if (!bytes || !core->has_room(*bytes)) return;
    unframed_group group = appender->take();
    ORDEM_CHECK(group.first == core->next_position());
    instant at = now();
    at.wall = std::max(at.wall, group.newest);
    core->append(std::move(group.payload), group.entries, at);
  }
}

// --- effects ---

void cluster_node::parts::perform() {
  for (;;) {
    lease.shorten(core->lease_end());
    std::vector<effect> effects = core->take_effects();
    if (effects.empty()) break;
    for (effect& each : effects) {
      if (!std::holds_alternative<record_effect>(each)) apply_batch();
      perform(std::move(each));
    }
    apply_batch();
    for (const publish_effect& each : std::exchange(unsent, {})) {
      core->on_publish_reply({each.sequence, each.attempt, publish_outcome::failed, 0}, now());
    }
  }
  lease.set_end(has_engine && !failure ? core->lease_end() : boot_time::min());
  if (core->next_sequence() == next_sequence) return;
  next_sequence = core->next_sequence();
  const bool has_own = core->role() == node_role::owner || core->role() == node_role::claiming;
  connections.note_read(next_sequence, has_own);
}

void cluster_node::parts::perform(effect&& what) {
  if (auto* publish = std::get_if<publish_effect>(&what)) {
    if (!connections.append(*publish, core->chain().epoch)) unsent.push_back(std::move(*publish));
  } else if (auto* look_up = std::get_if<look_up_effect>(&what)) {
    connections.look_up(*look_up, core->chain().epoch);
  } else if (auto* record = std::get_if<record_effect>(&what)) {
    if (failure) return;
    if (!record->is_own) return batch.push_back(std::move(record->record));
    apply_batch();
    if (const auto kept = ports.store.applier().keep(*record->record); !kept) {
      fail(stop_reason::own_disk, kept.error().message);
    }
  } else if (auto* acknowledged = std::get_if<acknowledged_effect>(&what)) {
    if (appender != nullptr && !failure) appender->acknowledge(acknowledged->last);
  } else if (auto* begun = std::get_if<ownership_begun_effect>(&what)) {
    begin_ownership(*begun);
  } else if (auto* ended = std::get_if<ownership_ended_effect>(&what)) {
    if (!has_engine) return;
    end_ownership();
    {
      const std::lock_guard lock(state_mutex);
      switch (ended->reason) {
        case ownership_end::fenced: ++state.ended_fenced; break;
        case ownership_end::released: ++state.ended_released; break;
        case ownership_end::stopped: ++state.ended_stopped; break;
      }
      state_changed.notify_all();
    }
    events.on_ownership_ended(ended->epoch, ended->reason);
  } else if (auto* ready = std::get_if<read_ready_effect>(&what)) {
    lease.finish(ready->ticket, has_engine && !failure);
  } else if (auto* refused = std::get_if<read_refused_effect>(&what)) {
    lease.finish(refused->ticket, false);
  } else if (auto* beat = std::get_if<heartbeat_effect>(&what)) {
    connections.send_heartbeat(beat->what);
  } else if (auto* stopped = std::get_if<stopped_effect>(&what)) {
    const std::string why = failure ? failure->second : sentence_of(stopped->reason, stopped->sequence);
    {
      const std::lock_guard lock(state_mutex);
      state.stopped = stopped->reason;
      state.stopped_why = why;
    }
    events.on_stopped(stopped->reason, why);
  }
}

void cluster_node::parts::apply_batch() {
  if (batch.empty()) return;
  const std::vector<shared_record> records_of_others = std::exchange(batch, {});
  if (failure) return;
  std::vector<std::string_view> texts;
  texts.reserve(records_of_others.size());
  for (const shared_record& each : records_of_others) texts.emplace_back(*each);
  const auto applied = ports.store.applier().apply(texts);
  if (!applied) {
    const bool is_damage = applied.error().code == storage::error_code::damaged;
    fail(is_damage ? stop_reason::damaged_record : stop_reason::own_disk, applied.error().message);
  }
  on_applied();
  events.on_applied();
}

void cluster_node::parts::on_applied() {
  const position at = visible();
  core->on_applied(at);
  port.on_applied(at);
  reads.on_applied(at);
}

// --- ownership ---

void cluster_node::parts::begin_ownership(const ownership_begun_effect& begun) {
  if (retires || failure) return release_log({});
  ownership_ends = false;
  appender = std::make_unique<node_appender>(begun.last, [this] { signal.wake(); });
  replicated_log_settings of_log;
  of_log.group_bytes_max = settings.group_bytes_max;
  of_log.on_error = [this](std::string_view why) {
    if (!ownership_ends) push(engine_failed{std::string(why)});
  };
  log = ports.store.begin_ownership(*appender, std::move(of_log));
  engine.replace(ports.make_engine(begun.epoch, *log));
  has_engine = true;
  {
    const std::lock_guard lock(state_mutex);
    ++state.ownerships_begun;
  }
  publish_owner();
  engine.use([this](owner_engine& made) {
    port.attach(made.port(), [&made](completion_queue& queue) { return made.add_queue(queue); });
  });
  reads.set_owner(true);
  events.on_ownership_begun(begun.epoch);
}

// What was decided and is not acknowledged goes with the engine. Then the view has exactly the live records.
void cluster_node::parts::end_ownership() {
  ownership_ends = true;
  lease.set_end(boot_time::min());
  appender->fail();
  reads.set_owner(false);
  port.detach();
  engine.use([](owner_engine& ending) {
    ending.seal();
    ending.drain(drain_after_seal_max);
  });
  engine.replace(nullptr);
  log.reset();
  appender.reset();
  has_engine = false;
  if (const auto caught_up = ports.store.applier().catch_up(); !caught_up) {
    fail(stop_reason::own_disk, caught_up.error().message);
  }
  on_applied();
}

void cluster_node::parts::release_log(const std::string& successor) {
  if (core) core->release(successor.empty() ? best_successor() : successor, now());
}

// The standby that has read most, the first one by name.
std::string cluster_node::parts::best_successor() const {
  const boot_time at = boot_now();
  const heartbeat* best = nullptr;
  for (const auto& [name, heard] : peers) {
    const heartbeat& last = heard.first;
    if (last.role != node_role::standby || at - heard.second > peer_forgotten_after) continue;
    if (best == nullptr || last.sequence > best->sequence) best = &last;
  }
  return best == nullptr ? std::string() : best->node;
}

// REQUIRES: the mutex of the state is held.
std::uint64_t cluster_node::parts::ownerships_ended() const {
  return state.ended_fenced + state.ended_released + state.ended_stopped;
}

bool cluster_node::parts::owns() const {
  const std::lock_guard lock(state_mutex);
  return state.ownerships_begun > ownerships_ended();
}

bool cluster_node::parts::release(const std::string& successor, milliseconds timeout) {
  const std::lock_guard one_at_a_time(release_mutex);
  const auto until = std::chrono::steady_clock::now() + timeout;
  std::uint64_t before = 0;
  {
    const std::lock_guard lock(state_mutex);
    before = ownerships_ended();
    if (state.ownerships_begun == before || has_ended) return false;
  }
  port.end_submissions();
  engine.use([&](owner_engine& made) { made.drain(timeout / 2); });
  push(release_wanted{successor});
  std::unique_lock lock(state_mutex);
  state_changed.wait_until(lock, until, [&] { return ownerships_ended() > before || has_ended; });
  return ownerships_ended() > before;
}

void cluster_node::parts::on_control(std::string_view body, node_connections_handlers::respond_function respond) {
  const auto refuse = [&respond](std::string why) { respond(encode_control_answer({std::move(why)})); };
  const auto wanted = parse_move_request(body);
  if (!wanted) return refuse("this node does not know the request");
  if (is_moving.exchange(true)) return refuse("it is moving the log already");
  moves.run_after({}, [this, to = wanted->to, respond = std::move(respond)] {
    const std::string refusal = move(to);
    is_moving = false;
    respond(encode_control_answer({refusal}));
  });
}

// Returns why it cannot, as a sentence, or nothing. Blocks.
std::string cluster_node::parts::move(const std::string& to) {
  if (!owns()) return "it does not own the log";
  const auto heard = stats().peers;
  const bool is_there = std::any_of(heard.begin(), heard.end(), [&to](const cluster_node_stats::peer& each) {
    return each.last.role == node_role::standby && each.age <= peer_forgotten_after &&
           (to.empty() || each.last.node == to);
  });
  if (!is_there) return to.empty() ? "no other node stands by" : "the node " + to + " does not stand by";
  if (release(to, move_time_max)) return {};
  return owns() ? "the log could not be given up in time; that may still happen" : std::string();
}

// --- errors of this node ---

void cluster_node::parts::fail(stop_reason reason, std::string why) {
  if (failure) return;
  failure.emplace(reason, std::move(why));
  core->set_may_claim(false);
  lease.set_end(boot_time::min());
}

// Gives the log up first, so that another node need not wait until this one is silent.
void cluster_node::parts::carry_out_failure() {
  if (!failure || has_failed) return;
  if (core->role() == node_role::owner) {
    if (appender != nullptr) appender->fail();
    release_log({});
  } else if (core->role() != node_role::claiming) {
    has_failed = true;
    core->fail(failure->first, now());
  } else {
    return;
  }
  perform();
}

// --- what others see ---

// The owner of the last epoch; if its EPOCH record was trimmed, the one that says that it is.
void cluster_node::parts::publish_owner() {
  const chain_state& read = core->chain();
  std::string node = read.owner;
  std::string address = read.http_address;
  const boot_time at = boot_now();
  bool is_heard = node == settings.node && has_engine;
  for (const auto& [name, heard] : peers) {
    const heartbeat& last = heard.first;
    if (last.role != node_role::owner || last.epoch < read.epoch || at - heard.second > peer_forgotten_after) continue;
    if (node.empty() && !read.is_released) {
      node = name;
      address = last.http_address;
    }
    is_heard = is_heard || name == node;
  }
  bool has_changed_owner = false;
  {
    const std::lock_guard lock(state_mutex);
    state.epoch = read.epoch;
    if (is_heard) owner_known = at;
    has_changed_owner = node != owner || read.epoch != owner_epoch;
    if (has_changed_owner) {
      state.owner = owner = node;
      state.owner_address = address;
      owner_epoch = read.epoch;
    }
  }
  known_epoch = read.epoch;
  if (!has_changed_owner) return;
  events.on_owner(owner, owner_epoch);
  if (owner != settings.node) port.on_owner_change();
}

void cluster_node::parts::publish_state() {
  if (!core) return;
  publish_owner();
  bool joins = false;
  {
    const std::lock_guard lock(state_mutex);
    joins = !has_joined && core->role() != node_role::joining && core->role() != node_role::stopped;
    has_joined = has_joined || joins;
    state.role = core->role();
    state.stream_last = core->stream_last();
    state.read_to = core->chain().read_to;
    state.read = core->chain().last;
    state.dead_records = core->dead_records();
    state.unknown_outcomes = core->unknown_outcomes();
    state.window_records = core->in_flight();
    state.is_connected = is_connected;
    state.peers.resize(peers.size());
    auto to = state.peers.begin();
    for (const auto& [name, heard] : peers) {
      if (!(to->last == heard.first)) to->last = heard.first;
      to->age = ms_of(heard.second);  // stats() makes the age of it
      ++to;
    }
  }
  if (joins) events.on_joined();
}

void cluster_node::parts::tick() {
  std::unique_lock lock(tick_mutex);
  while (!tick_changed.wait_for(lock, tick_interval, [this] { return stops.load(); })) {
    const milliseconds at = ms_of(boot_now());
    port.on_tick(at);
    server.on_tick(at);
    reads.on_tick(at);
  }
}

// --- the service's side ---

cluster_node::cluster_node(cluster_node_settings settings, cluster_node_ports ports, cluster_node_events events)
    : parts_(std::make_unique<parts>(std::move(settings), std::move(ports), std::move(events))) {}

cluster_node::~cluster_node() {
  parts& it = *parts_;
  {
    const std::lock_guard lock(it.tick_mutex);
    it.stops = true;
  }
  it.tick_changed.notify_all();
  it.signal.wake();
  if (it.thread.joinable()) it.thread.join();
  if (it.ticker.joinable()) it.ticker.join();
  it.lease.close();
  it.moves.stop();
  it.connections.stop();
}

forwarding_port& cluster_node::port() noexcept {
  return parts_->port;
}

read_gate& cluster_node::reads() noexcept {
  return parts_->reads;
}

void cluster_node::start() {
  parts& it = *parts_;
  it.ticker = std::thread([&it] { it.tick(); });
  it.thread = std::thread([&it] { it.run(); });
  it.connections.start(it.ports.store.copy().last_record());
}

void cluster_node::on_visible() {
  if (!parts_->has_applied.exchange(true)) parts_->signal.wake();
}

bool cluster_node::release(const std::string& successor, milliseconds timeout) {
  return parts_->release(successor, timeout);
}

bool cluster_node::retire(milliseconds timeout) {
  parts_->retires = true;
  parts_->signal.wake();
  // It may end between the two.
  return !parts_->owns() || parts_->release({}, timeout) || !parts_->owns();
}

bool cluster_node::routes_requests() const {
  const std::lock_guard lock(parts_->state_mutex);
  return parts_->has_joined && !parts_->state.stopped && boot_now() - parts_->owner_known <= owner_missing_max;
}

bool cluster_node::is_owner() const noexcept {
  return parts_->port.is_attached();
}

cluster_node_stats cluster_node::stats() const {
  return parts_->stats();
}

cluster_node_stats cluster_node::parts::stats() {
  cluster_node_stats stats;
  {
    const std::lock_guard lock(state_mutex);
    stats = state;
  }
  stats.applied = visible();  // an owner's view may have more than its thread has heard of
  const milliseconds at = ms_of(boot_now());
  for (auto& peer : stats.peers) {
    peer.age = at - peer.age;
    peer.lag = stats.stream_last - std::min(stats.stream_last, peer.last.sequence);
  }
  const auto links = connections.links();
  for (std::size_t i = 0; i < links.size(); ++i) {
    stats.links.push_back({settings.nats.urls[i], links[i].is_up, links[i].losses});
  }
  stats.dropped_messages = connections.dropped_messages();
  stats.forwarding = port.stats();
  return stats;
}

}  // namespace ordem::cluster
