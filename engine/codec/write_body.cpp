#include "engine/codec/write_body.hpp"

#include <algorithm>
#include <utility>

#include "engine/base/check.hpp"
#include "engine/base/limits.hpp"
#include "engine/base/text.hpp"
#include "engine/codec/json_number.hpp"

namespace ordem::codec {
namespace {

namespace dom = simdjson::dom;

// Only the first violations are listed, with pointers of bounded length, so that the response is bounded too.
constexpr std::size_t violations_max = 1000;
constexpr std::size_t pointer_bytes_max = 1024;

// The place of a value, as a chain of names and indices on the stack. Its text is built only for a violation, as most
// bodies are valid.
class json_place {
 public:
  json_place() = default;  // the whole body
  json_place(const json_place& parent, std::string_view member) : parent_(&parent), member_(member) {}
  json_place(const json_place& parent, std::size_t index) : parent_(&parent), index_(index) {}

  // Returns the JSON Pointer (RFC 6901, section 3). If it has more than pointer_bytes_max bytes, returns that of the
  // innermost value around this one whose pointer does not.
  std::string pointer() const {
    std::string text;
    append_to(text);
    return text;
  }

 private:
  // Returns false if the appended pointer ends before this place.
  bool append_to(std::string& text) const {
    if (parent_ == nullptr) return true;
    if (!parent_->append_to(text)) return false;
    const std::size_t parent_bytes = text.size();
    text += '/';
    if (member_) {
      append_name(text);
    } else {
      text += std::to_string(index_);
    }
    if (text.size() <= pointer_bytes_max) return true;
    text.resize(parent_bytes);
    return false;
  }
  void append_name(std::string& text) const {
    for (const char c : *member_) {
      if (text.size() > pointer_bytes_max) return;  // a name may be as long as a body
      if (c == '~') {
        text += "~0";
      } else if (c == '/') {
        text += "~1";
      } else {
        text += c;
      }
    }
  }

  const json_place* parent_ = nullptr;
  std::optional<std::string_view> member_;
  std::size_t index_ = 0;
};

class violation_list {
 public:
  void add(const json_place& at, std::string_view detail) {
    if (found_.size() < violations_max) found_.push_back({at.pointer(), std::string(detail)});
  }
  void add_if(validation_error rule, const json_place& at) {
    if (rule) add(at, *rule);
  }
  std::size_t size() const noexcept { return found_.size(); }
  std::vector<violation> take() { return std::move(found_); }

