#include "cluster/protocol/record_chain.hpp"

#include "cluster/protocol/control_record.hpp"

namespace ordem::cluster {

using storage::log_record_header;
using storage::log_record_kind;

std::optional<log_record_header> decode_whole_record(std::string_view record) {
  auto header = storage::decode_log_record_header(record);
  if (!header || storage::log_record_bytes(header->payload_bytes) != record.size()) return std::nullopt;
  if (!storage::is_intact(*header, record)) return std::nullopt;
  return header;
}

record_link record_chain::take(std::uint64_t sequence, std::string_view record, log_record_header& header) {
  if (sequence != next_sequence()) return record_link::gap;
  const auto decoded = decode_whole_record(record);
  if (!decoded) return record_link::damaged;
  // Only the first record of a stream can be GENESIS, and it must be.
  if ((sequence == 1) != (decoded->kind == log_record_kind::genesis)) return record_link::damaged;
  if (!is_followed_by(*decoded)) {
    state_.read_to = sequence;
    return record_link::dead;
  }
  chain_state before = state_;
  if (!takes_live(*decoded, storage::payload_of(*decoded, record))) {
    state_ = std::move(before);
    return record_link::damaged;
  }
  state_.read_to = state_.sequence = sequence;
  state_.hash = decoded->hash;
  state_.time = decoded->time;
  header = *decoded;
  return record_link::live;
}

bool record_chain::is_followed_by(const log_record_header& header) const noexcept {
  return header.hash_before == state_.hash || !rules_.checks_chain;
}

// What follows the last live record was made by a process that knew it, so a contradiction is damage.
bool record_chain::takes_live(const log_record_header& header, std::string_view payload) {
  const bool continues = header.first.number == state_.last.number + 1 && header.time >= state_.time;
  if (!continues && rules_.checks_chain) return false;
  if (header.kind != log_record_kind::epoch && header.epoch != state_.epoch && rules_.checks_chain) return false;
  if ((header.kind == log_record_kind::group) != (header.entries > 0)) return false;
  // Nothing follows RELEASE in its epoch.
  if (state_.is_released && header.kind != log_record_kind::epoch && rules_.checks_chain) return false;
  state_.is_released = false;
  switch (header.kind) {
    case log_record_kind::group: state_.last = header.last(); return true;
    case log_record_kind::barrier: return payload.empty();
    case log_record_kind::genesis: return decode_genesis(payload).has_value();
    case log_record_kind::format: return decode_format(payload).has_value();
    case log_record_kind::release: {
      auto release = decode_release(payload);
      if (!release) return false;
      state_.owner.clear();
      state_.http_address.clear();
      state_.successor = std::move(release->successor);
      state_.is_released = true;
      return true;
    }
    case log_record_kind::epoch: {
      auto epoch = decode_epoch(payload);
      if (!epoch || header.epoch <= state_.epoch) return false;
      state_.epoch = header.epoch;
      state_.owner = std::move(epoch->node);
      state_.nonce = epoch->nonce;
      state_.http_address = std::move(epoch->http_address);
      state_.successor.clear();
      return true;
    }
  }
  return false;
}

}  // namespace ordem::cluster
