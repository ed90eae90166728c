#include "tests/cluster/simulation.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <deque>
#include <functional>
#include <iostream>
#include <memory>
#include <queue>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "cluster/protocol/control_record.hpp"
#include "cluster/protocol/node_core.hpp"
#include "storage/records/bytes.hpp"
#include "tests/support_cpp/random_orders.hpp"

namespace ordem::cluster::testing {
namespace {

using ordem::testing::random_source;
using storage::log_record_kind;

using tick = std::int64_t;  // true time, in microseconds
constexpr tick ms = 1000;
constexpr tick second = 1000 * ms;

constexpr std::size_t node_count = 3;
constexpr std::size_t server_count = 3;
constexpr std::size_t key_count = 3;
constexpr tick faults_end = 7 * second;
constexpr tick schedule_end = 40 * second;
constexpr std::uint64_t done_min = 2;  // requests of a client after the last fault
constexpr const char* cluster_id = "6f1c2b1e-1f5b-4a44-9d3c-0a7d3a4e5b6c";

// A write that a client asks for, under one GUID however often it is sent.
struct operation {
  std::size_t key = 0;
  std::uint64_t sequence = 0;  // of the live record that has it; 0: none
  std::uint64_t version = 0;   // in that record
};

struct write_entry {
  std::uint64_t operation = 0;
  std::size_t key = 0;
  std::uint64_t version = 0;
};

std::vector<write_entry> entries_of(std::string_view record, const storage::log_record_header& header) {
  storage::byte_reader from{storage::payload_of(header, record)};
  std::vector<write_entry> entries(header.entries);
  for (write_entry& each : entries) {
    each.operation = from.get_varint();
    each.key = from.get_byte();
    each.version = from.get_varint();
  }
  return entries;
}

struct chances {  // one in so many; 0: never
  std::uint64_t lost_request = 0;
  std::uint64_t lost_reply = 0;
  std::uint64_t late_request = 0;
  std::uint64_t late_reply = 0;
  std::uint64_t doubled_request = 0;
  std::uint64_t lost_tail = 0;
  std::uint64_t lost_message = 0;
};

struct read_request {
  std::size_t client = 0;
  std::uint64_t number = 0;  // of the client's request
  std::size_t key = 0;
  std::size_t node = 0;  // that asks the owner; the owner itself if the client asked it
};

struct waiting_write {
  std::uint64_t operation = 0;
  std::size_t client = 0;
  std::uint64_t number = 0;
};

struct node {
  std::string name;
  std::unique_ptr<node_core> core;
  std::uint64_t incarnation = 0;
  tick paused_until = 0;
  double clock_rate = 1;
  tick boot_offset = 0;
  tick wall_offset = 0;
  bool is_cut_from_log = false;
  std::array<bool, node_count> is_cut_to{};
  std::array<tick, server_count> sent_until{};
  tick timer_at = 0;  // of the earliest timer that is scheduled; 0: none
  bool is_fetching = false;

  // The copy outlives the process; the state of the fold is made again from it.
  std::vector<std::pair<std::uint64_t, shared_record>> copy;
  std::size_t copied_live = 0;      // live records in it
  std::size_t applied_records = 0;  // of the copy, to the view
  std::array<std::uint64_t, key_count> versions{};

  // The last position in the view.
  position visible() const {
    if (applied_records == 0) return {};
    return storage::decode_log_record_header(*copy[applied_records - 1].second)->last();
  }

  // The engine of the owner.
  bool decides = false;
  std::array<std::uint64_t, key_count> decided{};
  std::deque<waiting_write> queue;
  std::vector<waiting_write> in_flight;

  std::unordered_map<std::uint64_t, read_request> reads;         // by ticket
  std::vector<std::pair<std::uint64_t, read_request>> reads_at;  // wait until the view has that sequence

