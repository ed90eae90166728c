// JSON values (the attributes of orders), their compact text, and merge patches.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace ordem {

struct json_value;

// A number as canonical text: one text for each value, with all digits of an exact integer.
struct json_number {
  std::string text;
  friend bool operator==(const json_number&, const json_number&) = default;
};

using json_array = std::vector<json_value>;

// Members in ascending byte order of their names, without duplicates, so equal objects compare equal.
using json_object = std::vector<std::pair<std::string, json_value>>;

struct json_value {
  // The order of the alternatives is part of the record format (storage/records/): do not renumber.
  std::variant<std::nullptr_t, bool, json_number, std::string, json_array, json_object> data = nullptr;

  bool is_null() const noexcept { return std::holds_alternative<std::nullptr_t>(data); }
  friend bool operator==(const json_value&, const json_value&) = default;
};

// Applies a JSON Merge Patch (RFC 7396): null removes a member, an object is merged, any other value replaces.
json_object merge_patch(json_object target, const json_object& patch);

// Returns the merge patch that turns `from` into `to`, or nullopt if there is none: a patch cannot set a member to
// null, which is how it removes one. merge_patch(from, *merge_diff(from, to)) == to.
std::optional<json_object> merge_diff(const json_object& from, const json_object& to);

// Append compact JSON text in UTF-8, with the escapes that RFC 8259, section 7, requires and no others.
void append_json(std::string& out, const json_value& value);
void append_json(std::string& out, const json_object& object);
void append_json_string(std::string& out, std::string_view text);

}  // namespace ordem
