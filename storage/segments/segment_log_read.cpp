// How entries are found and read.
#include <fcntl.h>

#include <algorithm>
#include <utility>

#include "storage/records/log_group.hpp"
#include "storage/records/log_record.hpp"
#include "storage/segments/segment_files.hpp"
#include "storage/segments/segment_log.hpp"

namespace ordem::storage {

position segment_log::first() const {
  const std::lock_guard lock(mutex_);
  return first_in_lock();
}

// REQUIRES: mutex_ is held.
position segment_log::first_in_lock() const {
  const position begin = segments_.front()->header.first;
  return begin == position{1} && last() == position{} ? position{} : begin;
}

result<segment_scan> segment_log::scan(const segment& what) const {
  const auto file = open_file::open(path_of(what), O_RDONLY);
  if (!file) return tl::make_unexpected(file.error());
  std::string content;
  if (const int failed = file->read(content, file->size(), 0)) {
    return fail_with(error_code::io_error, "cannot read " + place_of(what, 0) + ": " + error_text(failed));
  }
  return scan_segment(what.header, content);
}

tl::expected<segment_log::found_group, log_read_error> segment_log::find_group(position at) const {
  for (;;) {
    shared_segment unread;
    {
      const std::lock_guard lock(mutex_);
      const auto after = std::upper_bound(segments_.begin(), segments_.end(), at,
                                          [](position p, const shared_segment& s) { return p < s->header.first; });
      if (after == segments_.begin()) return tl::make_unexpected(log_read_error::trimmed);
      const shared_segment& in = *std::prev(after);
      if (!in->groups.empty()) {
        const auto next = std::upper_bound(in->groups.begin(), in->groups.end(), at,
                                           [](position p, const group_place& g) { return p < g.first; });
        return found_group{in, *std::prev(next), next == in->groups.end() ? in->end : next->offset};
      }
      unread = in;
    }
    if (!load_groups(unread)) return tl::make_unexpected(log_read_error::storage_failed);
  }
}

// Reads the places of the groups of a full segment. Returns false if that failed.
bool segment_log::load_groups(const shared_segment& of) const {
  auto scanned = scan(*of);
  if (!scanned) {
    settings_.on_error("a read from the log failed: " + scanned.error().message);
    return false;
  }
  const std::lock_guard lock(mutex_);
  const auto next = std::find_if(segments_.begin(), segments_.end(),
                                 [&](const shared_segment& s) { return s->header.first > of->header.first; });
  const bool is_followed = next != segments_.end();
  if (scanned->groups.empty() || (is_followed && ((*next)->header.first.number != scanned->last.number + 1 ||
                                                  (*next)->header.hash_before != scanned->hash))) {
    settings_.on_error("a read from the log failed: " + damage(*of, scanned->end).message);
    return false;
  }
  of->groups = std::move(scanned->groups);
  of->end = scanned->end;
  return true;
}

tl::expected<std::vector<entry>, log_read_error> segment_log::read_group(const open_file& file,
                                                                         const found_group& what) const {
  std::string record;
  const std::uint64_t offset = what.place.offset;
  if (const int error = file.read(record, what.end - offset, offset)) return failed_read(*what.in, error_text(error));
  const auto header = decode_log_record_header(record);
  if (header) record.resize(std::min(record.size(), log_record_bytes(header->payload_bytes)));  // without what follows
  const bool is_whole = header && header->kind == log_record_kind::group && header->first == what.place.first &&
                        log_record_bytes(header->payload_bytes) == record.size() && is_intact(*header, record);
  auto group = is_whole ? decode_log_group(payload_of(*header, record)) : std::nullopt;
  if (!group || group->entries.size() != header->entries) {
    return failed_read(*what.in, damage(*what.in, offset).message);
  }
  return std::move(group->entries);
}

tl::expected<std::vector<logged_entry>, log_read_error> segment_log::read(position from, std::size_t limit) const {
  std::vector<logged_entry> entries;
  std::size_t items = 0;
  std::size_t captured_bytes = 0;
  position next = std::max(from, position{1});
  const position end = last();
  shared_segment open;
  std::optional<open_file> file;
  while (next <= end && entries.size() < limit) {
    const auto found = find_group(next);
    if (!found) return tl::make_unexpected(found.error());
    if (found->in != open) {
      auto opened = open_file::open(path_of(*found->in), O_RDONLY);
      if (!opened) {
        // It may have been trimmed since.
        if (first() > next) return tl::make_unexpected(log_read_error::trimmed);
        return failed_read(*found->in, opened.error().message);
      }
      file.emplace(std::move(*opened));
      open = found->in;
    }
    auto group = read_group(*file, *found);
    if (!group) return tl::make_unexpected(group.error());
    for (std::size_t i = next.number - found->place.first.number; i < group->size(); ++i) {
      if (next > end || entries.size() == limit) return entries;
      entry& each = (*group)[i];
      captured_bytes += captured_bytes_of(each);
      const auto* message = std::get_if<message_entry>(&each);
      if (message != nullptr && message->after != nullptr) items += message->after->content.items.size();
      entries.push_back({next, std::move(each)});
      ++next.number;
      if (items >= log_read_items_max || captured_bytes >= log_read_captured_bytes_max) return entries;
    }
  }
  return entries;
}

tl::expected<std::uint64_t, log_read_error> segment_log::bytes_after(position at) const {
  if (at >= last()) return 0;
  const auto from = find_group(std::max(first(), position{at.number + 1}));
  if (!from) return tl::make_unexpected(from.error());
  const std::lock_guard lock(mutex_);
  const std::uint64_t end = durable_end_.in->header.bytes_before + durable_end_.end;
  return end - std::min(end, from->in->header.bytes_before + from->place.offset);
}

tl::unexpected<log_read_error> segment_log::failed_read(const segment& where, std::string_view why) const {
  settings_.on_error("a read from the log failed: " + quoted(settings_.folder / segment_name(where.header.first)) +
                     ": " + std::string(why));
  return tl::make_unexpected(log_read_error::storage_failed);
}

}  // namespace ordem::storage
