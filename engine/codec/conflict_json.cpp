#include "engine/codec/conflict_json.hpp"

#include <string_view>
#include <utility>

#include "engine/base/limits.hpp"
#include "engine/base/text.hpp"
#include "engine/codec/canonical_request.hpp"
#include "engine/codec/json_pieces.hpp"
#include "engine/codec/order_json.hpp"
#include "engine/model/json_value.hpp"
#include "engine/rules/three_way_merge.hpp"

namespace ordem::codec {
namespace {

// Writes the members of a patch.
class patch_writer {
 public:
  std::string& begin_member(std::string_view name) {
    text_ += std::exchange(separator_, ',');
    append_json_string(text_, name);
    text_ += ':';
    return text_;
  }
  void text_member(std::string_view name, std::string_view from, std::string_view to) {
    if (from != to) append_json_string(begin_member(name), to);
  }
  // Of a text that the JSON of an order lacks if it is empty.
  void optional_text_member(std::string_view name, std::string_view from, std::string_view to) {
    if (from == to) return;
    if (to.empty()) {
      begin_member(name) += "null";
    } else {
      append_json_string(begin_member(name), to);
    }
  }
  std::string finish() {
    if (text_.empty()) text_ += '{';
    text_ += '}';
    return std::move(text_);
  }

 private:
  std::string text_;
  char separator_ = '{';
};

// Returns false if a patch cannot say it.
bool add_attributes(patch_writer& patch, const std::optional<json_object>& from, const std::optional<json_object>& to) {
  if (from == to) return true;
  if (!to) {
    patch.begin_member("attributes") += "null";
    return true;
  }
  const auto changes = merge_diff(from.value_or(json_object{}), *to);
  if (!changes) return false;
  append_json(patch.begin_member("attributes"), *changes);
  return true;
}

void add_version(std::string& out, const std::optional<version>& which) {
  if (which) {
    append_number(out, which->number);
  } else {
    out += "null";
  }
}

// Returns [{"pointer"}, {"pointer", "sku"}, ...] with at least one of them.
std::string conflicts_text(const clashes& found) {
  std::string text;
  for (const clash& each : found) {
    std::string next = text.empty() ? "[{\"pointer\":" : ",{\"pointer\":";
    append_json_string(next, each.pointer);
    if (!each.sku.empty()) {
      next += ",\"sku\":";
      append_json_string(next, each.sku);
    }
    next += '}';
    if (!text.empty() && text.size() + next.size() > limits::changes_bytes_max) break;
    text += next;
  }
  return text + ']';
}

std::string conflicts_member(const conflict& of) {
  if (of.unmerged == nullptr || of.expected == nullptr || of.current == nullptr) return {};
  const order_content& base = of.expected->content;
  const auto merged = three_way_merge(base, of.current->content, content_after(base, *of.unmerged));
  const auto* found = std::get_if<clashes>(&merged);
  return found != nullptr ? ",\"conflicts\":" + conflicts_text(*found) : "";
}

}  // namespace

std::optional<std::string> changes_between(const order& from, const order& to) {
  patch_writer patch;
  const order_content& before = from.content;
  const order_content& after = to.content;
  if (from.version != to.version) append_number(patch.begin_member("version"), to.version.number);
  patch.text_member("status", to_string(from.status), to_string(to.status));
  patch.text_member("customer_id", before.customer_id, after.customer_id);
  patch.optional_text_member("external_id", before.external_id.value_or(std::string()),
                             after.external_id.value_or(std::string()));
  patch.text_member("currency", text_of(before.currency), text_of(after.currency));
  if (before.items != after.items) append_items(patch.begin_member("items"), after.items);
  if (from.total != to.total) append_number(patch.begin_member("total"), to.total.minor_units());
  if (!add_attributes(patch, before.attributes, after.attributes)) return std::nullopt;
  if (from.updated_at != to.updated_at) append_time(patch.begin_member("updated_at"), to.updated_at);
  if (from.merged_from != to.merged_from) add_version(patch.begin_member("merged_from"), to.merged_from);
  patch.optional_text_member("actor", from.origin.actor, to.origin.actor);
  std::string text = patch.finish();
  if (text.size() > limits::changes_bytes_max) return std::nullopt;
  return text;
}

std::string conflict_members(const outcome& stale, const conflict& of) {
  if (of.expected != nullptr && of.current != nullptr) {
    if (const auto changes = changes_between(*of.expected, *of.current)) {
      return ",\"changes\":" + *changes + conflicts_member(of);
    }
  }
  return ",\"versions\":\"" + order_path(stale.order) + "/versions\"" + conflicts_member(of);
}

}  // namespace ordem::codec
