// clang-format off
//   log group  | 3 | bytes of the groups before v | entries v, each: kind 1 (1 message, 2 capture)
//              | and GUID s, message s; or key s, at ms v, capture s (empty: given up) |
// clang-format on

#include "storage/records/log_group.hpp"

#include <memory>
#include <utility>

#include "storage/records/capture_record.hpp"
#include "storage/records/fields.hpp"
#include "storage/records/message_record.hpp"

namespace ordem::storage {
namespace {

constexpr std::uint8_t log_group_format = 3;  // 1 held references to the messages' own records, 2 no captures

// Kept on disk: do not renumber.
enum class entry_kind : std::uint8_t { message = 1, capture = 2 };

guid get_guid(byte_reader& from) {
  auto id = guid::parse(from.get_string());
  if (!id) from.fail();
  return id ? std::move(*id) : *guid::parse("?");
}

std::optional<capture_entry> get_capture_entry(byte_reader& from) {
  auto key = capture_key::parse(from.get_string());
  const timestamp at = get_timestamp(from);
  const std::string_view record = from.get_string();
  if (!key) return std::nullopt;
  if (record.empty()) return capture_entry{std::move(*key), at, nullptr};
  auto after = decode_capture(record);
  if (!after) return std::nullopt;
  return capture_entry{std::move(*key), at, std::make_shared<const capture>(std::move(*after))};
}

}  // namespace

void encode_log_group(std::string& out, std::uint64_t bytes_before, std::span<const entry> entries) {
  byte_writer to{out};
  to.put_byte(log_group_format);
  to.put_varint(bytes_before);
  to.put_varint(entries.size());
  std::string record;
  for (const entry& each : entries) {
    record.clear();
    if (const auto* message = std::get_if<message_entry>(&each)) {
      encode_message(record, message->record);
      to.put_byte(static_cast<std::uint8_t>(entry_kind::message));
      to.put_string(message->guid.view());
    } else {
      const auto& changed = std::get<capture_entry>(each);
      if (changed.after) encode_capture(record, *changed.after);
      to.put_byte(static_cast<std::uint8_t>(entry_kind::capture));
      to.put_string(changed.key.view());
      to.put_varint(milliseconds_of(changed.at));
    }
    to.put_string(record);
  }
}

std::optional<log_group> decode_log_group(std::string_view record) {
  byte_reader from{record};
  check_format(from, log_group_format);
  log_group group;
  group.bytes_before = from.get_varint();
  const std::size_t count = get_count(from);
  group.entries.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    switch (static_cast<entry_kind>(from.get_byte())) {
      case entry_kind::message: {
        guid id = get_guid(from);
        auto message = decode_message(from.get_string());
        if (!message) return std::nullopt;
        group.entries.emplace_back(message_entry{std::move(id), std::move(*message), nullptr, nullptr});
        break;
      }
      case entry_kind::capture: {
        auto changed = get_capture_entry(from);
        if (!changed) return std::nullopt;
        group.entries.emplace_back(std::move(*changed));
        break;
      }
      default: return std::nullopt;
    }
  }
  return checked(from, std::move(group));
}

}  // namespace ordem::storage
