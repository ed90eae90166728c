#include "http-edge/write_body.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

#include "engine/limits.hpp"

namespace ordem::edge {
namespace {

namespace dom = simdjson::dom;

// The first of so many: an answer has a bound too.
constexpr std::size_t violations_max = 1000;

class violation_list {
 public:
  void add(std::string pointer, std::string_view detail) {
    if (found_.size() < violations_max) found_.push_back({std::move(pointer), std::string(detail)});
  }
  void add_if(objection rule, const std::string& pointer) {
    if (rule) add(pointer, *rule);
  }
  std::size_t size() const noexcept { return found_.size(); }
  std::vector<violation> take() { return std::move(found_); }

 private:
  std::vector<violation> found_;
};

// JSON Pointer, RFC 6901, section 3.
std::string pointer_to(const std::string& parent, std::string_view member) {
  std::string pointer = parent + '/';
  for (const char c : member) {
    if (c == '~') {
      pointer += "~0";
    } else if (c == '/') {
      pointer += "~1";
    } else {
      pointer += c;
    }
  }
  return pointer;
}

std::string pointer_to(const std::string& parent, std::size_t index) { return parent + '/' + std::to_string(index); }

// One member that a call takes.
template <class Read>
struct known_member {
  std::string_view name;
  bool required;
  Read read;  // called with the member's value and its pointer
};
template <class Read>
known_member(std::string_view, bool, Read) -> known_member<Read>;

// Reads an object by its known members: each at most once, none that is unknown, none missing that is required.
template <class... Known>
void read_members(dom::object object, const std::string& at, violation_list& wrong, Known... known) {
  unsigned seen = 0;
  for (const auto [name, value] : object) {
    const std::string_view member = name;
    unsigned bit = 1;
    const auto take = [&, &each_value = value](auto& candidate) {
      const unsigned mine = std::exchange(bit, bit << 1);
      if (candidate.name != member) return false;
      const std::string pointer = pointer_to(at, member);
      if ((seen & mine) != 0) {
        wrong.add(pointer, "is given more than once");
      } else {
        seen |= mine;
        candidate.read(each_value, pointer);
      }
      return true;
    };
    if (!(take(known) || ...)) wrong.add(pointer_to(at, member), "is not a member that this call knows");
  }
  unsigned bit = 1;
  const auto check = [&](const auto& candidate) {
    const unsigned mine = std::exchange(bit, bit << 1);
    if (candidate.required && (seen & mine) == 0) wrong.add(pointer_to(at, candidate.name), "is required");
  };
  (check(known), ...);
}

// An integer, or nothing if the value is anything else. What fits 64 bits but not its sign is out of every range here.
std::optional<std::int64_t> integer_of(const dom::element& value) {
  if (std::int64_t number = 0; value.get(number) == simdjson::SUCCESS) return number;
  if (value.is_uint64()) return std::numeric_limits<std::int64_t>::max();
  return std::nullopt;
}

std::optional<std::string_view> string_of(const dom::element& value) {
  std::string_view text;
  if (value.get(text) != simdjson::SUCCESS) return std::nullopt;
  return text;
}

json_value read_value(const dom::element& value, const std::string& at, violation_list& wrong);

json_object read_object(dom::object members, const std::string& at, violation_list& wrong) {
  json_object object;
  for (const auto [name, value] : members) {
    object.emplace_back(std::string(std::string_view(name)), read_value(value, pointer_to(at, name), wrong));
  }
  std::sort(object.begin(), object.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  for (std::size_t i = 1; i < object.size(); ++i) {
    if (object[i].first == object[i - 1].first) wrong.add(pointer_to(at, object[i].first), "is given more than once");
  }
  return object;
}

json_array read_array(dom::array elements, const std::string& at, violation_list& wrong) {
  json_array array;
  for (const auto element : elements) array.push_back(read_value(element, pointer_to(at, array.size()), wrong));
  return array;
}

json_number read_number(const dom::element& value, const std::string& at, violation_list& wrong) {
  if (const auto integer = integer_of(value)) {
    if (*integer > limits::exact_integer_max || *integer < -limits::exact_integer_max) {
      wrong.add(at, "an integer must be from -9007199254740991 to 9007199254740991; send a larger one as a string");
    }
    return {std::to_string(*integer)};
  }
  double number = 0;
  if (value.get(number) != simdjson::SUCCESS) wrong.add(at, "is not a number that can be kept");
  char text[32];
  const auto end = std::to_chars(std::begin(text), std::end(text), number).ptr;
  return {std::string(text, end)};
}

json_value read_value(const dom::element& value, const std::string& at, violation_list& wrong) {
  switch (value.type()) {
    case dom::element_type::NULL_VALUE: return {nullptr};
    case dom::element_type::BOOL: return {bool(value)};
    case dom::element_type::STRING: return {std::string(std::string_view(value))};
    case dom::element_type::ARRAY: return {read_array(value, at, wrong)};
    case dom::element_type::OBJECT: return {read_object(value, at, wrong)};
    case dom::element_type::INT64:
    case dom::element_type::UINT64:
    case dom::element_type::DOUBLE: return {read_number(value, at, wrong)};
  }
  return {};
}

std::string read_checked_string(const dom::element& value, const std::string& at, violation_list& wrong,
                                objection (*object_to)(std::string_view)) {
  const auto text = string_of(value);
  if (!text) {
    wrong.add(at, "must be a string");
    return {};
  }
  wrong.add_if(object_to(*text), at);
  return std::string(*text);
}

currency_code read_currency(const dom::element& value, const std::string& at, violation_list& wrong) {
  const std::string text = read_checked_string(value, at, wrong, object_to_currency);
  currency_code currency{'X', 'X', 'X'};
  if (text.size() == currency.size()) std::copy(text.begin(), text.end(), currency.begin());
  return currency;
}

std::int64_t read_checked_integer(const dom::element& value, const std::string& at, violation_list& wrong,
                                  objection (*object_to)(std::int64_t)) {
  const auto number = integer_of(value);
  if (!number) {
    wrong.add(at, "must be an integer");
    return 0;
  }
  const auto rule = object_to(*number);
  wrong.add_if(rule, at);
  return rule ? 0 : *number;
}

order_item read_item(const dom::element& value, const std::string& at, violation_list& wrong) {
  order_item item;
  dom::object members;
  if (value.get(members) != simdjson::SUCCESS) {
    wrong.add(at, "must be an object");
    return item;
  }
  read_members(
      members, at, wrong,
      known_member{"sku", true,
                   [&](const dom::element& sku, const std::string& pointer) {
                     item.sku = read_checked_string(sku, pointer, wrong, object_to_sku);
                   }},
      known_member{"quantity", true,
                   [&](const dom::element& quantity, const std::string& pointer) {
                     item.quantity = static_cast<std::uint32_t>(
                         read_checked_integer(quantity, pointer, wrong, object_to_quantity));
                   }},
      known_member{"unit_price", true, [&](const dom::element& price, const std::string& pointer) {
                     const auto amount = read_checked_integer(price, pointer, wrong, object_to_unit_price);
                     item.unit_price = money::of_minor_units(amount).value_or(money{});
                   }});
  return item;
}

std::vector<order_item> read_items(const dom::element& value, const std::string& at, violation_list& wrong) {
  std::vector<order_item> items;
  dom::array elements;
  if (value.get(elements) != simdjson::SUCCESS) {
    wrong.add(at, "must be an array");
    return items;
  }
  const std::size_t violations_before = wrong.size();
  std::size_t count = 0;
  for (const auto element : elements) {
    if (count < limits::items_max) items.push_back(read_item(element, pointer_to(at, count), wrong));
    ++count;
  }
  wrong.add_if(object_to_item_count(count), at);
  // Only of items that are fine one by one is there a total to speak of.
  if (wrong.size() == violations_before) wrong.add_if(object_to_total(items), at);
  return items;
}

// Attributes of a content are an object; those of a merge patch may be null too.
std::optional<json_object> read_attributes(const dom::element& value, const std::string& at, violation_list& wrong) {
  dom::object members;
  if (value.get(members) != simdjson::SUCCESS) {
    wrong.add(at, "must be an object");
    return std::nullopt;
  }
  json_object attributes = read_object(members, at, wrong);
  wrong.add_if(object_to_attributes(attributes), at);
  return attributes;
}

// The members that every write may have beside its content.
auto guid_member(write_body& body) {
  return known_member{"guid", false,
                      [&body](const dom::element& value, const std::string&) { body.guid = string_of(value).value_or(""); }};
}

auto version_member(write_body& body, violation_list& wrong) {
  return known_member{"version", false, [&](const dom::element& value, const std::string& pointer) {
                        const auto number = integer_of(value);
                        if (number && *number >= 1 && *number <= limits::exact_integer_max) {
                          body.version = version{static_cast<std::uint64_t>(*number)};
                        } else {
                          wrong.add(pointer, "must be an integer from 1 to 9007199254740991");
                        }
                      }};
}

// Reads the members of a content, required or not, with `more` that the call takes, and gives them to a sink with the fields
// customer_id, currency, items, and a function for attributes.
template <class Sink, class Attributes, class... More>
void read_content(dom::object members, bool all_required, violation_list& wrong, Sink& sink, Attributes read_them,
                  More... more) {
  read_members(
      members, "", wrong,
      known_member{"customer_id", all_required,
                   [&](const dom::element& value, const std::string& pointer) {
                     sink.customer_id = read_checked_string(value, pointer, wrong, object_to_customer_id);
                   }},
      known_member{"currency", all_required,
                   [&](const dom::element& value, const std::string& pointer) {
                     sink.currency = read_currency(value, pointer, wrong);
                   }},
      known_member{"items", all_required,
                   [&](const dom::element& value, const std::string& pointer) {
                     sink.items = read_items(value, pointer, wrong);
                   }},
      known_member{"attributes", false, read_them}, more...);
}

void read_create(dom::object members, write_body& body, violation_list& wrong) {
  order_content content;
  read_content(
      members, true, wrong, content,
      [&](const dom::element& value, const std::string& pointer) {
        content.attributes = read_attributes(value, pointer, wrong);
      },
      guid_member(body));
  body.command = create_order{std::move(content)};
}

void read_replace(dom::object members, write_body& body, violation_list& wrong) {
  order_content content;
  read_content(
      members, true, wrong, content,
      [&](const dom::element& value, const std::string& pointer) {
        content.attributes = read_attributes(value, pointer, wrong);
      },
      guid_member(body), version_member(body, wrong));
  body.command = replace_content{std::move(content)};
}

void read_merge(dom::object members, write_body& body, violation_list& wrong) {
  merge_content patch;
  read_content(
      members, false, wrong, patch,
      [&](const dom::element& value, const std::string& pointer) {
        if (value.is_null()) {
          patch.attributes = merge_content::remove_attributes{};
        } else if (auto changes = read_attributes(value, pointer, wrong)) {
          patch.attributes = std::move(*changes);
        }
      },
      guid_member(body), version_member(body, wrong));
  body.command = std::move(patch);
}

void read_change_status(dom::object members, write_body& body, violation_list& wrong) {
  change_status change;
  read_members(members, "", wrong,
               known_member{"status", true,
                            [&](const dom::element& value, const std::string& pointer) {
                              const auto status = parse_order_status(string_of(value).value_or(""));
                              if (status) {
                                change.to = *status;
                              } else {
                                wrong.add(pointer, "must be new, confirmed, shipped, delivered or cancelled");
                              }
                            }},
               guid_member(body), version_member(body, wrong));
  body.command = change;
}

}  // namespace

tl::expected<write_body, malformed_json_error> read_write_body(write_kind kind, std::string_view body,
                                                               simdjson::dom::parser& parser) {
  dom::element root;
  constexpr bool copy_for_padding = false;
  if (const auto error = parser.parse(body.data(), body.size(), copy_for_padding).get(root)) {
    return tl::make_unexpected(malformed_json_error{simdjson::error_message(error)});
  }

  write_body read;
  violation_list wrong;
  dom::object members;
  if (root.get(members) != simdjson::SUCCESS) {
    wrong.add("", "must be an object");
  } else {
    switch (kind) {
      case write_kind::create: read_create(members, read, wrong); break;
      case write_kind::replace: read_replace(members, read, wrong); break;
      case write_kind::merge: read_merge(members, read, wrong); break;
      case write_kind::change_status: read_change_status(members, read, wrong); break;
    }
  }
  read.violations = wrong.take();
  return read;
}

}  // namespace ordem::edge
