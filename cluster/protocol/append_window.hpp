// The owner's appends that are in flight: at most 8 records or 4 MiB.
//
// Each record is sent with the sequence that it will have, and counts as written once it and all before it are known to
// stand there. An append without an answer has an unknown outcome: then nothing new is appended, and the oldest record
// is published again every 250 ms, over another server each time, until the log tells what stands at its sequence: the
// record; a dead one, behind which all of the window moves up; or a live one of another node, which ends the ownership.
// Under one record this process never appends two different ones.
//
// Uses the chain of the node, which takes the records that are written. One thread; the node's thread owns it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "cluster/protocol/effect.hpp"
#include "cluster/protocol/instant.hpp"
#include "cluster/protocol/protocol_rules.hpp"
#include "cluster/protocol/record_chain.hpp"

namespace ordem::cluster {

struct append_settings {
  std::size_t records_max = 8;
  std::size_t bytes_max = std::size_t{4} << 20;
  milliseconds reply_timeout{1000};  // then the outcome is unknown
  milliseconds retry_interval{250};
  // A stream that ends before what it acknowledged is believed to have lost it after this time: a stale leader says so,
  // too.
  milliseconds lost_after{10'000};
};

class append_window {
 public:
  enum class state : std::uint8_t {
    running,
    resolving,  // an outcome is unknown
    fenced,     // another node's record follows the last live one: next in the chain
    lost,       // the log lost records
    contradicted,
  };

  // A record that is written.
  struct landed_record {
    std::uint64_t sequence = 0;
    storage::log_record_header header;
    shared_record record;
    boot_time first_sent;
    std::uint64_t number = 0;  // as appended() counts
  };

  // `chain` must outlive the window. `epoch`: of the records. `attempts`: that earlier windows of this process have
  // made, so that a late answer to one of them is known.
  append_window(record_chain& chain, std::uint64_t epoch, std::uint64_t attempts, append_settings settings,
                protocol_rules rules);

  state current() const noexcept { return state_; }
  bool empty() const noexcept { return slots_.empty(); }
  std::size_t in_flight() const noexcept { return slots_.size(); }
  // Returns whether append() may be called with a group of that many bytes. One record always fits.
  bool has_room(std::size_t bytes) const noexcept;
  // Counts the records that were appended, from 1 on.
  std::uint64_t appended() const noexcept { return appended_; }
  std::uint64_t attempts() const noexcept { return attempts_; }
  std::uint64_t unknown_outcomes() const noexcept { return unknown_outcomes_; }
  // Dead records that stood at the place of the oldest record.
  std::uint64_t dead_records() const noexcept { return dead_records_; }

  // Frames and sends a record behind those in flight. `record`: log_record_header_bytes of any value, then the payload.
  // `visible`: what the owner shows, for the frame.
  // Control records may exceed the bounds of the window. REQUIRES: state running.
  void append(storage::log_record_kind kind, std::string record, std::uint32_t entries, position visible, instant now,
              std::vector<effect>& out);

  void on_reply(const publish_reply& reply, instant now, std::vector<effect>& out);
  // What stands at that sequence of the stream. Ignored if it is not the sequence of the oldest record. Sets
  // state fenced and takes nothing if that is a live record of another node.
  void on_record(std::uint64_t sequence, const shared_record& record, instant now, std::vector<effect>& out);
  // A server does not have that sequence.
  void on_missing(std::uint64_t sequence, instant now);
  void on_timer(instant now, std::vector<effect>& out);
  // When on_timer() should be called; boot_time::max() if the window is empty.
  boot_time next_deadline() const noexcept;

  // Returns the records that were written since the last call, in order.
  std::vector<landed_record> take_landed();

 private:
  struct slot {
    std::uint64_t sequence = 0;
    std::uint64_t number = 0;
    shared_record record;
    storage::log_record_header header;
    boot_time first_sent;
    boot_time last_sent;
    bool is_acknowledged = false;
  };

  void send(slot& what, instant now, std::vector<effect>& out);
  void land_oldest();
  void land_acknowledged(instant now, std::vector<effect>& out);
  void resolve(instant now);
  void retry(instant now, std::vector<effect>& out);
  void move_up();
  void replace_content();

  record_chain& chain_;
  std::uint64_t epoch_;
  append_settings settings_;
  protocol_rules rules_;
  state state_ = state::running;
  std::deque<slot> slots_;
  std::size_t bytes_ = 0;
  std::uint64_t appended_ = 0;
  std::uint64_t attempts_;
  std::uint64_t first_attempt_;  // since the sequences are those of the slots
  std::uint32_t server_ = 0;
  boot_time next_try_{};
  std::optional<boot_time> below_since_;  // since when servers say that the stream ends too early
  std::size_t missing_ = 0;               // how often the record before the oldest was missing, since then
  std::uint64_t unknown_outcomes_ = 0;
  std::uint64_t dead_records_ = 0;
  std::vector<landed_record> landed_;
};

}  // namespace ordem::cluster
