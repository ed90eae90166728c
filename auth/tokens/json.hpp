// Reads the JSON of tokens and key sets. Pure functions; a parser belongs to one thread.
#pragma once

#include <simdjson.h>

#include <optional>
#include <string>
#include <string_view>

namespace ordem::auth {

// Parses an object. Returns nullopt for anything else, and for an object that has a member twice (RFC 7515, section 4;
// RFC 7519, section 4: readers differ in which one they take). The object lives until the parser is used again.
std::optional<simdjson::dom::object> parse_object(simdjson::dom::parser& parser, std::string_view text);

// Returns whether two members have the same name.
bool has_member_twice(simdjson::dom::object object);

// A member that may be missing, but not have another type.
template <class Value>
struct member {
  bool is_wrong = false;  // it is there and has another type
  std::optional<Value> value;
};
member<std::string_view> string_member(simdjson::dom::object object, std::string_view name);

}  // namespace ordem::auth
