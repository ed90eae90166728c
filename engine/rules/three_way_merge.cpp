#include "engine/rules/three_way_merge.hpp"

#include <algorithm>
#include <initializer_list>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

#include "engine/base/limits.hpp"

namespace ordem {
namespace {

class clash_list {
 public:
  void add(std::string pointer, std::string_view sku = {}) {
    if (found_.size() == limits::clashes_max) return;
    clash made{std::move(pointer), std::string(sku)};
    if (found_.empty() || found_.back() != made) found_.push_back(std::move(made));
  }
  bool empty() const noexcept { return found_.empty(); }
  bool full() const noexcept { return found_.size() == limits::clashes_max; }
  clashes take() { return std::move(found_); }

 private:
  clashes found_;
};

// Returns the pointer of a member, or that of the object if it would be too long.
std::string member_pointer(const std::string& object, std::string_view name) {
  std::string pointer = object + '/';
  for (const char c : name) {
    if (pointer.size() > limits::clash_pointer_bytes_max) break;
    if (c == '~') {
      pointer += "~0";
    } else if (c == '/') {
      pointer += "~1";
    } else {
      pointer += c;
    }
  }
  return pointer.size() <= limits::clash_pointer_bytes_max ? pointer : object;
}

// Merges a field as a whole.
template <class Value>
Value merge_field(const char* pointer, const Value& base, const Value& current, const Value& wanted,
                  clash_list& wrong) {
  if (wanted == base) return current;
  if (current != base) wrong.add(pointer);
  return wanted;
}

// --- attributes ---

const json_value* find(const json_object& object, std::string_view name) {
  const auto at = std::lower_bound(object.begin(), object.end(), name,
                                   [](const auto& member, std::string_view sought) { return member.first < sought; });
  return at != object.end() && at->first == name ? &at->second : nullptr;
}

bool same(const json_value* a, const json_value* b) {
  return a == nullptr || b == nullptr ? a == b : *a == *b;
}

const json_object* as_object(const json_value* value) {
  return value != nullptr ? std::get_if<json_object>(&value->data) : nullptr;
}

json_object merge_objects(const std::string& pointer, const json_object& base, const json_object& current,
                          const json_object& wanted, clash_list& wrong);

// Null stands for a member that is missing.
std::optional<json_value> merge_values(const std::string& pointer, const json_value* base, const json_value* current,
                                       const json_value* wanted, clash_list& wrong) {
  const auto copy = [](const json_value* of) { return of != nullptr ? std::optional(*of) : std::nullopt; };
  if (same(wanted, base)) return copy(current);
  if (same(current, base)) return copy(wanted);
  const auto* current_object = as_object(current);
  const auto* wanted_object = as_object(wanted);
  const auto* base_object = as_object(base);
  if (current_object == nullptr || wanted_object == nullptr || (base != nullptr && base_object == nullptr)) {
    wrong.add(pointer);
    return copy(current);
  }
  // Two objects that were added are merged as if they had been added to an empty one.
  static const json_object nothing;
  return json_value{
      merge_objects(pointer, base_object != nullptr ? *base_object : nothing, *current_object, *wanted_object, wrong)};
}

// Returns the names of all members, each once, in ascending order.
std::vector<std::string_view> names_of(std::initializer_list<const json_object*> objects) {
  std::vector<std::string_view> names;
  for (const json_object* each : objects) {
    for (const auto& [name, value] : *each) names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

json_object merge_objects(const std::string& pointer, const json_object& base, const json_object& current,
                          const json_object& wanted, clash_list& wrong) {
  json_object merged;
  for (const std::string_view name : names_of({&base, &current, &wanted})) {
    if (wrong.full()) break;
    auto value =
        merge_values(member_pointer(pointer, name), find(base, name), find(current, name), find(wanted, name), wrong);
    if (value) merged.emplace_back(name, std::move(*value));
  }
  return merged;
}

std::optional<json_object> merge_attributes(const order_content& base, const order_content& current,
                                            const order_content& wanted, clash_list& wrong) {
  const auto value_of = [](const order_content& content) {
    return content.attributes ? std::optional(json_value{*content.attributes}) : std::nullopt;
  };
  const auto pointer_to = [](const std::optional<json_value>& value) { return value ? &*value : nullptr; };
  const auto from = value_of(base);
  const auto now = value_of(current);
  const auto then = value_of(wanted);
  auto merged = merge_values("/attributes", pointer_to(from), pointer_to(now), pointer_to(then), wrong);
  if (!merged) return std::nullopt;
  return std::move(std::get<json_object>(merged->data));
}

// --- items ---

using items_by_sku = std::map<std::string_view, const order_item*>;

// Returns nullopt if two items have the same sku.
std::optional<items_by_sku> by_sku(const std::vector<order_item>& items) {
  items_by_sku found;
  for (const order_item& each : items) {
    if (!found.emplace(each.sku, &each).second) return std::nullopt;
  }
  return found;
}

const order_item* find(const items_by_sku& items, std::string_view sku) {
  const auto at = items.find(sku);
  return at != items.end() ? at->second : nullptr;
}

bool same(const order_item* a, const order_item* b) {
  return a == nullptr || b == nullptr ? a == b : *a == *b;
}

// Returns whether the items that both have stand in the same order.
bool keeps_order(const std::vector<order_item>& one, const items_by_sku& one_by_sku,
                 const std::vector<order_item>& other, const items_by_sku& other_by_sku) {
  auto of_other = other.begin();
  for (const order_item& each : one) {
    if (find(other_by_sku, each.sku) == nullptr) continue;
    while (find(one_by_sku, of_other->sku) == nullptr) ++of_other;
    if (of_other->sku != each.sku) return false;
    ++of_other;
  }
  return true;
}

struct item_versions {
  items_by_sku base;
  items_by_sku current;
  items_by_sku wanted;
};

void find_item_clashes(const std::vector<order_item>& of, const item_versions& items, bool only_added,
                       clash_list& wrong) {
  for (const order_item& each : of) {
    const auto* before = find(items.base, each.sku);
    if (only_added && before != nullptr) continue;
    if (same(before, find(items.current, each.sku)) || same(before, find(items.wanted, each.sku))) continue;
    wrong.add("/items", each.sku);
  }
}

// Adds the items that `wanted` has and `base` lacks, each behind the one that it follows.
void insert_added(std::vector<order_item>& into, const std::vector<order_item>& wanted, const items_by_sku& base) {
  std::size_t place = 0;  // behind the last item of `wanted` that `into` has
  for (const order_item& each : wanted) {
    const auto there =
        std::find_if(into.begin(), into.end(), [&](const order_item& item) { return item.sku == each.sku; });
    if (there != into.end()) {
      place = static_cast<std::size_t>(there - into.begin()) + 1;
    } else if (find(base, each.sku) == nullptr) {
      into.insert(into.begin() + static_cast<std::ptrdiff_t>(place), each);
      ++place;
    }
  }
}

std::vector<order_item> merge_items(const std::vector<order_item>& base, const std::vector<order_item>& current,
                                    const std::vector<order_item>& wanted, clash_list& wrong) {
  if (wanted == base) return current;
  if (current == base) return wanted;
  auto of_base = by_sku(base);
  auto of_current = by_sku(current);
  auto of_wanted = by_sku(wanted);
  if (!of_base || !of_current || !of_wanted || !keeps_order(base, *of_base, current, *of_current) ||
      !keeps_order(base, *of_base, wanted, *of_wanted)) {
    wrong.add("/items");
    return current;
  }
  const item_versions items{std::move(*of_base), std::move(*of_current), std::move(*of_wanted)};
  find_item_clashes(base, items, false, wrong);
  find_item_clashes(current, items, true, wrong);
  if (!wrong.empty()) return current;

  std::vector<order_item> merged;
  for (const order_item& each : current) {
    const auto* before = find(items.base, each.sku);
    const auto* then = find(items.wanted, each.sku);
    if (same(before, then)) {
      merged.push_back(each);
    } else if (then != nullptr) {
      merged.push_back(*then);
    }
  }
  insert_added(merged, wanted, items.base);
  return merged;
}

order_content patched(order_content content, const merge_content& patch) {
  if (patch.customer_id) content.customer_id = *patch.customer_id;
  if (patch.currency) content.currency = *patch.currency;
  if (patch.items) content.items = *patch.items;
  if (std::holds_alternative<merge_content::remove_external_id>(patch.external_id)) {
    content.external_id.reset();
  } else if (const auto* external_id = std::get_if<std::string>(&patch.external_id)) {
    content.external_id = *external_id;
  }
  if (std::holds_alternative<merge_content::remove_attributes>(patch.attributes)) {
    content.attributes.reset();
  } else if (const auto* changes = std::get_if<json_object>(&patch.attributes)) {
    content.attributes = merge_patch(std::move(content.attributes).value_or(json_object{}), *changes);
  }
  return content;
}

}  // namespace

order_content content_after(const order_content& before, const command& what) {
  if (const auto* replace = std::get_if<replace_content>(&what)) return replace->content;
  return patched(before, std::get<merge_content>(what));
}

std::variant<order_content, clashes> three_way_merge(const order_content& base, const order_content& current,
                                                     const order_content& wanted) {
  clash_list wrong;
  order_content merged;
  merged.customer_id = merge_field("/customer_id", base.customer_id, current.customer_id, wanted.customer_id, wrong);
  merged.external_id = merge_field("/external_id", base.external_id, current.external_id, wanted.external_id, wrong);
  merged.currency = merge_field("/currency", base.currency, current.currency, wanted.currency, wrong);
  merged.items = merge_items(base.items, current.items, wanted.items, wrong);
  merged.attributes = merge_attributes(base, current, wanted, wrong);
  if (!wrong.empty()) return wrong.take();
  return merged;
}

}  // namespace ordem
