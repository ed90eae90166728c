#include "storage/segments/segment_scan.hpp"

#include <algorithm>
#include <cstring>

#include "storage/records/log_group.hpp"
#include "storage/records/log_record.hpp"

namespace ordem::storage {
namespace {

constexpr std::size_t sector_bytes = 512;

bool is_zero(std::string_view bytes) noexcept {
  return bytes.find_first_not_of('\0') == std::string_view::npos;
}

// Returns where the zeros at the end begin. Eight bytes at a time, because they are most of the file.
std::size_t end_without_zeros(std::string_view content) noexcept {
  std::size_t end = content.size();
  for (std::uint64_t word = 0; end >= sizeof(word); end -= sizeof(word)) {
    std::memcpy(&word, content.data() + end - sizeof(word), sizeof(word));
    if (word != 0) break;
  }
  while (end > 0 && content[end - 1] == '\0') --end;
  return end;
}

// Returns the intact record at that offset, or nullopt.
std::optional<log_record_header> intact_record_at(std::string_view content, std::size_t offset) {
  const auto header = decode_log_record_header(content.substr(offset));
  if (!header) return std::nullopt;
  const std::size_t bytes = log_record_bytes(header->payload_bytes);
  if (bytes > content.size() - offset || !is_intact(*header, content.substr(offset, bytes))) return std::nullopt;
  return header;
}

// Returns whether an intact record behind `offset` says that position `at` was durable before it was written.
bool is_proved_durable(std::string_view content, std::size_t offset, position at) {
  for (std::size_t next = offset + log_record_alignment;; next += log_record_alignment) {
    next = content.find(log_record_magic, next);
    if (next == std::string_view::npos) return false;
    if (next % log_record_alignment != 0) {
      next -= next % log_record_alignment;  // the loop goes on with the next multiple
      continue;
    }
    const auto record = intact_record_at(content, next);
    if (record && record->first > at && record->durable >= at) return true;
  }
}

// Returns whether a sector of these bytes is missing. `offset`: where they begin in the file.
bool lacks_sector(std::string_view bytes, std::size_t offset) noexcept {
  while (!bytes.empty()) {
    const std::size_t part = std::min(bytes.size(), sector_bytes - offset % sector_bytes);
    if (is_zero(bytes.substr(0, part))) return true;
    bytes.remove_prefix(part);
    offset += part;
  }
  return false;
}

segment_tail tail_of(std::string_view content, const segment_scan& scanned) {
  if (scanned.written_end <= scanned.end) return segment_tail::end;
  const position next{scanned.last.number + 1};
  if (is_proved_durable(content, scanned.end, next)) return segment_tail::damaged;
  const std::string_view written = content.substr(scanned.end, scanned.written_end - scanned.end);
  const auto header = decode_log_record_header(written);
  const std::size_t bytes =
      header ? log_record_bytes(header->payload_bytes) : std::max(written.size(), log_record_bytes(0));
  const bool is_all_there = bytes <= written.size() && !lacks_sector(written.substr(0, bytes), scanned.end);
  return is_all_there ? segment_tail::damaged : segment_tail::torn;
}

}  // namespace

bool follows(const log_record_header& record, position last, std::uint64_t hash) noexcept {
  const bool is_group = record.kind == log_record_kind::group;
  return record.hash_before == hash && record.first.number == last.number + 1 && is_group == (record.entries > 0);
}

segment_scan scan_segment(const segment_header& header, std::string_view content) {
  segment_scan scanned;
  scanned.last = {header.first.number - 1};
  scanned.hash = header.hash_before;
  while (scanned.end < content.size()) {
    const auto record = intact_record_at(content, scanned.end);
    if (!record || !follows(*record, scanned.last, scanned.hash)) break;
    const std::size_t bytes = log_record_bytes(record->payload_bytes);
    if (record->kind == log_record_kind::group) {
      scanned.groups.push_back({record->first, scanned.end});
      const std::string_view payload = payload_of(*record, content.substr(scanned.end, bytes));
      if (auto clock = decode_log_group_clock(payload)) scanned.clock = std::move(clock);
    }
    scanned.end += bytes;
    scanned.last = record->last();
    scanned.hash = record->hash;
    scanned.record = record;
  }
  scanned.written_end = std::max<std::uint64_t>(scanned.end, end_without_zeros(content));
  scanned.tail = tail_of(content, scanned);
  return scanned;
}

}  // namespace ordem::storage
