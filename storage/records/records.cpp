// Keys. Fixed widths are big-endian, so that byte order is the order wanted; "inverted" means all bits flipped: newest
// first.
//
//   orders     | order id 16 |                              the current version
//   versions   | order id 16 | inverted version 8 |         each superseded version
//   messages   | tenant length 1 (0: there is one tenant) | GUID 1..255 |
//   captures   | tenant length 1 (0: there is one tenant) | key 1..1024 |
//   log        | position of the group's first entry 8 |
//   customers  | length of customer id 2 | customer id | inverted order id 16 |      no value
//
// Values. One byte of format first; "v" is a varint, "s" a varint length and that many bytes.
//
// clang-format off
//   order      | 1 | status 1 | version v | created ms v | updated - created v | total v | content |
//   content    | currency 3 | customer id s | items v, each: sku s, quantity v, unit price v | has attributes 1 | object |
//   object     | members v, each: name s, value |
//   value      | kind 1 (0 null, 1 bool, 2 number, 3 string, 4 array, 5 object) | its content |
//   message    | 1 | expires ms v | created ms v | fingerprint 16 | verdict 1 | order id 16 | version v | status 1
//              | wanted status or 0: 1 | flags 1 (1: version supplied, 2: by If-Match, 4: command kept)
//              | supplied version v if flagged | command if flagged |
//   command    | kind 1 (0 create, 1 replace, 2 merge, 3 status) | content, or patch, or status 1 |
//   patch      | has customer id 1 | s | has currency 1 | 3 | has items 1 | items
//              | attributes 1 (0 kept, 1 removed, 2 merged) | object |
//   capture    | 1 | expires ms v | allocated ms v | lease ends ms v | has response 1 | response |
//              | ("for ever" is the last moment that fits)
//   response   | status v | body s | headers v, each: key s, is a list 1, value s or values v, each s |
//   log group  | 3 | bytes of the groups before v | entries v, each: kind 1 (1 message, 2 capture)
//              | and GUID s, message s; or key s, at ms v, capture s (empty: given up) |
// clang-format on

#include "storage/records/records.hpp"

#include <limits>
#include <utility>

#include "engine/base/limits.hpp"
#include "storage/records/bytes.hpp"

namespace ordem::storage {
namespace {

constexpr std::uint8_t record_format = 1;
constexpr std::uint8_t log_group_format = 3;  // 1 held references to the messages' own records, 2 no captures

constexpr std::uint8_t only_tenant = 0;

// Kept on disk: do not renumber.
enum class entry_kind : std::uint8_t { message = 1, capture = 2 };

constexpr timestamp for_ever = timestamp::max();

constexpr std::uint8_t flag_version_supplied = 1;
constexpr std::uint8_t flag_by_if_match = 2;
constexpr std::uint8_t flag_command_kept = 4;

// --- pieces, written ---

void put_value(byte_writer& to, const json_value& value);

void put_object(byte_writer& to, const json_object& object) {
  to.put_varint(object.size());
  for (const auto& [name, value] : object) {
    to.put_string(name);
    put_value(to, value);
  }
}

struct value_writer {
  byte_writer& to;

  void operator()(std::nullptr_t) const {}
  void operator()(bool value) const { to.put_byte(value ? 1 : 0); }
  void operator()(const json_number& number) const { to.put_string(number.text); }
  void operator()(const std::string& text) const { to.put_string(text); }
  void operator()(const json_array& array) const {
    to.put_varint(array.size());
    for (const auto& element : array) put_value(to, element);
  }
  void operator()(const json_object& object) const { put_object(to, object); }
};

void put_value(byte_writer& to, const json_value& value) {
  to.put_byte(static_cast<std::uint8_t>(value.data.index()));
  std::visit(value_writer{to}, value.data);
}

void put_optional_object(byte_writer& to, const std::optional<json_object>& object) {
  to.put_byte(object ? 1 : 0);
  if (object) put_object(to, *object);
}

void put_currency(byte_writer& to, currency_code currency) {
  for (const char letter : currency) to.put_byte(static_cast<std::uint8_t>(letter));
}

void put_items(byte_writer& to, const std::vector<order_item>& items) {
  to.put_varint(items.size());
  for (const order_item& item : items) {
    to.put_string(item.sku);
    to.put_varint(item.quantity);
    to.put_varint(static_cast<std::uint64_t>(item.unit_price.minor_units()));
  }
}

void put_content(byte_writer& to, const order_content& content) {
  put_currency(to, content.currency);
  to.put_string(content.customer_id);
  put_items(to, content.items);
  put_optional_object(to, content.attributes);
}

struct command_writer {
  byte_writer& to;

