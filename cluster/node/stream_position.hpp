// Where in the log's stream a record is. A stream finds a record by its sequence alone, and a node knows of its last
// record only the frame, so it is searched for. Each function reads some tens or hundreds of records, one at a time,
// and blocks for that; any thread.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <tl/expected.hpp>

#include "cluster/nats/nats_connection.hpp"
#include "cluster/protocol/control_record.hpp"
#include "cluster/protocol/record_chain.hpp"
#include "engine/model/ids.hpp"
#include "engine/model/time.hpp"
#include "storage/records/log_record.hpp"

namespace ordem::cluster {

// A record of the stream, whole and unchanged.
struct read_log_record {
  storage::log_record_header header;
  std::string payload;
};

// Reads the record with that sequence. Returns nullopt if the stream does not have it. The error is a sentence.
using record_source = std::function<tl::expected<std::optional<read_log_record>, std::string>(std::uint64_t sequence)>;

// Asks the stream's leader. `connection` must outlive the source.
record_source records_of(nats_connection& connection, std::string stream);

// Ascends over the live records of a log.
struct record_place {
  std::uint64_t epoch = 0;
  position first;
  timestamp time = timestamp::min();
  friend auto operator<=>(const record_place&, const record_place&) = default;
};
record_place place_of(const storage::log_record_header& header) noexcept;

// The sequences that a stream has; none if last < first.
struct stream_range {
  std::uint64_t first = 1;
  std::uint64_t last = 0;
};

// Returns the sequence of the first record at that place or behind it; range.last + 1 if there is none. If that record
// is dead, the first live one stands at most a window of records behind it.
tl::expected<std::uint64_t, std::string> find_first_at(const record_source& source, stream_range range,
                                                       const record_place& at);

struct log_ownership {
  std::uint64_t epoch = 0;
  std::uint64_t sequence = 0;  // of its EPOCH record; 0 if that was trimmed
  epoch_record owner;
  bool is_released = false;
};

// Returns the ownership that the log ends with, or nullopt if no node has owned it.
tl::expected<std::optional<log_ownership>, std::string> find_ownership(const record_source& source, stream_range range);

struct position_error {
  enum class kind : std::uint8_t {
    unreadable,  // NATS could not be asked: try again
    trimmed,     // the stream no longer has that record: the node needs a back-up of another
    not_found,   // the stream has other records there, or ends before: it is not of this log, or has lost records
  };
  kind what = kind::unreadable;
  std::string text;  // a sentence
};

// Returns how far a node has read the log whose copy ends with that record; the beginning if it has none.
tl::expected<chain_state, position_error> find_position(const record_source& source, stream_range range,
                                                        const std::optional<storage::log_record_header>& last);

}  // namespace ordem::cluster
