// Which records of the stream belong to the log.
//
// An append expects a last sequence, which is a number and says nothing about who wrote the record there. So a record
// of a deposed owner can land behind the record of its successor. Each record has the hash of the record before: it is
// live only if that is the last live record, else it is dead and every node skips it.
//
// A value; one thread at a time. The node's thread owns it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "cluster/protocol/protocol_rules.hpp"
#include "engine/model/ids.hpp"
#include "engine/model/time.hpp"
#include "storage/records/log_record.hpp"

namespace ordem::cluster {

// How far a node has read the log: what it needs in order to go on. All zero: nothing yet.
struct chain_state {
  std::uint64_t read_to = 0;   // sequence of the last record that was read, dead or live
  std::uint64_t sequence = 0;  // of the last live record
  std::uint64_t hash = 0;      // of the last live record
  std::uint64_t epoch = 0;     // of the last EPOCH record; 0 before the first one
  std::string owner;           // node of that record; empty after RELEASE and before the first one
  std::uint64_t nonce = 0;     // of that record
  std::string http_address;    // of that record
  std::string successor;       // of the last record if that is RELEASE
  position last;               // of the last entry
  timestamp time{};            // log time of the last live record
  bool is_released = false;    // the last live record is RELEASE
  friend bool operator==(const chain_state&, const chain_state&) = default;
};

enum class record_link : std::uint8_t {
  live,     // follows the last live record
  dead,     // follows another one: skip it
  damaged,  // cannot be read, or contradicts the record that it follows: the log has lost what it acknowledged
  gap,      // not the next sequence of the stream: read from next_sequence() on
};

class record_chain {
 public:
  explicit record_chain(chain_state from = {}, protocol_rules rules = {}) : state_(std::move(from)), rules_(rules) {}

  const chain_state& state() const noexcept { return state_; }
  // The sequence that take() expects.
  std::uint64_t next_sequence() const noexcept { return state_.read_to + 1; }

  // Takes the record at that sequence of the stream. `record`: the whole record. live and dead move next_sequence()
  // on; damaged and gap change nothing. Sets `header` if the record is live.
  record_link take(std::uint64_t sequence, std::string_view record, storage::log_record_header& header);
  // Returns whether take() would find a record with this header live or damaged, if it is the next of the stream.
  bool is_followed_by(const storage::log_record_header& header) const noexcept;
  // Goes on behind that sequence as if nothing before it were live. Only for rules that are broken on purpose.
  void skip_to(std::uint64_t sequence) noexcept { state_.read_to = sequence; }

 private:
  bool takes_live(const storage::log_record_header& header, std::string_view payload);

  chain_state state_;
  protocol_rules rules_;
};

// Returns the header if `record` is one whole record that nothing has changed.
std::optional<storage::log_record_header> decode_whole_record(std::string_view record);

}  // namespace ordem::cluster
