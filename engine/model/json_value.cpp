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

// Returns whether a merge patch can set a member to this value where there was another one, or none.
bool is_settable(const json_value& value) {
  if (value.is_null()) return false;
  const auto* members = std::get_if<json_object>(&value.data);
  return members == nullptr ||
         std::all_of(members->begin(), members->end(), [](const auto& member) { return is_settable(member.second); });
}

// Adds what a patch says about a member that both objects have. Returns false if a patch cannot say it.
bool add_change(json_object& patch, const std::string& name, const json_value& from, const json_value& to) {
  if (from == to) return true;
  const auto* before = std::get_if<json_object>(&from.data);
  const auto* after = std::get_if<json_object>(&to.data);
  if (before == nullptr || after == nullptr) {
    if (!is_settable(to)) return false;
    patch.emplace_back(name, to);
    return true;
  }
  auto changes = merge_diff(*before, *after);
  if (!changes) return false;
  patch.emplace_back(name, json_value{std::move(*changes)});
  return true;
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

std::optional<json_object> merge_diff(const json_object& from, const json_object& to) {
  json_object patch;
  auto before = from.begin();
  for (const auto& [name, value] : to) {
    for (; before != from.end() && before->first < name; ++before) patch.emplace_back(before->first, json_value{});
    if (before != from.end() && before->first == name) {
      if (!add_change(patch, name, before->second, value)) return std::nullopt;
      ++before;
    } else if (is_settable(value)) {
      patch.emplace_back(name, value);
    } else {
      return std::nullopt;
    }
  }
  for (; before != from.end(); ++before) patch.emplace_back(before->first, json_value{});
  return patch;
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
