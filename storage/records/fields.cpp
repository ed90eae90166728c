// "v" is a varint, "s" a varint length and that many bytes; see bytes.hpp.
//
// clang-format off
//   origin     | tenant s | actor s |
//   content    | currency 3 | customer id s | external id s (empty: none) | items v, each: sku s, quantity v, unit price v
//              | has attributes 1 | object |    the external id from format 3 on
//   command    | kind 1 (0 create, 1 replace, 2 merge, 3 status) | content, or patch, or status 1 |
//   patch      | has customer id 1 | s | has currency 1 | 3 | has items 1 | items
//              | attributes 1 (0 kept, 1 removed, 2 merged) | object
//              | external id 1 (0 kept, 1 removed, 2 given) | s |    from format 3 on
//   response   | status v | body s | headers v, each: key s, is a list 1, value s or values v, each s |
//   object     | members v, each: name s, value |
//   value      | kind 1 (0 null, 1 bool, 2 number, 3 string, 4 array, 5 object) | its content |
// clang-format on

#include "storage/records/fields.hpp"

#include <limits>
#include <variant>

#include "engine/base/limits.hpp"

namespace ordem::storage {
namespace {

void put_value(byte_writer& to, const json_value& value);

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

json_value get_value(byte_reader& from, std::size_t depth);

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
    to.put_byte(static_cast<std::uint8_t>(patch.external_id.index()));
    if (const auto* external_id = std::get_if<std::string>(&patch.external_id)) to.put_string(*external_id);
  }
  void operator()(const change_status& change) const { to.put_byte(static_cast<std::uint8_t>(change.to)); }
};

merge_content get_patch(byte_reader& from, std::uint8_t format) {
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
  if (format < format_with_external_id) return patch;
  switch (from.get_byte()) {
    case 0: break;
    case 1: patch.external_id = merge_content::remove_external_id{}; break;
    case 2: patch.external_id = std::string(from.get_string()); break;
    default: from.fail();
  }
  return patch;
}

}  // namespace

std::uint8_t get_format(byte_reader& from, std::uint8_t newest) {
  const std::uint8_t format = from.get_byte();
  if (format == 0 || format > newest) from.fail();
  return format;
}

void check_format(byte_reader& from, std::uint8_t format) {
  if (from.get_byte() != format) from.fail();
}

std::uint64_t milliseconds_of(timestamp at) {
  return static_cast<std::uint64_t>(at.time_since_epoch().count());
}

timestamp get_timestamp(byte_reader& from, timestamp since) {
  const std::uint64_t ms = from.get_varint();
  if (ms > static_cast<std::uint64_t>((timestamp::max() - since).count())) {
    from.fail();
    return since;
  }
  return since + milliseconds{static_cast<milliseconds::rep>(ms)};
}

order_id get_order_id(byte_reader& from) {
  order_id id;
  from.get_bytes(id.bytes);
  return id;
}

void put_origin(byte_writer& to, const origin& what) {
  to.put_string(what.tenant);
  to.put_string(what.actor);
}

origin get_origin(byte_reader& from) {
  const std::string_view tenant = from.get_string();
  const std::string_view actor = from.get_string();
  if (tenant.size() > limits::tenant_bytes_max || actor.size() > limits::actor_bytes_max) from.fail();
  return {std::string(tenant), std::string(actor)};
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

std::size_t get_count(byte_reader& from) {
  const std::uint64_t count = from.get_varint();
  if (count > from.bytes_left()) {
    from.fail();
    return 0;
  }
  return static_cast<std::size_t>(count);
}

void put_object(byte_writer& to, const json_object& object) {
  to.put_varint(object.size());
  for (const auto& [name, value] : object) {
    to.put_string(name);
    put_value(to, value);
  }
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
  to.put_string(content.external_id.value_or(std::string()));
  put_items(to, content.items);
  put_optional_object(to, content.attributes);
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

order_content get_content(byte_reader& from, std::uint8_t format) {
  order_content content;
  content.currency = get_currency(from);
  content.customer_id = from.get_string();
  if (format >= format_with_external_id) {
    if (const std::string_view external_id = from.get_string(); !external_id.empty()) content.external_id = external_id;
  }
  content.items = get_items(from);
  content.attributes = get_optional_object(from);
  return content;
}

void put_command(byte_writer& to, const command& what) {
  to.put_byte(static_cast<std::uint8_t>(what.index()));
  std::visit(command_writer{to}, what);
}

command get_command(byte_reader& from, std::uint8_t format) {
  switch (from.get_byte()) {
    case 0: return create_order{get_content(from, format)};
    case 1: return replace_content{get_content(from, format)};
    case 2: return get_patch(from, format);
    case 3: return change_status{get_status(from)};
    default: from.fail(); return change_status{};
  }
}

void put_captured_response(byte_writer& to, const captured_response& response) {
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

captured_response get_captured_response(byte_reader& from) {
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

}  // namespace ordem::storage