 private:
  std::vector<violation> found_;
};

// A member that a call accepts.
template <class Read>
struct known_member {
  std::string_view name;
  bool required;
  Read read;  // called with the member's value and its place
};
template <class Read>
known_member(std::string_view, bool, Read) -> known_member<Read>;

// Reads the known members of an object. Repeated, unknown and missing required members are violations.
template <class... Known>
void read_members(dom::object object, const json_place& at, violation_list& wrong, Known... known) {
  unsigned seen = 0;
  for (const auto [name, value] : object) {
    const std::string_view member = name;
    unsigned bit = 1;
    const auto take = [&, &each_value = value](auto& candidate) {
      const unsigned mine = std::exchange(bit, bit << 1);
      if (candidate.name != member) return false;
      const json_place place(at, member);
      if ((seen & mine) != 0) {
        wrong.add(place, "is given more than once");
      } else {
        seen |= mine;
        candidate.read(each_value, place);
      }
      return true;
    };
    if (!(take(known) || ...)) wrong.add(json_place(at, member), "is not a member that this call knows");
  }
  unsigned bit = 1;
  const auto check = [&](const auto& candidate) {
    const unsigned mine = std::exchange(bit, bit << 1);
    if (candidate.required && (seen & mine) == 0) wrong.add(json_place(at, candidate.name), "is required");
  };
  (check(known), ...);
}

// Returns the integer, or nullopt if the value is not one. An unsigned integer above the range of int64 becomes the
// largest int64, which is out of range everywhere here.
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

json_value read_value(const dom::element& value, const json_place& at, violation_list& wrong);

json_object read_object(dom::object members, const json_place& at, violation_list& wrong) {
  json_object object;
  for (const auto [name, value] : members) {
    const json_place place(at, name);
    wrong.add_if(validate_name(name), place);
    object.emplace_back(std::string(std::string_view(name)), read_value(value, place, wrong));
  }
  std::sort(object.begin(), object.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  for (std::size_t i = 1; i < object.size(); ++i) {
    if (object[i].first == object[i - 1].first) wrong.add(json_place(at, object[i].first), "is given more than once");
  }
  return object;
}

json_array read_array(dom::array elements, const json_place& at, violation_list& wrong) {
  json_array array;
  for (const auto element : elements) array.push_back(read_value(element, json_place(at, array.size()), wrong));
  return array;
}

json_number read_number(const dom::element& value, const json_place& at, violation_list& wrong) {
  if (const auto integer = integer_of(value)) {
    if (*integer > limits::exact_integer_max || *integer < -limits::exact_integer_max) {
      wrong.add(at, "an integer must be from -9007199254740991 to 9007199254740991; send a larger one as a string");
    }
    return {std::to_string(*integer)};
  }
  return {canonical_text(double(value))};
}

std::string read_text(std::string_view text, const json_place& at, violation_list& wrong) {
  wrong.add_if(validate_text(text), at);
  return std::string(text);
}

json_value read_value(const dom::element& value, const json_place& at, violation_list& wrong) {
  switch (value.type()) {
    case dom::element_type::NULL_VALUE: return {nullptr};
    case dom::element_type::BOOL: return {bool(value)};
    case dom::element_type::STRING: return {read_text(value, at, wrong)};
    case dom::element_type::ARRAY: return {read_array(value, at, wrong)};
    case dom::element_type::OBJECT: return {read_object(value, at, wrong)};
    case dom::element_type::INT64:
    case dom::element_type::UINT64:
    case dom::element_type::DOUBLE: return {read_number(value, at, wrong)};
  }
  return {};
}

std::string read_checked_string(const dom::element& value, const json_place& at, violation_list& wrong,
                                validation_error (*validate)(std::string_view)) {
  const auto text = string_of(value);
  if (!text) {
    wrong.add(at, "must be a string");
    return {};
  }
  wrong.add_if(validate(*text), at);
  return std::string(*text);
}

currency_code read_currency(const dom::element& value, const json_place& at, violation_list& wrong) {
  const std::string text = read_checked_string(value, at, wrong, validate_currency);
  currency_code currency{'X', 'X', 'X'};
  if (text.size() == currency.size()) std::copy(text.begin(), text.end(), currency.begin());
  return currency;
}

std::int64_t read_checked_integer(const dom::element& value, const json_place& at, violation_list& wrong,
                                  validation_error (*validate)(std::int64_t)) {
  const auto number = integer_of(value);
  if (!number) {
    wrong.add(at, "must be an integer");
    return 0;
  }
  const auto rule = validate(*number);
  wrong.add_if(rule, at);
  return rule ? 0 : *number;
}

order_item read_item(const dom::element& value, const json_place& at, violation_list& wrong) {
  order_item item;
  dom::object members;
  if (value.get(members) != simdjson::SUCCESS) {
    wrong.add(at, "must be an object");
    return item;
  }
  read_members(members, at, wrong,
               known_member{"sku", true,
                            [&](const dom::element& sku, const json_place& place) {
                              item.sku = read_checked_string(sku, place, wrong, validate_sku);
                            }},
               known_member{"quantity", true,
                            [&](const dom::element& quantity, const json_place& place) {
                              item.quantity = static_cast<std::uint32_t>(
                                  read_checked_integer(quantity, place, wrong, validate_quantity));
                            }},
               known_member{"unit_price", true, [&](const dom::element& price, const json_place& place) {
                              const auto amount = read_checked_integer(price, place, wrong, validate_unit_price);
                              item.unit_price = money::of_minor_units(amount).value_or(money{});
                            }});
  return item;
}

std::vector<order_item> read_items(const dom::element& value, const json_place& at, violation_list& wrong) {
  std::vector<order_item> items;
  dom::array elements;
  if (value.get(elements) != simdjson::SUCCESS) {
    wrong.add(at, "must be an array");
    return items;
  }
  const std::size_t violations_before = wrong.size();
  std::size_t count = 0;
  for (const auto element : elements) {
    if (count < limits::items_max) items.push_back(read_item(element, json_place(at, count), wrong));
    ++count;
  }
  wrong.add_if(validate_item_count(count), at);
  // Invalid items have no meaningful total.
  if (wrong.size() == violations_before) wrong.add_if(validate_total(items), at);
  return items;
}

// Reads the attributes of a content, which are an object. The caller handles null in a merge patch.
std::optional<json_object> read_attributes(const dom::element& value, const json_place& at, violation_list& wrong) {
  dom::object members;
  if (value.get(members) != simdjson::SUCCESS) {
    wrong.add(at, "must be an object");
    return std::nullopt;
  }
  json_object attributes = read_object(members, at, wrong);
  wrong.add_if(validate_attributes(attributes), at);
  return attributes;
}

// The members that a write may have besides its content.
auto guid_member(write_body& body) {
  return known_member{"guid", false, [&body](const dom::element& value, const json_place&) {
                        body.guid = string_of(value).value_or("");
                      }};
}

auto version_member(std::optional<ordem::version>& version, violation_list& wrong) {
  return known_member{"version", false, [&](const dom::element& value, const json_place& place) {
                        const auto number = integer_of(value);
                        if (number && *number >= 1 && *number <= limits::exact_integer_max) {
                          version = ordem::version{static_cast<std::uint64_t>(*number)};
                        } else {
                          wrong.add(place, "must be an integer from 1 to 9007199254740991");
                        }
                      }};
}

auto on_conflict_member(write_body& body, violation_list& wrong) {
  return known_member{"on_conflict", false, [&](const dom::element& value, const json_place& place) {
                        if (string_of(value) == "merge") {
                          body.merges = true;
                        } else {
                          wrong.add(place, "must be merge");
                        }
                      }};
}

// For the member external_id with the value null. In a merge patch it removes the external id, in a content it is
// wrong.
bool removes_external_id(merge_content& patch) {
  patch.external_id = merge_content::remove_external_id{};
  return true;
}
bool removes_external_id(order_content&) {
  return false;
}

// Reads the members of a content into `sink`, which has the fields customer_id, external_id, currency and items, and
// calls `read_them` for attributes. `more` are further members that the call accepts.
template <class Sink, class Attributes, class... More>
void read_content(dom::object members, bool all_required, violation_list& wrong, Sink& sink, Attributes read_them,
                  More... more) {
  read_members(members, {}, wrong,
               known_member{"customer_id", all_required,
                            [&](const dom::element& value, const json_place& place) {
                              sink.customer_id = read_checked_string(value, place, wrong, validate_customer_id);
                            }},
               known_member{"external_id", false,
                            [&](const dom::element& value, const json_place& place) {
                              if (value.is_null() && removes_external_id(sink)) return;
                              sink.external_id = read_checked_string(value, place, wrong, validate_external_id);
                            }},
               known_member{"currency", all_required,
                            [&](const dom::element& value, const json_place& place) {
                              sink.currency = read_currency(value, place, wrong);
                            }},
               known_member{"items", all_required,
                            [&](const dom::element& value, const json_place& place) {
                              sink.items = read_items(value, place, wrong);
                            }},
               known_member{"attributes", false, read_them}, more...);
}

// Reads the complete content of a create or a replacement. `more` are further members that the call accepts.
template <class... More>
order_content read_whole_content(dom::object members, violation_list& wrong, More... more) {
  order_content content;
  read_content(
      members, true, wrong, content,
      [&](const dom::element& value, const json_place& place) {
        content.attributes = read_attributes(value, place, wrong);
      },
      more...);
  return content;
}

void read_create(dom::object members, write_body& body, violation_list& wrong) {
  body.command = create_order{read_whole_content(members, wrong, guid_member(body))};
}

void read_replace(dom::object members, write_body& body, violation_list& wrong) {
  body.command = replace_content{read_whole_content(
      members, wrong, guid_member(body), version_member(body.version, wrong), on_conflict_member(body, wrong))};
}

void read_merge(dom::object members, write_body& body, violation_list& wrong) {
  merge_content patch;
  read_content(
      members, false, wrong, patch,
      [&](const dom::element& value, const json_place& place) {
        if (value.is_null()) {
          patch.attributes = merge_content::remove_attributes{};
        } else if (auto changes = read_attributes(value, place, wrong)) {
          patch.attributes = std::move(*changes);
        }
      },
      guid_member(body), version_member(body.version, wrong), on_conflict_member(body, wrong));
  body.command = std::move(patch);
}

auto status_member(change_status& change, violation_list& wrong) {
  return known_member{"status", true, [&](const dom::element& value, const json_place& place) {
                        const auto status = parse_order_status(string_of(value).value_or(""));
                        if (status) {
                          change.to = *status;
                        } else {
                          wrong.add(place, "must be new, confirmed, shipped, delivered or cancelled");
                        }
                      }};
}

void read_change_status(dom::object members, write_body& body, violation_list& wrong) {
  change_status change;
  read_members(members, {}, wrong, status_member(change, wrong), guid_member(body),
               version_member(body.version, wrong));
  body.command = change;
}

// Parses the text in place and returns its root.
tl::expected<dom::element, malformed_json_error> parse_text(std::string_view text, simdjson::dom::parser& parser) {
  text = without_byte_order_mark(text);
  dom::element root;
  constexpr bool copy_for_padding = false;
  if (const auto error = parser.parse(text.data(), text.size(), copy_for_padding).get(root)) {
    return tl::make_unexpected(malformed_json_error{simdjson::error_message(error)});
  }
  return root;
}

void read_root(write_kind kind, const dom::element& root, write_body& read, violation_list& wrong) {
  dom::object members;
  if (root.get(members) != simdjson::SUCCESS) {
    wrong.add({}, "must be an object");
    return;
  }
  switch (kind) {
    case write_kind::create: return read_create(members, read, wrong);
    case write_kind::replace: return read_replace(members, read, wrong);
    case write_kind::merge: return read_merge(members, read, wrong);
    case write_kind::change_status: return read_change_status(members, read, wrong);
  }
}

tl::expected<write_body, malformed_json_error> read_write_text(write_kind kind, std::string_view body,
                                                               simdjson::dom::parser& parser) {
  const auto root = parse_text(body, parser);
  if (!root) return tl::make_unexpected(root.error());
  write_body read;
  violation_list wrong;
  read_root(kind, *root, read, wrong);
  read.violations = wrong.take();
  return read;
}

// The members of a line.
auto key_member(line_body& line) {
  return known_member{"idempotency_key", false, [&line](const dom::element& value, const json_place&) {
                        line.key = string_of(value).value_or("");
                      }};
}

auto order_id_member(line_body& line, violation_list& wrong) {
  return known_member{"order_id", true, [&](const dom::element& value, const json_place& place) {
                        line.order_id = string_of(value);
                        if (!line.order_id) wrong.add(place, "must be a string");
                      }};
}

// The body of the single request.
auto order_member(write_kind kind, line_body& line, violation_list& wrong) {
  return known_member{"order", true, [&, kind](const dom::element& value, const json_place&) {
                        read_root(kind, value, line.body, wrong);
                      }};
}

void read_create_line(dom::object members, line_body& line, violation_list& wrong) {
  read_members(members, {}, wrong, key_member(line), order_member(write_kind::create, line, wrong));
}

// Returns nullopt for a value that is not the name of a kind.
std::optional<write_kind> kind_named(const dom::element& op) {
  const auto name = string_of(op);
  if (name == "create") return write_kind::create;
  if (name == "replace") return write_kind::replace;
  if (name == "merge") return write_kind::merge;
  if (name == "status") return write_kind::change_status;
  return std::nullopt;
}

void read_command_line(dom::object members, line_body& line, violation_list& wrong) {
  const json_place root;
  dom::element op;
  const bool has_op = members.at_key("op").get(op) == simdjson::SUCCESS;
  const auto kind = has_op ? kind_named(op) : std::nullopt;
  if (!kind) {
    wrong.add({root, "op"}, has_op ? "must be create, replace, merge or status" : "is required");
    // The kind decides which members there may be, so of the others only the key is read, for the verdict.
    dom::element key;
    if (members.at_key("idempotency_key").get(key) == simdjson::SUCCESS) line.key = string_of(key).value_or("");
    return;
  }
  const auto read = [&](auto... more) {
    read_members(members, root, wrong, known_member{"op", true, [](const dom::element&, const json_place&) {}},
                 key_member(line), more...);
  };
  if (kind == write_kind::create) return read(order_member(*kind, line, wrong));
  if (kind == write_kind::change_status) {
    change_status change;
    read(order_id_member(line, wrong), version_member(line.version, wrong), status_member(change, wrong));
    line.body.command = change;
    return;
  }
  read(order_id_member(line, wrong), version_member(line.version, wrong), on_conflict_member(line.body, wrong),
       order_member(*kind, line, wrong));
}

tl::expected<line_body, malformed_json_error> read_line_text(line_form form, std::string_view line,
                                                             simdjson::dom::parser& parser) {
  const auto root = parse_text(line, parser);
  if (!root) return tl::make_unexpected(root.error());
  line_body read;
  violation_list wrong;
  dom::object members;
  if (root->get(members) != simdjson::SUCCESS) {
    wrong.add({}, "must be an object");
  } else if (form == line_form::create) {
    read_create_line(members, read, wrong);
  } else {
    read_command_line(members, read, wrong);
  }
  read.body.violations = wrong.take();
  return read;
}

bool has_violations(const write_body& read) {
  return !read.violations.empty();
}
bool has_violations(const line_body& read) {
  return has_violations(read.body);
}

// The first pass reports an integer written as 2.0 as a violation. Such texts are rare, so they are parsed twice.
template <class Read>
auto read_with_integers_by_value(std::string_view text, simdjson::dom::parser& parser, Read read_text) {
  auto read = read_text(text, parser);
  if (!read || !has_violations(*read)) return read;
  const auto plain = with_plain_integers(text);
  if (!plain) return read;
  const simdjson::padded_string padded(*plain);
  simdjson::dom::parser again;  // the longer text is rare, so its memory is not kept
  ORDEM_CHECK(again.allocate(padded.size(), parser.max_depth()) == simdjson::SUCCESS);
  return read_text(padded, again);
}

}  // namespace

tl::expected<write_body, malformed_json_error> read_write_body(write_kind kind, std::string_view body,
                                                               simdjson::dom::parser& parser) {
  return read_with_integers_by_value(
      body, parser, [kind](std::string_view text, auto& with) { return read_write_text(kind, text, with); });
}

tl::expected<line_body, malformed_json_error> read_line_body(line_form form, std::string_view line,
                                                             simdjson::dom::parser& parser) {
  return read_with_integers_by_value(
      line, parser, [form](std::string_view text, auto& with) { return read_line_text(form, text, with); });
}

}  // namespace ordem::codec
