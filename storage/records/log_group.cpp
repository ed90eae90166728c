// clang-format off
//   log group  | 4 | clock s (empty: unchanged) | entries v, each: kind 1 (1 message, 2 capture)
//              | and GUID s, message s, the order after it s (empty: rejected);
//              | or key s, at ms v, capture s (empty: given up, and the tenant s follows) |
//              | 3 | bytes of the groups before v | entries as above, without orders and tenants |    in data format 4
// clang-format on

#include "storage/records/log_group.hpp"

#include <memory>
#include <utility>

#include "engine/base/limits.hpp"
#include "storage/records/capture_record.hpp"
#include "storage/records/clock_record.hpp"
#include "storage/records/fields.hpp"
#include "storage/records/message_record.hpp"
#include "storage/records/order_record.hpp"

namespace ordem::storage {
namespace {

constexpr std::uint8_t log_group_format = 4;
constexpr std::uint8_t old_log_group_format = 3;  // without the orders; 1 and 2 are of no release that is upgraded

// Kept on disk: do not renumber.
enum class entry_kind : std::uint8_t { message = 1, capture = 2 };

guid get_guid(byte_reader& from) {
  auto id = guid::parse(from.get_string());
  if (!id) from.fail();
  return id ? std::move(*id) : *guid::parse("?");
}

std::optional<message_entry> get_old_message_entry(byte_reader& from) {
  guid id = get_guid(from);
  auto message = decode_message(from.get_string());
  if (!message) return std::nullopt;
  return message_entry{std::move(id), std::move(*message), nullptr, nullptr};
}

std::optional<message_entry> get_message_entry(byte_reader& from) {
  auto executed = get_old_message_entry(from);
  const std::string_view record = from.get_string();
  if (!executed) return std::nullopt;
  const outcome& result = executed->record.outcome;
  if (record.empty() == is_accepted(result.verdict)) return std::nullopt;
  if (record.empty()) return executed;
  auto after = decode_order(result.order, record);
  if (!after || after->version != result.version) return std::nullopt;
  executed->after = std::make_shared<const order>(std::move(*after));
  return executed;
}

std::optional<capture_entry> get_old_capture_entry(byte_reader& from) {
  auto key = capture_key::parse(from.get_string());
  const timestamp at = get_timestamp(from);
  const std::string_view record = from.get_string();
  if (!key) return std::nullopt;
  if (record.empty()) return capture_entry{std::move(*key), at, nullptr};
  auto after = decode_capture(record);
  if (!after) return std::nullopt;
  return capture_entry{std::move(*key), at, std::make_shared<const capture>(std::move(*after))};
}

std::optional<capture_entry> get_capture_entry(byte_reader& from) {
  auto changed = get_old_capture_entry(from);
  if (!changed || changed->after != nullptr) return changed;
  changed->tenant_of_given_up = from.get_string();
  if (changed->tenant_of_given_up.size() > limits::tenant_bytes_max) return std::nullopt;
  return changed;
}

// `get_message` and `get_capture` read entries in the format of the group.
std::optional<std::vector<entry>> get_entries(byte_reader& from,
                                              std::optional<message_entry> (*get_message)(byte_reader&),
                                              std::optional<capture_entry> (*get_capture)(byte_reader&)) {
  const std::size_t count = get_count(from);
  std::vector<entry> entries;
  entries.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    switch (static_cast<entry_kind>(from.get_byte())) {
      case entry_kind::message: {
        auto executed = get_message(from);
        if (!executed) return std::nullopt;
        entries.emplace_back(std::move(*executed));
        break;
      }
      case entry_kind::capture: {
        auto changed = get_capture(from);
        if (!changed) return std::nullopt;
        entries.emplace_back(std::move(*changed));
        break;
      }
      default: return std::nullopt;
    }
  }
  return entries;
}

}  // namespace

void encode_log_group(std::string& out, const std::optional<clock_state>& clock, std::span<const entry> entries) {
  byte_writer to{out};
  to.put_byte(log_group_format);
  std::string record;
  if (clock) encode_clock_state(record, *clock);
  to.put_string(record);
  to.put_varint(entries.size());
  for (const entry& each : entries) {
    record.clear();
    if (const auto* message = std::get_if<message_entry>(&each)) {
      encode_message(record, message->record);
      to.put_byte(static_cast<std::uint8_t>(entry_kind::message));
      to.put_string(message->guid.view());
      to.put_string(record);
      record.clear();
      if (message->after != nullptr) encode_order(record, *message->after);
    } else {
      const auto& changed = std::get<capture_entry>(each);
      if (changed.after) encode_capture(record, *changed.after);
      to.put_byte(static_cast<std::uint8_t>(entry_kind::capture));
      to.put_string(changed.key.view());
      to.put_varint(milliseconds_of(changed.at));
      if (!changed.after) {
        to.put_string({});
        record = changed.tenant_of_given_up;
      }
    }
    to.put_string(record);
  }
}

std::optional<log_group> decode_log_group(std::string_view bytes) {
  byte_reader from{bytes};
  check_format(from, log_group_format);
  log_group group;
  if (const std::string_view clock = from.get_string(); !clock.empty()) {
    group.clock = decode_clock_state(clock);
    if (!group.clock) return std::nullopt;
  }
  auto entries = get_entries(from, get_message_entry, get_capture_entry);
  if (!entries) return std::nullopt;
  group.entries = std::move(*entries);
  return checked(from, std::move(group));
}

std::optional<std::vector<entry>> decode_old_log_group(std::string_view bytes) {
  byte_reader from{bytes};
  check_format(from, old_log_group_format);
  from.get_varint();
  auto entries = get_entries(from, get_old_message_entry, get_old_capture_entry);
  if (!entries) return std::nullopt;
  return checked(from, std::move(*entries));
}

std::optional<clock_state> decode_log_group_clock(std::string_view bytes) {
  byte_reader from{bytes};
  check_format(from, log_group_format);
  const std::string_view clock = from.get_string();
  return clock.empty() ? std::nullopt : decode_clock_state(clock);
}

}  // namespace ordem::storage
