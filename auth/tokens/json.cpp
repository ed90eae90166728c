#include "auth/tokens/json.hpp"

#include <algorithm>
#include <vector>

namespace ordem::auth {

std::optional<simdjson::dom::object> parse_object(simdjson::dom::parser& parser, std::string_view text) {
  simdjson::dom::object object;
  if (parser.parse(text.data(), text.size()).get(object) != simdjson::SUCCESS) return std::nullopt;
  if (has_member_twice(object)) return std::nullopt;
  return object;
}

bool has_member_twice(simdjson::dom::object object) {
  std::vector<std::string_view> names;
  for (const auto field : object) names.push_back(field.key);
  std::sort(names.begin(), names.end());
  return std::adjacent_find(names.begin(), names.end()) != names.end();
}

member<std::string_view> string_member(simdjson::dom::object object, std::string_view name) {
  simdjson::dom::element element;
  if (object.at_key(name).get(element) != simdjson::SUCCESS) return {};
  std::string_view text;
  if (element.get(text) != simdjson::SUCCESS) return {true, std::nullopt};
  return {false, text};
}

}  // namespace ordem::auth
