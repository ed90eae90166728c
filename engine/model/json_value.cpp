#include "engine/model/json_value.hpp"

#include <algorithm>

namespace ordem {
namespace {

auto find_member(json_object& object, std::string_view name) {
  return std::lower_bound(object.begin(), object.end(), name,
                          [](const auto& member, std::string_view sought) { return member.first < sought; });
}

json_value merged_value(json_value target, const json_value& patch) {
  const auto* changes = std::get_if<json_object>(&patch.data);
  if (changes == nullptr) return patch;
  auto* object = std::get_if<json_object>(&target.data);
  return {merge_patch(object != nullptr ? std::move(*object) : json_object{}, *changes)};
}

void append_escaped(std::string& out, unsigned char c) {
  switch (c) {
    case '"': out += "\\\""; return;
    case '\\': out += "\\\\"; return;
    case '\b': out += "\\b"; return;
    case '\f': out += "\\f"; return;
    case '\n': out += "\\n"; return;
    case '\r': out += "\\r"; return;
    case '\t': out += "\\t"; return;
    default: break;
  }
  constexpr std::string_view digits = "0123456789abcdef";
  out += "\\u00";
  out += digits[c >> 4];
  out += digits[c & 15];
}

struct text_writer {
  std::string& out;

  void operator()(std::nullptr_t) const { out += "null"; }
  void operator()(bool value) const { out += value ? "true" : "false"; }
  void operator()(const json_number& number) const { out += number.text; }
  void operator()(const std::string& text) const { append_json_string(out, text); }
  void operator()(const json_array& array) const {
    out += '[';
    for (std::size_t i = 0; i < array.size(); ++i) {
      if (i != 0) out += ',';
      append_json(out, array[i]);
    }
    out += ']';
  }
  void operator()(const json_object& object) const { append_json(out, object); }
};

}  // namespace

json_object merge_patch(json_object target, const json_object& patch) {
  for (const auto& [name, change] : patch) {
    const auto at = find_member(target, name);
    const bool exists = at != target.end() && at->first == name;
    if (change.is_null()) {
      if (exists) target.erase(at);
    } else if (exists) {
      at->second = merged_value(std::move(at->second), change);
    } else {
      target.insert(at, {name, merged_value({}, change)});
    }
  }
  return target;
}

void append_json(std::string& out, const json_value& value) {
  std::visit(text_writer{out}, value.data);
}

void append_json(std::string& out, const json_object& object) {
  out += '{';
  for (std::size_t i = 0; i < object.size(); ++i) {
    if (i != 0) out += ',';
    append_json_string(out, object[i].first);
    out += ':';
    append_json(out, object[i].second);
  }
  out += '}';
}

void append_json_string(std::string& out, std::string_view text) {
  const auto needs_escape = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\'; };
  out += '"';
  for (auto rest = text.begin();;) {
    const auto special = std::find_if(rest, text.end(), needs_escape);
    out.append(rest, special);
    if (special == text.end()) break;
    append_escaped(out, static_cast<unsigned char>(*special));
    rest = special + 1;
  }
  out += '"';
}

}  // namespace ordem