  // The sequence of the last record in the view.
  std::uint64_t applied() const { return applied_records == 0 ? 0 : copy[applied_records - 1].first; }
};

struct client {
  bool writes = false;
  std::uint64_t operation = 0;
  std::size_t key = 0;
  std::uint64_t number = 0;  // of the request, so that a late answer is known
  std::uint64_t floor = 0;   // the least version that a read may return
  std::size_t node = 0;
  std::uint64_t done_after_faults = 0;
};

// Kinds of faults that make_fault() makes.
constexpr std::uint64_t fault_kinds = 9;

class simulation {
 public:
  simulation(std::uint64_t seed, const protocol_rules& rules)
      : random_(seed), rules_(rules), traces_(std::getenv("ORDEM_TRACE") != nullptr) {
    draw();
    const std::string genesis = genesis_log_record({cluster_id, 1, 0, 1}, timestamp{milliseconds(1)});
    append_true(std::make_shared<const std::string>(genesis));
    for (std::size_t i = 0; i < node_count; ++i) {
      node& each = nodes_[i];
      each.name = std::string(1, static_cast<char>('a' + i));
      each.clock_rate = 1 + (static_cast<double>(random_.up_to(80'000)) - 40'000) / 1e6;
      each.boot_offset = static_cast<tick>(random_.up_to(1000)) * second;
      each.wall_offset = static_cast<tick>(random_.up_to(20'000)) * ms;
      start(i);
    }
    for (std::size_t i = 0; i < clients_.size(); ++i) {
      schedule(static_cast<tick>(random_.up_to(500)) * ms, [this, i] { begin_request(i); });
    }
    schedule_fault();
    schedule(faults_end, [this] { heal(); });
  }

  schedule_result run() {
    while (!result_.failure && !events_.empty()) {
      event next = std::move(const_cast<event&>(events_.top()));  // popped at once
      events_.pop();
      now_ = next.at;
      ++result_.events;
      next.run();
      if (is_done()) break;
      if (now_ > schedule_end) fail("the cluster does not work again after the last fault");
    }
    for (const node& each : nodes_) {
      if (each.core) result_.unknown_outcomes += each.core->unknown_outcomes();
    }
    return result_;
  }

 private:
  struct event {
    tick at = 0;
    std::uint64_t order = 0;
    std::function<void()> run;
    friend bool operator<(const event& one, const event& other) {
      return one.at != other.at ? one.at > other.at : one.order > other.order;
    }
  };

  // --- the schedule ---

  void draw() {
    constexpr std::array<std::uint64_t, 5> rates = {0, 0, 100, 20, 6};
    for (auto* each : {&chances_.lost_request, &chances_.lost_reply, &chances_.late_request, &chances_.late_reply,
                       &chances_.doubled_request, &chances_.lost_tail, &chances_.lost_message}) {
      *each = random_.one_of(rates);
    }
    takeover_after_ = milliseconds(random_.chance() ? 1500 : 400 + random_.up_to(1000));
    group_max_ = 1 + random_.below(4);
    fault_interval_ = static_cast<tick>(150 + random_.up_to(1000)) * ms;
    // Of one kind above all in some schedules: some orders of events need it several times.
    if (random_.chance()) favoured_fault_ = random_.below(fault_kinds);
    think_ = static_cast<tick>(random_.one_of(std::array<std::uint64_t, 3>{10, 60, 250})) * ms;
    clients_.resize(3 + random_.below(5));
  }

  template <class Run>
  void schedule(tick at, Run run) {
    events_.push({std::max(at, now_), ++order_, std::move(run)});
  }

  // At that time, or when the node wakes, unless the process has ended until then.
  template <class Run>
  void schedule_on(std::size_t index, tick at, Run run) {
    schedule(at, [this, index, incarnation = nodes_[index].incarnation, run = std::move(run)] {
      node& at_node = nodes_[index];
      if (!at_node.core || at_node.incarnation != incarnation) return;
      if (now_ < at_node.paused_until) return schedule_on(index, at_node.paused_until, run);
      run();
      if (!result_.failure) drain(index);
    });
  }

  bool one_in(std::uint64_t count) { return !is_healed_ && count != 0 && random_.one_in(count); }
  tick latency() { return static_cast<tick>(200 + random_.up_to(2000)); }
  tick up_to(tick most) { return static_cast<tick>(random_.up_to(static_cast<std::uint64_t>(most))); }

  void fail(const std::string& what) {
    if (!result_.failure) result_.failure = what + " (at " + std::to_string(now_ / ms) + " ms)";
    trace(what);
  }
  void trace(const std::string& what) const {
    if (traces_) std::cerr << now_ << " " << what << "\n";
  }

  bool is_done() const {
    if (!is_healed_) return false;
    for (const client& each : clients_) {
      if (each.done_after_faults < done_min) return false;
    }
    for (const node& each : nodes_) {
      if (each.copied_live != live_.size()) return false;
    }
    return true;
  }

  // --- faults ---

  void schedule_fault() {
    schedule(now_ + up_to(2 * fault_interval_), [this] {
      if (is_healed_) return;
      make_fault();
      schedule_fault();
    });
  }

  std::size_t owner_or_any() {
    for (std::size_t i = 0; i < node_count; ++i) {
      if (nodes_[i].decides && random_.below(3) != 0) return i;
    }
    return random_.below(node_count);
  }

  void make_fault() {
    const std::size_t victim = owner_or_any();
    node& at = nodes_[victim];
    const tick time = random_.chance() ? 50 * ms + up_to(500 * ms) : 500 * ms + up_to(3 * second);
    switch (favoured_fault_ && random_.chance() ? *favoured_fault_ : random_.below(fault_kinds)) {
      case 0:
        trace("pause " + at.name);
        at.paused_until = now_ + time;
        return;
      case 1: return kill(victim, time / 2);
      case 2: return cut(victim, time, true, false);
      case 3: return cut(victim, time, false, true);
      case 4: return cut(victim, time, true, true);
      case 5:
        trace("log unavailable");
        unavailable_until_ = now_ + time;
        return;
      case 6:
        trace("stale server");
        stale_until_[random_.below(server_count)] = now_ + time;
        return;
      case 7:
        at.wall_offset +=
            (random_.chance() ? 1 : -1) * static_cast<tick>(random_.number_up_to(365ULL * 86'400)) * second;
        return;
      default:
        if (at.core && now_ >= at.paused_until) {
          const std::size_t to = random_.below(node_count);
          if (at.core->release(random_.one_in(4) ? "" : nodes_[to].name, now_of(at))) trace("release " + at.name);
          drain(victim);
          // It does not learn soon that the log has the release.
          if (random_.chance()) cut(victim, second + up_to(second), true, false);
        }
    }
  }

  void kill(std::size_t index, tick time) {
    node& at = nodes_[index];
    if (!at.core) return;
    trace("kill " + at.name);
    end_process(at);
    // What the copy had not synced is lost if the machine fails.
    if (random_.one_in(3)) {
      for (std::size_t lost = random_.below(4); lost > 0 && !at.copy.empty(); --lost) at.copy.pop_back();
    }
    schedule(now_ + time, [this, index] {
      if (!nodes_[index].core) start(index);
    });
  }

  void end_process(node& at) {
    result_.unknown_outcomes += at.core->unknown_outcomes();
    at.core.reset();
    ++at.incarnation;
    at.decides = at.is_fetching = false;
    at.applied_records = 0;
    at.timer_at = 0;
    at.queue.clear();
    at.in_flight.clear();
    at.reads.clear();
    at.reads_at.clear();
  }

  // Cuts the node off from the log, or from the other nodes, perhaps one way.
  void cut(std::size_t index, tick time, bool from_log, bool from_peers) {
    node& at = nodes_[index];
    trace("cut " + at.name + (from_log ? " log" : "") + (from_peers ? " peers" : ""));
    if (from_log) at.is_cut_from_log = true;
    const bool is_inbound = from_peers && random_.chance();
    const bool is_outbound = from_peers && (!is_inbound || random_.chance());
    for (std::size_t i = 0; i < node_count; ++i) {
      if (is_outbound) at.is_cut_to[i] = true;
      if (is_inbound) nodes_[i].is_cut_to[index] = true;
    }
    if (from_log && from_peers && random_.chance()) tell_connection(index, false, now_ + second);
    schedule(now_ + time, [this, index] { join(index); });
  }

  void join(std::size_t index) {
    nodes_[index].is_cut_from_log = false;
    for (std::size_t i = 0; i < node_count; ++i) nodes_[i].is_cut_to[index] = nodes_[index].is_cut_to[i] = false;
    tell_connection(index, true, now_);
  }

  void tell_connection(std::size_t index, bool works, tick at) {
    if (!nodes_[index].core) return;
    schedule_on(index, at, [this, index, works] {
      node& to = nodes_[index];
      to.core->on_connection(works || !to.is_cut_from_log, now_of(to));
    });
  }

  void heal() {
    trace("heal");
    is_healed_ = true;
    unavailable_until_ = 0;
    stale_until_ = {};
    for (std::size_t i = 0; i < node_count; ++i) {
      nodes_[i].paused_until = 0;
      join(i);
      if (!nodes_[i].core) start(i);
    }
  }

  // --- the log ---

  void append_true(shared_record record) {
    const auto header = decode_whole_record(*record);
    if (!header) return fail("a record that is damaged was appended");
    records_.push_back(std::move(record));
    const std::uint64_t sequence = records_.size();
    if (header->hash_before != live_hash_) {
      ++result_.dead_records;
      trace("dead record at " + std::to_string(sequence) + " epoch " + std::to_string(header->epoch));
      return;
    }
    live_hash_ = header->hash;
    live_.push_back(sequence);
    trace("live record at " + std::to_string(sequence) + " kind " + std::to_string(static_cast<int>(header->kind)) +
          " epoch " + std::to_string(header->epoch));
    if (header->time < live_time_) return fail("log time went back");
    live_time_ = header->time;
    if (header->first.number != live_last_ + 1) return fail("positions have a gap");
    live_last_ += header->entries;
    switch (header->kind) {
      case log_record_kind::epoch:
        if (header->epoch <= live_epoch_) fail("an epoch twice");
        live_epoch_ = header->epoch;
        ++result_.epochs;
        return;
      case log_record_kind::barrier: ++result_.barriers; break;
      case log_record_kind::release: ++result_.releases; break;
      default: break;
    }
    if (header->epoch != live_epoch_) return fail("a live record of an epoch that is over");
    if (header->kind != log_record_kind::group) return;
    for (const write_entry& each : entries_of(*records_.back(), *header)) {
      operation& of = operations_[each.operation];
      if (of.sequence != 0) return fail("a write was executed twice");
      if (each.version != versions_[each.key] + 1) return fail("versions have a gap");
      of.sequence = sequence;
      of.version = versions_[each.key] = each.version;
    }
  }

  bool is_unavailable() const { return now_ < unavailable_until_; }

  void publish(std::size_t index, const publish_effect& what) {
    node& from = nodes_[index];
    if (from.is_cut_from_log || one_in(chances_.lost_request)) return;
    const std::size_t server = what.server % server_count;
    tick at = now_ + latency();
    if (one_in(chances_.late_request)) {
      at += up_to(2 * second);
    } else {
      at = from.sent_until[server] = std::max(from.sent_until[server] + 1, at);
    }
    const auto arrives = [this, index, incarnation = from.incarnation, what] { arrive(index, incarnation, what); };
    if (one_in(chances_.doubled_request)) schedule(at + up_to(2 * second), arrives);
    schedule(at, arrives);
  }

  void arrive(std::size_t index, std::uint64_t incarnation, const publish_effect& what) {
    publish_reply reply{what.sequence, what.attempt, publish_outcome::failed, 0};
    if (is_unavailable()) {
      if (random_.chance()) return;
    } else if (now_ < stale_until_[what.server % server_count]) {
      const std::uint64_t missing = 1 + random_.below(6);
      reply.outcome = publish_outcome::wrong_last;
      reply.value = records_.size() > missing ? records_.size() - missing : 0;
      if (reply.value + 1 == what.sequence) return;  // it would wait for a quorum
    } else if (records_.size() + 1 == what.sequence) {
      append_true(what.record);
      reply.outcome = publish_outcome::stored;
      reply.value = what.sequence;
      republish();
    } else {
      reply.outcome = publish_outcome::wrong_last;
      reply.value = records_.size();
    }
    if (one_in(chances_.lost_reply) || nodes_[index].incarnation != incarnation) return;
    const tick at = now_ + latency() + (one_in(chances_.late_reply) ? up_to(4 * second) : 0);
    schedule_on(index, at, [this, index, reply] {
      node& to = nodes_[index];
      if (!to.is_cut_from_log) to.core->on_publish_reply(reply, now_of(to));
    });
  }

  void republish() {
    const std::uint64_t sequence = records_.size();
    for (std::size_t i = 0; i < node_count; ++i) {
      if (!nodes_[i].core || one_in(chances_.lost_tail)) continue;
      schedule_on(i, now_ + latency(), [this, i, sequence] {
        node& to = nodes_[i];
        if (to.is_cut_from_log) return;
        to.core->on_record(sequence, records_[sequence - 1], now_of(to));
        if (to.core->next_sequence() <= sequence) fetch(i);
      });
    }
  }

  void look_up(std::size_t index, const look_up_effect& what) {
    if (nodes_[index].is_cut_from_log) return;
    schedule_on(index, now_ + 2 * latency(), [this, index, what] {
      node& to = nodes_[index];
      if (to.is_cut_from_log || is_unavailable()) return;
      if (what.sequence > records_.size() || now_ < stale_until_[what.server % server_count]) {
        to.core->on_missing(what.sequence, now_of(to));
      } else {
        to.core->on_record(what.sequence, records_[what.sequence - 1], now_of(to));
      }
    });
  }

  // Reads on behind what the node has.
  void fetch(std::size_t index) {
    node& at = nodes_[index];
    if (at.is_fetching) return;
    at.is_fetching = true;
    schedule_on(index, now_ + 2 * latency(), [this, index] {
      node& to = nodes_[index];
      to.is_fetching = false;
      if (to.is_cut_from_log || is_unavailable()) return;
      const std::uint64_t end = std::min<std::uint64_t>(records_.size(), to.core->next_sequence() + 63);
      for (std::uint64_t next = to.core->next_sequence(); next <= end; ++next) {
        to.core->on_record(next, records_[next - 1], now_of(to));
      }
      to.core->on_stream_state(1, records_.size(), now_of(to));
      if (to.core->next_sequence() <= records_.size()) fetch(index);
    });
  }

  void poll(std::size_t index) {
    schedule_on(index, now_ + 300 * ms, [this, index] {
      fetch(index);
      poll(index);
    });
  }

  // --- a node ---

  instant now_of(const node& at) const {
    const auto boot = at.boot_offset + static_cast<tick>(static_cast<double>(now_) * at.clock_rate);
    return {boot_time{std::chrono::microseconds(boot)},
            timestamp{milliseconds(std::max<tick>(0, 1'800'000'000'000 + (now_ + at.wall_offset) / ms))}};
  }

  void start(std::size_t index) {
    node& at = nodes_[index];
    trace("start " + at.name);
    at.paused_until = 0;
    record_chain chain;
    at.versions = {};
    storage::log_record_header header;
    for (const auto& [sequence, record] : at.copy) {
      chain.skip_to(sequence - 1);
      if (chain.take(sequence, *record, header) != record_link::live) return fail("a copy cannot be read again");
      apply(at, *record, header);
    }
    at.copied_live = at.applied_records = at.copy.size();
    node_settings settings;
    settings.node = at.name;
    settings.nonce = ++nonces_;
    settings.takeover_after = takeover_after_;
    at.core = std::make_unique<node_core>(settings, chain.state(), now_of(at), rules_);
    at.core->on_connection(true, now_of(at));
    fetch(index);
    poll(index);
    drain(index);
  }

  static void apply(node& at, std::string_view record, const storage::log_record_header& header) {
    if (header.kind != log_record_kind::group) return;
    for (const write_entry& each : entries_of(record, header)) at.versions[each.key] = each.version;
  }

  bool is_applied(const node& at, const operation& of) const { return of.sequence != 0 && of.sequence <= at.applied(); }

  // Does what the core asks for, until it asks for nothing.
  void drain(std::size_t index) {
    node& at = nodes_[index];
    for (;;) {
      const std::vector<effect> effects = at.core->take_effects();
      for (const effect& each : effects) {
        std::visit([&](const auto& what) { handle(index, what); }, each);
        if (result_.failure) return;
      }
      if (effects.empty() && !append_group(at)) break;
    }
    const boot_time deadline = at.core->next_deadline();
    if (deadline == boot_time::max()) return;
    const auto boot = deadline.time_since_epoch().count();
    const tick due =
        std::max(now_ + 1, static_cast<tick>(static_cast<double>(boot - at.boot_offset) / at.clock_rate) + 2);
    if (at.timer_at > now_ && at.timer_at <= due) return;
    at.timer_at = due;
    schedule_on(index, due, [this, index, due] {
      node& to = nodes_[index];
      if (to.timer_at == due) to.timer_at = 0;
      to.core->on_timer(now_of(to));
    });
  }

  void handle(std::size_t index, const publish_effect& what) { publish(index, what); }
  void handle(std::size_t index, const look_up_effect& what) { look_up(index, what); }

  void handle(std::size_t index, const record_effect& what) {
    node& at = nodes_[index];
    if (at.copied_live >= live_.size() || live_[at.copied_live] != what.sequence) {
      return fail("node " + at.name + " applies sequence " + std::to_string(what.sequence) + ", which is not live");
    }
    if (records_[what.sequence - 1] != what.record && *records_[what.sequence - 1] != *what.record) {
      return fail("node " + at.name + " applies another record than that of the log");
    }
    at.copy.emplace_back(what.sequence, what.record);
    ++at.copied_live;
    // Another thread applies it, sometimes later.
    if (is_healed_ || !random_.one_in(4)) return apply_all(index);
    schedule_on(index, now_ + up_to(10 * ms), [this, index] { apply_all(index); });
  }

  // Applies what the copy has, and answers what has waited for it.
  void apply_all(std::size_t index) {
    node& at = nodes_[index];
    if (at.applied_records == at.copy.size()) return;
    position last;
    for (; at.applied_records < at.copy.size(); ++at.applied_records) {
      const std::string& record = *at.copy[at.applied_records].second;
      const auto header = storage::decode_log_record_header(record);
      apply(at, record, *header);
      last = header->last();
    }
    at.core->on_applied(last);
    std::vector<read_request> ready;
    std::erase_if(at.reads_at, [&](const auto& each) {
      if (each.first > at.applied()) return false;
      ready.push_back(each.second);
      return true;
    });
    for (const read_request& each : ready) read(at, each);
    answer_writes(at);
  }

  void handle(std::size_t index, const acknowledged_effect& what) {
    if (what.last.number > live_last_) fail("node " + nodes_[index].name + " acknowledges what is not in the log");
  }

  void answer_writes(node& at) {
    std::erase_if(at.in_flight, [&](const waiting_write& each) {
      const operation& of = operations_[each.operation];
      if (!is_applied(at, of)) return false;
      answer_write(each);
      return true;
    });
  }

  void handle(std::size_t index, const ownership_begun_effect& what) {
    node& at = nodes_[index];
    trace("owner " + at.name + " epoch " + std::to_string(what.epoch));
    if (at.decides) return fail("an ownership begins twice");
    apply_all(index);
    at.decides = true;
    at.decided = at.versions;
  }

  void handle(std::size_t index, const ownership_ended_effect& what) {
    node& at = nodes_[index];
    trace("owner " + at.name + " ends " + std::to_string(static_cast<int>(what.reason)));
    if (!at.decides) return fail("an ownership ends that has not begun");
    at.decides = false;
    at.queue.clear();
    at.in_flight.clear();
  }

  void handle(std::size_t index, const read_ready_effect& what) {
    node& at = nodes_[index];
    const auto found = at.reads.find(what.ticket);
    if (found == at.reads.end()) return fail("a read is answered twice");
    const read_request request = found->second;
    at.reads.erase(found);
    if (request.node == index) {
      // The thread that reads may come to it later.
      if (!random_.one_in(4)) return read(at, request);
      schedule_on(index, now_ + up_to(20 * ms), [this, index, request] { read(nodes_[index], request); });
      return;
    }
    send(index, request.node, [this, request, sequence = at.applied(), visible = at.visible()] {
      node& to = nodes_[request.node];
      to.core->on_visible(visible);
      if (to.applied() >= sequence) {
        read(to, request);
      } else {
        to.reads_at.emplace_back(sequence, request);
      }
    });
  }

  void handle(std::size_t index, const read_refused_effect& what) { nodes_[index].reads.erase(what.ticket); }

  void handle(std::size_t index, const heartbeat_effect& what) {
    for (std::size_t to = 0; to < node_count; ++to) {
      if (to == index) continue;
      send(index, to, [this, to, beat = what.what] { nodes_[to].core->on_heartbeat(beat, now_of(nodes_[to])); });
    }
  }

  void handle(std::size_t index, const stopped_effect& what) {
    fail("node " + nodes_[index].name + " stops: " + std::to_string(static_cast<int>(what.reason)) + " at sequence " +
         std::to_string(what.sequence));
  }

  // A message between nodes.
  template <class Run>
  void send(std::size_t from, std::size_t to, Run run) {
    if (nodes_[from].is_cut_to[to] || one_in(chances_.lost_message) || !nodes_[to].core) return;
    schedule_on(to, now_ + latency(), std::move(run));
  }

  // --- the engine ---

  // Decides what waits, and appends it. Returns whether it did.
  bool append_group(node& at) {
    if (!at.decides || at.queue.empty() || !at.core->has_room(256)) return false;
    std::string record(storage::log_record_header_bytes, '\0');
    storage::byte_writer to{record};
    std::uint32_t entries = 0;
    while (!at.queue.empty() && entries < group_max_) {
      const waiting_write next = at.queue.front();
      at.queue.pop_front();
      const operation& of = operations_[next.operation];
      to.put_varint(next.operation);
      to.put_byte(static_cast<std::uint8_t>(of.key));
      to.put_varint(++at.decided[of.key]);
      at.in_flight.push_back(next);
      ++entries;
    }
    at.core->append(std::move(record), entries, now_of(at));
    return true;
  }

  void write(std::size_t index, const waiting_write& what, bool may_forward) {
    node& at = nodes_[index];
    if (!at.decides) {
      if (may_forward) forward(index, [this, what](std::size_t to) { write(to, what, false); });
      return;
    }
    if (is_applied(at, operations_[what.operation])) return answer_write(what);
    const auto is_same = [&](const waiting_write& each) { return each.operation == what.operation; };
    for (auto* list : {&at.in_flight}) {
      if (std::any_of(list->begin(), list->end(), is_same)) {
        list->push_back(what);
        return;
      }
    }
    if (std::none_of(at.queue.begin(), at.queue.end(), is_same)) at.queue.push_back(what);
  }

  void request_read(std::size_t index, const read_request& what, bool may_forward) {
    node& at = nodes_[index];
    if (!at.decides) {
      if (may_forward) forward(index, [this, what](std::size_t to) { request_read(to, what, false); });
      return;
    }
    const std::uint64_t ticket = ++tickets_;
    at.reads.emplace(ticket, what);
    at.core->request_read(ticket, now_of(at));
  }

  // To the owner of which the node knows.
  template <class Run>
  void forward(std::size_t index, Run run) {
    for (std::size_t to = 0; to < node_count; ++to) {
      if (to != index && nodes_[to].name == nodes_[index].core->chain().owner) {
        send(index, to, [run, to] { run(to); });
      }
    }
  }

  void answer_write(const waiting_write& what) {
    const operation& of = operations_[what.operation];
    if (of.sequence == 0) return fail("a write is acknowledged that is not in the log");
    answer(what.client, what.number, of.version);
  }

  void read(node& at, const read_request& what) {
    if (traces_) {
      trace("read for client " + std::to_string(what.client) + " of key " + std::to_string(what.key) + " on " +
            at.name + ": version " + std::to_string(at.versions[what.key]) + " at sequence " +
            std::to_string(at.applied()));
    }
    answer(what.client, what.number, at.versions[what.key]);
  }

  // --- clients ---

  void answer(std::size_t index, std::uint64_t number, std::uint64_t version) {
    if (one_in(chances_.lost_message)) return;
    schedule(now_ + latency(), [this, index, number, version] { end_request(index, number, version); });
  }

  void begin_request(std::size_t index) {
    client& who = clients_[index];
    who.writes = random_.below(5) < 3;
    who.key = random_.below(key_count);
    who.floor = floors_[who.key];
    if (who.writes) {
      who.operation = operations_.size();
      operations_.push_back({who.key, 0, 0});
    }
    send_request(index);
  }

  void send_request(std::size_t index) {
    client& who = clients_[index];
    const std::uint64_t number = ++who.number;
    const std::size_t to = who.node = random_.one_in(3) ? random_.below(node_count) : who.node;
    if (nodes_[to].core) {
      schedule_on(to, now_ + latency(), [this, to, index, number] {
        const client& of = clients_[index];
        if (of.number != number) return;
        if (of.writes) {
          write(to, {of.operation, index, number}, true);
        } else {
          request_read(to, {index, number, of.key, to}, true);
        }
      });
    }
    schedule(now_ + (is_healed_ ? 500 * ms : 100 * ms + up_to(1500 * ms)), [this, index, number] {
      client& again = clients_[index];
      if (again.number != number) return;
      again.node = random_.below(node_count);
      send_request(index);
    });
  }

  void end_request(std::size_t index, std::uint64_t number, std::uint64_t version) {
    client& who = clients_[index];
    if (who.number != number) return;
    ++who.number;
    if (version > versions_[who.key]) return fail("a version that is not in the log was shown");
    if (version < who.floor + (who.writes ? 1 : 0)) {
      return fail((who.writes ? "a write got version " : "a stale read of version ") + std::to_string(version) +
                  " after version " + std::to_string(who.floor));
    }
    if (traces_) {
      trace(std::string("client ") + std::to_string(index) + (who.writes ? " has written" : " has read") + " key " +
            std::to_string(who.key) + " version " + std::to_string(version));
    }
    floors_[who.key] = std::max(floors_[who.key], version);
    ++(who.writes ? result_.acknowledged : result_.reads);
    if (is_healed_ && ++who.done_after_faults == done_min) return;
    schedule(now_ + up_to(2 * think_), [this, index] { begin_request(index); });
  }

  random_source random_;
  protocol_rules rules_;
  bool traces_;
  schedule_result result_;

  tick now_ = 0;
  std::uint64_t order_ = 0;
  std::priority_queue<event> events_;

  chances chances_;
  milliseconds takeover_after_{};
  std::size_t group_max_ = 1;
  tick fault_interval_ = second;
  std::optional<std::uint64_t> favoured_fault_;  // see make_fault()
  tick think_ = 0;
  bool is_healed_ = false;

  // the log as it is, and what is live in it
  std::vector<shared_record> records_;
  std::vector<std::uint64_t> live_;
  std::uint64_t live_hash_ = 0;
  std::uint64_t live_epoch_ = 0;
  std::uint64_t live_last_ = 0;
  timestamp live_time_{};
  std::array<std::uint64_t, key_count> versions_{};
  std::vector<operation> operations_;
  tick unavailable_until_ = 0;
  std::array<tick, server_count> stale_until_{};

  std::array<node, node_count> nodes_;
  std::uint64_t nonces_ = 0;
  std::uint64_t tickets_ = 0;

  std::vector<client> clients_;
  std::array<std::uint64_t, key_count> floors_{};
};

}  // namespace

schedule_result run_schedule(std::uint64_t seed, const protocol_rules& rules) {
  return simulation(seed, rules).run();
}

}  // namespace ordem::cluster::testing
