// The payloads of control records: records of a replicated log that have no entries. Their frame is that of every
// record (storage/records/log_record.hpp); its `first` is the position that the next group will have. Pure functions,
// any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/model/time.hpp"

namespace ordem::cluster {

// Longer texts are refused by the decoders.
inline constexpr std::size_t node_name_bytes_max = 255;
inline constexpr std::size_t node_address_bytes_max = 255;

// The first record of a log.
struct genesis_record {
  std::string cluster_id;         // a UUID, 36 characters: the log id of every node's data folder
  std::uint32_t partitions = 1;   // of the cluster
  std::uint32_t partition = 0;    // that this log is of
  std::uint32_t data_format = 1;  // see storage/records/data_format.hpp
  friend bool operator==(const genesis_record&, const genesis_record&) = default;
};

// A node owns the log from this record on. The epoch is in the frame.
struct epoch_record {
  std::string node;
  std::uint64_t nonce = 0;   // of the process, so that a restarted node does not take the record for its own
  std::string http_address;  // host:port where the node serves HTTP; empty if unknown
  friend bool operator==(const epoch_record&, const epoch_record&) = default;
};

// The owner gives the log up: the last record of its epoch.
struct release_record {
  std::string successor;  // the node that should claim the log; empty: any
  friend bool operator==(const release_record&, const release_record&) = default;
};

// From this record on, the data may be in this format.
struct format_record {
  std::uint32_t data_format = 1;
  friend bool operator==(const format_record&, const format_record&) = default;
};

// A BARRIER has an empty payload.

// Append the payload to `out`. REQUIRES: a cluster id of 36 characters, texts within the bounds above.
void encode_control_record(std::string& out, const genesis_record& what);
void encode_control_record(std::string& out, const epoch_record& what);
void encode_control_record(std::string& out, const release_record& what);
void encode_control_record(std::string& out, const format_record& what);

// Return nullopt if the payload is not one of that kind.
std::optional<genesis_record> decode_genesis(std::string_view payload);
std::optional<epoch_record> decode_epoch(std::string_view payload);
std::optional<release_record> decode_release(std::string_view payload);
std::optional<format_record> decode_format(std::string_view payload);

// Returns the whole first record of a log: of epoch 0, dated `time`.
std::string genesis_log_record(const genesis_record& what, timestamp time);

}  // namespace ordem::cluster
