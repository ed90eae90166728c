// Records of a replicated log, and effects by their type.
#pragma once

#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "cluster/protocol/control_record.hpp"
#include "cluster/protocol/effect.hpp"
#include "cluster/protocol/instant.hpp"
#include "storage/records/log_record.hpp"

namespace ordem::cluster::testing {

inline constexpr const char* sample_cluster_id = "6f1c2b1e-1f5b-4a44-9d3c-0a7d3a4e5b6c";

inline instant at_ms(std::int64_t time_ms) {
  return {boot_time{milliseconds(time_ms)}, timestamp{milliseconds(1'795'000'000'000 + time_ms)}};
}

// Builds the records of a log as their owners do, one behind the other.
class record_writer {
 public:
  shared_record genesis() { return add(storage::log_record_kind::genesis, genesis_record{sample_cluster_id, 1, 0, 5}); }
  shared_record epoch(const std::string& node, std::uint64_t nonce) {
    ++header_.epoch;
    return add(storage::log_record_kind::epoch, epoch_record{node, nonce, node + ":8080"});
  }
  shared_record release(const std::string& successor) {
    return add(storage::log_record_kind::release, release_record{successor});
  }
  shared_record barrier() { return frame(storage::log_record_kind::barrier, "", 0); }
  shared_record group(const std::string& payload, std::uint32_t entries = 1) {
    return frame(storage::log_record_kind::group, payload, entries);
  }
  // For the records to come.
  void set_durable(position durable) { header_.durable = durable; }
  // The records to come are so much later than the one before each.
  void set_step(milliseconds step) { step_ = step; }
  const storage::log_record_header& last() const { return header_; }

 private:
  template <class Record>
  shared_record add(storage::log_record_kind kind, const Record& what) {
    std::string payload;
    encode_control_record(payload, what);
    return frame(kind, payload, 0);
  }
  shared_record frame(storage::log_record_kind kind, const std::string& payload, std::uint32_t entries) {
    std::string record(storage::log_record_header_bytes, '\0');
    record += payload;
    header_.kind = kind;
    header_.first = {header_.last().number + 1};
    header_.entries = entries;
    header_.hash_before = header_.hash;
    header_.time += step_;
    storage::frame_log_record(record, header_);
    return std::make_shared<const std::string>(std::move(record));
  }

  milliseconds step_{1};
  storage::log_record_header header_ = [] {
    storage::log_record_header header;
    header.first = {1};
    header.time = timestamp{milliseconds(1'795'000'000'000)};
    return header;
  }();
};

template <class Effect>
std::vector<Effect> all_of(const std::vector<effect>& effects) {
  std::vector<Effect> found;
  for (const effect& each : effects) {
    if (const auto* one = std::get_if<Effect>(&each)) found.push_back(*one);
  }
  return found;
}

template <class Effect>
Effect only(const std::vector<effect>& effects) {
  const auto found = all_of<Effect>(effects);
  REQUIRE(found.size() == 1);
  return found.front();
}

}  // namespace ordem::cluster::testing
