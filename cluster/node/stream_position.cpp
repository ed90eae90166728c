#include "cluster/node/stream_position.hpp"

#include <algorithm>
#include <chrono>
#include <utility>
#include <variant>

#include "cluster/nats/stream_calls.hpp"

namespace ordem::cluster {
namespace {

using storage::log_record_header;
using storage::log_record_kind;

constexpr std::chrono::milliseconds read_time_max{5000};
// Dead records stand behind an EPOCH record, at most a window of them (cluster/protocol/append_window.hpp): of earlier
// epochs, or of that one and before their turn. So of this many records in a row one is live.
constexpr std::uint64_t dead_run_max = 16;

using found_sequence = tl::expected<std::optional<std::uint64_t>, std::string>;

std::uint64_t lowest_of_run(std::uint64_t above, std::uint64_t sequence) {
  return std::max(above + 1, sequence < dead_run_max ? 1 : sequence - dead_run_max + 1);
}

// Returns the sequence of a record at `sequence` or shortly before, and above `above`, that is at that place or behind
// it. If there is none, nor is any live record up to `sequence`.
found_sequence reaches(const record_source& source, std::uint64_t above, std::uint64_t sequence,
                       const record_place& at) {
  for (std::uint64_t each = sequence, lowest = lowest_of_run(above, sequence); each >= lowest; --each) {
    const auto record = source(each);
    if (!record) return tl::make_unexpected(record.error());
    // A dead record of an earlier epoch is behind a live one that has come as far. One of the same epoch is before a
    // live one that has not: callers look behind what is found, too.
    if (*record && place_of((*record)->header) >= at) return std::optional(each);
  }
  return std::optional<std::uint64_t>();
}

position_error unreadable(std::string why) {
  return {position_error::kind::unreadable, std::move(why)};
}

std::string described(const log_record_header& last) {
  return "the last record of the copy, of epoch " + std::to_string(last.epoch) + " at position " +
         std::to_string(last.last().number);
}

// Returns the record of the copy in the stream, or nullopt if the stream does not have it.
tl::expected<std::optional<std::pair<std::uint64_t, read_log_record>>, std::string> find_record(
    const record_source& source, stream_range range, const log_record_header& last) {
  using found = std::optional<std::pair<std::uint64_t, read_log_record>>;
  const record_place at = place_of(last);
  const auto first = find_first_at(source, range, at);
  if (!first) return tl::make_unexpected(first.error());
  // Control records that follow each other may be at one place. Dead ones that are further may stand before it.
  std::uint64_t further = 0;
  for (std::uint64_t sequence = *first; sequence <= range.last && further < dead_run_max; ++sequence) {
    auto record = source(sequence);
    if (!record) return tl::make_unexpected(record.error());
    if (!*record) continue;
    if ((*record)->header.hash == last.hash) return found(std::in_place, sequence, std::move(**record));
    if (place_of((*record)->header) > at) ++further;
  }
  return found();
}

}  // namespace

record_source records_of(nats_connection& connection, std::string stream) {
  return [&connection, stream = std::move(stream)](
             std::uint64_t sequence) -> tl::expected<std::optional<read_log_record>, std::string> {
    const std::string what = "sequence " + std::to_string(sequence) + " of the stream";
    const auto answer = read_record(connection, stream, sequence, read_time_max);
    if (!answer) return tl::make_unexpected(answer.error());
    if (std::holds_alternative<record_missing>(*answer)) return std::nullopt;
    if (const auto* refusal = std::get_if<log_refusal>(&*answer)) {
      return tl::make_unexpected(what + " cannot be read: " + refusal->text);
    }
    const auto* found = std::get_if<record_found>(&*answer);
    if (found == nullptr) return tl::make_unexpected("the stream has no leader");
    const auto header = decode_whole_record(found->bytes);
    if (!header) return tl::make_unexpected(what + " is not a record of a log");
    return read_log_record{*header, std::string(storage::payload_of(*header, found->bytes))};
  };
}

record_place place_of(const log_record_header& header) noexcept {
  return {header.epoch, header.first, header.time};
}

tl::expected<std::uint64_t, std::string> find_first_at(const record_source& source, stream_range range,
                                                       const record_place& at) {
  std::uint64_t before =
      std::max<std::uint64_t>(range.first, 1) - 1;  // no live record up to there is at the place or behind it
  std::uint64_t found = range.last + 1;             // the record there is
  while (before + 1 < found) {
    const std::uint64_t middle = before + (found - before) / 2;
    const auto reached = reaches(source, before, middle, at);
    if (!reached) return tl::make_unexpected(reached.error());
    *reached ? found = **reached : before = middle;
  }
  return found;
}

tl::expected<std::optional<log_ownership>, std::string> find_ownership(const record_source& source,
                                                                       stream_range range) {
  log_ownership out;
  for (std::uint64_t each = range.last, lowest = lowest_of_run(std::max<std::uint64_t>(range.first, 1) - 1, range.last);
       each >= lowest; --each) {
    const auto record = source(each);
    if (!record) return tl::make_unexpected(record.error());
    if (!*record) continue;
    const log_record_header& header = (*record)->header;
    if (header.epoch > out.epoch) out.is_released = false;
    out.epoch = std::max(out.epoch, header.epoch);
    if (header.epoch == out.epoch && header.kind == log_record_kind::release) out.is_released = true;
  }
  if (out.epoch == 0) return std::optional<log_ownership>();
  const auto first = find_first_at(source, range, {out.epoch, {}, timestamp::min()});
  if (!first) return tl::make_unexpected(first.error());
  const auto record = source(*first);
  if (!record) return tl::make_unexpected(record.error());
  if (!*record || (*record)->header.kind != log_record_kind::epoch || (*record)->header.epoch != out.epoch) return out;
  auto owner = decode_epoch((*record)->payload);
  if (!owner) {
    return tl::make_unexpected("the EPOCH record at sequence " + std::to_string(*first) + " cannot be read");
  }
  out.sequence = *first;
  out.owner = std::move(*owner);
  return out;
}

tl::expected<chain_state, position_error> find_position(const record_source& source, stream_range range,
                                                        const std::optional<log_record_header>& last) {
  using kind = position_error::kind;
  if (!last) {
    if (range.first <= 1) return chain_state{};
    return tl::make_unexpected(position_error{
        kind::trimmed, "the stream begins at sequence " + std::to_string(range.first) + ", and this node has no data"});
  }
  const auto found = find_record(source, range, *last);
  if (!found) return tl::make_unexpected(unreadable(found.error()));
  if (!*found) {
    const auto next = find_first_at(source, range, place_of(*last));
    if (!next) return tl::make_unexpected(unreadable(next.error()));
    if (range.first > 1 && *next - range.first < dead_run_max) {
      return tl::make_unexpected(
          position_error{kind::trimmed, "the stream no longer has " + described(*last) + ": it was trimmed"});
    }
    return tl::make_unexpected(
        position_error{kind::not_found, "the stream does not have " + described(*last) +
                                            ": it has lost records, or the data folder is of another log"});
  }
  const auto& [sequence, record] = **found;
  chain_state state;
  state.read_to = state.sequence = sequence;
  state.hash = last->hash;
  state.epoch = last->epoch;
  state.last = last->last();
  state.time = last->time;
  // Without the EPOCH record, which may be trimmed, the owner is known by its heartbeats.
  auto ownership = find_ownership(source, {range.first, sequence});
  if (!ownership) return tl::make_unexpected(unreadable(ownership.error()));
  if (*ownership && (*ownership)->epoch == state.epoch) {
    state.owner = std::move((*ownership)->owner.node);
    state.nonce = (*ownership)->owner.nonce;
    state.http_address = std::move((*ownership)->owner.http_address);
  }
  if (last->kind == log_record_kind::release) {
    state.owner.clear();
    state.http_address.clear();
    state.is_released = true;
    if (auto release = decode_release(record.payload)) state.successor = std::move(release->successor);
  }
  return state;
}

}  // namespace ordem::cluster