  void operator()(const create_order& create) const { put_content(to, create.content); }
  void operator()(const replace_content& replace) const { put_content(to, replace.content); }
  void operator()(const merge_content& patch) const {
    to.put_byte(patch.customer_id ? 1 : 0);
    if (patch.customer_id) to.put_string(*patch.customer_id);
    to.put_byte(patch.currency ? 1 : 0);
    if (patch.currency) put_currency(to, *patch.currency);
    to.put_byte(patch.items ? 1 : 0);
    if (patch.items) put_items(to, *patch.items);
    to.put_byte(static_cast<std::uint8_t>(patch.attributes.index()));
    if (const auto* changes = std::get_if<json_object>(&patch.attributes)) put_object(to, *changes);
  }
  void operator()(const change_status& change) const { to.put_byte(static_cast<std::uint8_t>(change.to)); }
};

void put_command(byte_writer& to, const command& what) {
  to.put_byte(static_cast<std::uint8_t>(what.index()));
  std::visit(command_writer{to}, what);
}

void put_response(byte_writer& to, const captured_response& response) {
  to.put_varint(response.status);
  to.put_string(response.body);
  to.put_varint(response.headers.size());
  for (const captured_header& header : response.headers) {
    to.put_string(header.key);
    const auto* list = std::get_if<std::vector<std::string>>(&header.value);
    to.put_byte(list != nullptr ? 1 : 0);
    if (list == nullptr) {
      to.put_string(std::get<std::string>(header.value));
      continue;
    }
    to.put_varint(list->size());
    for (const std::string& value : *list) to.put_string(value);
  }
}

std::uint64_t milliseconds_of(timestamp at) {
  return static_cast<std::uint64_t>(at.time_since_epoch().count());
}

// --- pieces, read ---

json_value get_value(byte_reader& from, std::size_t depth);

// A count that can't be true of the bytes that are left is not believed, so that a bad record can't ask for much
// memory.
std::size_t get_count(byte_reader& from) {
  const std::uint64_t count = from.get_varint();
  if (count > from.bytes_left()) {
    from.fail();
    return 0;
  }
  return static_cast<std::size_t>(count);
}

json_object get_object(byte_reader& from, std::size_t depth) {
  const std::size_t count = get_count(from);
  json_object object;
  object.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    std::string name(from.get_string());
    object.emplace_back(std::move(name), get_value(from, depth + 1));
  }
  return object;
}

json_array get_array(byte_reader& from, std::size_t depth) {
  json_array array(get_count(from));
  for (auto& element : array) element = get_value(from, depth + 1);
  return array;
}

json_value get_value(byte_reader& from, std::size_t depth) {
  if (depth > limits::json_depth_max) from.fail();
  switch (from.get_byte()) {
    case 0: return {nullptr};
    case 1: return {from.get_byte() != 0};
    case 2: return {json_number{std::string(from.get_string())}};
    case 3: return {std::string(from.get_string())};
    case 4: return {get_array(from, depth)};
    case 5: return {get_object(from, depth)};
    default: from.fail(); return {};
  }
}

std::optional<json_object> get_optional_object(byte_reader& from) {
  if (from.get_byte() == 0) return std::nullopt;
  return get_object(from, 0);
}

currency_code get_currency(byte_reader& from) {
  currency_code currency{};
  for (char& letter : currency) letter = static_cast<char>(from.get_byte());
  return currency;
}

money get_money(byte_reader& from) {
  const auto amount = money::of_minor_units(static_cast<std::int64_t>(from.get_varint()));
  if (!amount) from.fail();
  return amount.value_or(money{});
}

std::vector<order_item> get_items(byte_reader& from) {
  std::vector<order_item> items(get_count(from));
  for (order_item& item : items) {
    item.sku = from.get_string();
    const std::uint64_t quantity = from.get_varint();
    if (quantity > std::numeric_limits<std::uint32_t>::max()) from.fail();
    item.quantity = static_cast<std::uint32_t>(quantity);
    item.unit_price = get_money(from);
  }
  return items;
}

order_content get_content(byte_reader& from) {
  order_content content;
  content.currency = get_currency(from);
  content.customer_id = from.get_string();
  content.items = get_items(from);
  content.attributes = get_optional_object(from);
  return content;
}

std::optional<order_status> get_optional_status(byte_reader& from) {
  const std::uint8_t number = from.get_byte();
  if (number == 0) return std::nullopt;
  if (number > static_cast<std::uint8_t>(order_status::cancelled)) {
    from.fail();
    return std::nullopt;
  }
  return static_cast<order_status>(number);
}

order_status get_status(byte_reader& from) {
  const auto status = get_optional_status(from);
  if (!status) from.fail();
  return status.value_or(order_status::fresh);
}

verdict get_verdict(byte_reader& from) {
  const std::uint8_t number = from.get_byte();
  if (number < static_cast<std::uint8_t>(verdict::order_created) ||
      number > static_cast<std::uint8_t>(verdict::order_closed)) {
    from.fail();
    return verdict::order_created;
  }
  return static_cast<verdict>(number);
}

order_id get_order_id(byte_reader& from) {
  order_id id;
  from.get_bytes(id.bytes);
  return id;
}

// Milliseconds that, after `since`, are still a time.
timestamp get_timestamp(byte_reader& from, timestamp since = {}) {
  const std::uint64_t ms = from.get_varint();
  if (ms > static_cast<std::uint64_t>((timestamp::max() - since).count())) {
    from.fail();
    return since;
  }
  return since + milliseconds{static_cast<milliseconds::rep>(ms)};
}

guid get_guid(byte_reader& from) {
  auto id = guid::parse(from.get_string());
  if (!id) from.fail();
  return id ? std::move(*id) : *guid::parse("?");
}

merge_content get_patch(byte_reader& from) {
  merge_content patch;
  if (from.get_byte() != 0) patch.customer_id = from.get_string();
  if (from.get_byte() != 0) patch.currency = get_currency(from);
  if (from.get_byte() != 0) patch.items = get_items(from);
  switch (from.get_byte()) {
    case 0: break;
    case 1: patch.attributes = merge_content::remove_attributes{}; break;
    case 2: patch.attributes = get_object(from, 0); break;
    default: from.fail();
  }
  return patch;
}

command get_command(byte_reader& from) {
  switch (from.get_byte()) {
    case 0: return create_order{get_content(from)};
    case 1: return replace_content{get_content(from)};
    case 2: return get_patch(from);
    case 3: return change_status{get_status(from)};
    default: from.fail(); return change_status{};
  }
}

void check_format(byte_reader& from, std::uint8_t format = record_format) {
  if (from.get_byte() != format) from.fail();
}

std::optional<timestamp> get_optional_timestamp(byte_reader& from) {
  const timestamp at = get_timestamp(from);
  return at == for_ever ? std::nullopt : std::optional(at);
}

captured_response get_response(byte_reader& from) {
  captured_response response;
  const std::uint64_t status = from.get_varint();
  if (status < limits::captured_status_min || status > limits::captured_status_max) from.fail();
  response.status = static_cast<std::uint16_t>(status);
  response.body = from.get_string();
  response.headers.resize(get_count(from));
  for (captured_header& header : response.headers) {
    header.key = from.get_string();
    if (from.get_byte() == 0) {
      header.value = std::string(from.get_string());
    } else {
      std::vector<std::string> values(get_count(from));
      for (std::string& value : values) value = from.get_string();
      header.value = std::move(values);
    }
  }
  return response;
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

// The value if the whole record was read and nothing was wrong with it.
template <class Value>
std::optional<Value> judged(const byte_reader& from, Value&& value) {
  if (!from.ok() || !from.at_end()) return std::nullopt;
  return std::forward<Value>(value);
}

}  // namespace

void encode_order_key(std::string& out, order_id id) {
  byte_writer{out}.put_bytes(id.bytes);
}

void encode_version_key(std::string& out, order_id id, version which) {
  byte_writer to{out};
  to.put_bytes(id.bytes);
  to.put_big_endian(~which.number);
}

void encode_message_key(std::string& out, const guid& id) {
  byte_writer{out}.put_byte(only_tenant);
  out += id.view();
}

void encode_capture_key(std::string& out, const capture_key& key) {
  byte_writer{out}.put_byte(only_tenant);
  out += key.view();
}

void encode_log_key(std::string& out, position first) {
  byte_writer{out}.put_big_endian(first.number);
}

void encode_customer_prefix(std::string& out, std::string_view customer_id) {
  byte_writer{out}.put_big_endian(customer_id.size(), 2);
  out += customer_id;
}

void encode_customer_key(std::string& out, std::string_view customer_id, order_id id) {
  encode_customer_prefix(out, customer_id);
  for (std::uint8_t& byte : id.bytes) byte = static_cast<std::uint8_t>(~byte);
  byte_writer{out}.put_bytes(id.bytes);
}

std::optional<order_id> decode_order_key(std::string_view key) {
  byte_reader from{key};
  const order_id id = get_order_id(from);
  return judged(from, order_id{id});
}

std::optional<guid> decode_message_key(std::string_view key) {
  byte_reader from{key};
  if (from.get_byte() != only_tenant) return std::nullopt;
  return guid::parse(from.get_bytes(from.bytes_left()));
}

std::optional<capture_key> decode_capture_key(std::string_view key) {
  byte_reader from{key};
  if (from.get_byte() != only_tenant) return std::nullopt;
  return capture_key::parse(from.get_bytes(from.bytes_left()));
}

std::optional<position> decode_log_key(std::string_view key) {
  byte_reader from{key};
  const position first{from.get_big_endian()};
  return judged(from, position{first});
}

std::optional<order_id> decode_customer_key(std::string_view key) {
  byte_reader from{key};
  from.get_bytes(from.get_big_endian(2));
  order_id id = get_order_id(from);
  for (std::uint8_t& byte : id.bytes) byte = static_cast<std::uint8_t>(~byte);
  return judged(from, order_id{id});
}

void encode_order(std::string& out, const order& what) {
  byte_writer to{out};
  to.put_byte(record_format);
  to.put_byte(static_cast<std::uint8_t>(what.status));
  to.put_varint(what.version.number);
  to.put_varint(milliseconds_of(what.created_at));
  to.put_varint(milliseconds_of(what.updated_at) - milliseconds_of(what.created_at));
  to.put_varint(static_cast<std::uint64_t>(what.total.minor_units()));
  put_content(to, what.content);
}

std::optional<order> decode_order(order_id id, std::string_view record) {
  byte_reader from{record};
  order what;
  what.id = id;
  check_format(from);
  what.status = get_status(from);
  what.version = {from.get_varint()};
  what.created_at = get_timestamp(from);
  what.updated_at = get_timestamp(from, what.created_at);
  what.total = get_money(from);
  what.content = get_content(from);
  return judged(from, std::move(what));
}

void encode_message(std::string& out, const message_record& what) {
  const auto& supplied = what.outcome.made_against;
  const int flags = (supplied ? flag_version_supplied : 0) |
                    (supplied && supplied->by_if_match ? flag_by_if_match : 0) | (what.command ? flag_command_kept : 0);
  byte_writer to{out};
  to.put_byte(record_format);
  to.put_varint(milliseconds_of(what.expires_at));
  to.put_varint(milliseconds_of(what.created_at));
  to.put_big_endian(what.fingerprint.high);
  to.put_big_endian(what.fingerprint.low);
  to.put_byte(static_cast<std::uint8_t>(what.outcome.verdict));
  to.put_bytes(what.outcome.order.bytes);
  to.put_varint(what.outcome.version.number);
  to.put_byte(static_cast<std::uint8_t>(what.outcome.status));
  to.put_byte(what.outcome.wanted ? static_cast<std::uint8_t>(*what.outcome.wanted) : std::uint8_t{0});
  to.put_byte(static_cast<std::uint8_t>(flags));
  if (supplied) to.put_varint(supplied->version.number);
  if (what.command) put_command(to, *what.command);
}

std::optional<message_record> decode_message(std::string_view record) {
  byte_reader from{record};
  message_record what;
  check_format(from);
  what.expires_at = get_timestamp(from);
  what.created_at = get_timestamp(from);
  what.fingerprint.high = from.get_big_endian();
  what.fingerprint.low = from.get_big_endian();
  what.outcome.verdict = get_verdict(from);
  what.outcome.order = get_order_id(from);
  what.outcome.version = {from.get_varint()};
  what.outcome.status = get_status(from);
  what.outcome.wanted = get_optional_status(from);
  const std::uint8_t flags = from.get_byte();
  if ((flags & flag_version_supplied) != 0) {
    what.outcome.made_against = supplied_version{{from.get_varint()}, (flags & flag_by_if_match) != 0};
  }
  if ((flags & flag_command_kept) != 0) what.command = get_command(from);
  return judged(from, std::move(what));
}

std::optional<lifetime> decode_lifetime(std::string_view record) {
  byte_reader from{record};
  check_format(from);
  lifetime what;
  what.expires_at = get_timestamp(from);
  what.made_at = get_timestamp(from);
  if (!from.ok()) return std::nullopt;
  return what;
}

void encode_capture(std::string& out, const capture& what) {
  byte_writer to{out};
  to.put_byte(record_format);
  to.put_varint(milliseconds_of(what.expires_at.value_or(for_ever)));
  to.put_varint(milliseconds_of(what.allocated_at));
  to.put_varint(milliseconds_of(what.lease_ends_at.value_or(for_ever)));
  to.put_byte(what.response ? 1 : 0);
  if (what.response) put_response(to, *what.response);
}

std::optional<capture> decode_capture(std::string_view record) {
  byte_reader from{record};
  capture what;
  check_format(from);
  what.expires_at = get_optional_timestamp(from);
  what.allocated_at = get_timestamp(from);
  what.lease_ends_at = get_optional_timestamp(from);
  if (from.get_byte() != 0) what.response = std::make_shared<const captured_response>(get_response(from));
  return judged(from, std::move(what));
}

void encode_log_group(std::string& out, std::uint64_t bytes_before, std::span<const entry> entries) {
  byte_writer to{out};
  to.put_byte(log_group_format);
  to.put_varint(bytes_before);
  to.put_varint(entries.size());
  std::string record;
  for (const entry& each : entries) {
    record.clear();
    if (const auto* executed = std::get_if<message_entry>(&each)) {
      encode_message(record, executed->record);
      to.put_byte(static_cast<std::uint8_t>(entry_kind::message));
      to.put_string(executed->guid.view());
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
        group.entries.emplace_back(logged_message{std::move(id), std::move(*message)});
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
  return judged(from, std::move(group));
}

}  // namespace ordem::storage
