#include "engine/rules/three_way_merge.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <ostream>
#include <set>
#include <string>
#include <utility>

#include "engine/base/limits.hpp"
#include "tests/engine/orders.hpp"
#include "tests/support_cpp/random_orders.hpp"
#include "tests/support_cpp/seed.hpp"

namespace ordem {

inline std::ostream& operator<<(std::ostream& out, const clash& what) {
  return out << what.pointer << " " << what.sku;
}

namespace {

using namespace testing;

order_item item(std::string sku, std::uint32_t quantity = 1) {
  return {std::move(sku), quantity, cents(100)};
}

order_content with_items(std::vector<order_item> items) {
  order_content content = contract_content();
  content.items = std::move(items);
  return content;
}

order_content with_attributes(std::optional<json_object> attributes) {
  order_content content = contract_content();
  content.attributes = std::move(attributes);
  return content;
}

order_content merged(const order_content& base, const order_content& current, const order_content& wanted) {
  auto result = three_way_merge(base, current, wanted);
  REQUIRE(std::holds_alternative<order_content>(result));
  return std::get<order_content>(std::move(result));
}

clashes clashes_of(const order_content& base, const order_content& current, const order_content& wanted) {
  auto result = three_way_merge(base, current, wanted);
  REQUIRE(std::holds_alternative<clashes>(result));
  return std::get<clashes>(std::move(result));
}

TEST_CASE("an update of fields that have not changed is merged, and one that changes nothing keeps all") {
  const order_content base = contract_content();
  order_content current = base;
  current.currency = {'U', 'S', 'D'};
  order_content wanted = base;
  wanted.customer_id = "c-2";
  order_content both = current;
  both.customer_id = "c-2";
  CHECK(merged(base, current, wanted) == both);
  CHECK(merged(base, wanted, current) == both);
  CHECK(merged(base, current, base) == current);
  CHECK(merged(base, base, wanted) == wanted);
}

TEST_CASE("a field that both changed clashes, even if they agree") {
  const order_content base = contract_content();
  order_content current = base;
  current.currency = {'U', 'S', 'D'};
  current.customer_id = "c-2";
  order_content wanted = current;
  CHECK(clashes_of(base, current, wanted) == clashes{{"/customer_id"}, {"/currency"}});
  wanted.currency = base.currency;
  CHECK(clashes_of(base, current, wanted) == clashes{{"/customer_id"}});
}

TEST_CASE("items are merged by sku: changed, removed and added ones") {
  const auto base = with_items({item("a"), item("b"), item("c"), item("d")});
  const auto current = with_items({item("a", 2), item("c"), item("d"), item("x")});  // a changed, b gone, x new
  const auto wanted = with_items({item("y"), item("a"), item("b"), item("c", 3), item("z"), item("d")});  // c changed
  CHECK(merged(base, current, wanted).items ==
        std::vector{item("y"), item("a", 2), item("c", 3), item("z"), item("d"), item("x")});
  const auto without_d = with_items({item("a"), item("b"), item("c")});
  CHECK(merged(base, current, without_d).items == std::vector{item("a", 2), item("c"), item("x")});
}

TEST_CASE("an item that both changed, removed or added clashes") {
  const auto base = with_items({item("a"), item("b"), item("c")});
  const auto current = with_items({item("a", 2), item("c"), item("n")});
  CHECK(clashes_of(base, current, with_items({item("a", 3), item("b"), item("c")})) == clashes{{"/items", "a"}});
  CHECK(clashes_of(base, current, with_items({item("b"), item("c")})) == clashes{{"/items", "a"}});
  CHECK(clashes_of(base, current, with_items({item("a"), item("b", 2), item("c")})) == clashes{{"/items", "b"}});
  CHECK(clashes_of(base, current, with_items({item("a"), item("c"), item("n")})) ==
        clashes{{"/items", "b"}, {"/items", "n"}});
}

TEST_CASE("items that no sku tells apart, or that change places, are one field") {
  const auto twice = with_items({item("a"), item("a", 2)});
  const auto once = with_items({item("a"), item("a", 3)});
  CHECK(clashes_of(twice, once, with_items({item("a"), item("a", 2), item("b")})) == clashes{{"/items"}});
  CHECK(merged(twice, once, twice).items == once.items);

  const auto base = with_items({item("a"), item("b")});
  const auto turned = with_items({item("b"), item("a")});
  const auto longer = with_items({item("a"), item("b"), item("c")});
  CHECK(clashes_of(base, turned, longer) == clashes{{"/items"}});
  CHECK(clashes_of(base, longer, turned) == clashes{{"/items"}});
  CHECK(merged(base, base, turned).items == turned.items);
}

TEST_CASE("attributes are merged member by member, at any depth of objects") {
  const auto base = with_attributes(
      json_object{{"a", number("1")}, {"b", object({{"c", number("1")}, {"d", array({number("1")})}})}, {"e", null()}});
  const auto current = with_attributes(json_object{
      {"a", number("1")}, {"b", object({{"c", number("2")}, {"d", array({number("1")})}})}, {"n", text("x")}});
  const auto wanted = with_attributes(
      json_object{{"b", object({{"c", number("1")}, {"d", array({number("2")})}, {"m", null()}})}, {"e", null()}});
  CHECK(merged(base, current, wanted).attributes ==
        json_object{{"b", object({{"c", number("2")}, {"d", array({number("2")})}, {"m", null()}})}, {"n", text("x")}});
}

TEST_CASE("attributes that both gave an order without any are merged; removing all clashes with a change") {
  const auto none = with_attributes(std::nullopt);
  const auto a = with_attributes(json_object{{"a", number("1")}});
  const auto b = with_attributes(json_object{{"b", number("1")}});
  CHECK(merged(none, a, b).attributes == json_object{{"a", number("1")}, {"b", number("1")}});
  CHECK(clashes_of(none, a, a) == clashes{{"/attributes/a"}});
  CHECK(clashes_of(a, b, none) == clashes{{"/attributes"}});
  CHECK(merged(a, none, a).attributes == std::nullopt);
}

TEST_CASE("clashes of attributes are named by JSON Pointers") {
  const auto base =
      with_attributes(json_object{{"a/b~c", object({{"x", number("1")}, {"y", number("1")}})}, {"gone", null()}});
  const auto current = with_attributes(json_object{{"a/b~c", object({{"x", number("2")}, {"y", number("1")}})}});
  const auto wanted = with_attributes(json_object{{"a/b~c", object({{"x", number("3")}, {"y", number("2")}})}});
  CHECK(clashes_of(base, current, wanted) == clashes{{"/attributes/a~1b~0c/x"}, {"/attributes/gone"}});
}

TEST_CASE("clashes and their pointers are bounded") {
  json_object before;
  json_object now;
  json_object then;
  for (std::size_t i = 0; i < 2 * limits::clashes_max; ++i) {
    const std::string name = "m" + std::to_string(1000 + i);
    before.emplace_back(name, number("1"));
    now.emplace_back(name, number("2"));
    then.emplace_back(name, number("3"));
  }
  CHECK(clashes_of(with_attributes(before), with_attributes(now), with_attributes(then)).size() == limits::clashes_max);

  const std::string prefix = "/attributes/";
  const std::string longest(limits::clash_pointer_bytes_max - prefix.size(), 'n');
  for (const auto& [name, pointer] :
       {std::pair{longest, prefix + longest}, {longest + 'n', std::string("/attributes")}}) {
    const auto of = [&, &member = name](const char* digit) {
      return with_attributes(json_object{{member, number(digit)}});
    };
    CHECK(clashes_of(of("1"), of("2"), of("3")) == clashes{{pointer}});
  }
}

TEST_CASE("what a patch gives the value that it has is no change") {
  const order_content base = contract_content();
  merge_content patch;
  patch.currency = base.currency;
  patch.attributes = json_object{{"channel", text("web")}};
  CHECK(content_after(base, patch) == base);
  CHECK(content_after(base, replace_content{base}) == base);
}

// --- what holds for any three contents ---

// Contents with few values, so that they often agree. Each sku stands once, in the order of the alphabet.
class close_contents final : public random_orders {
 public:
  explicit close_contents(std::uint64_t seed) : random_orders(seed, {1, 4, 3, 2, 3}) {}

  order_content next() {
    order_content made = content();
    made.external_id.reset();
    if (chance()) made.external_id = "PO-" + std::to_string(below(2));
    std::sort(made.items.begin(), made.items.end(), [](const auto& a, const auto& b) { return a.sku < b.sku; });
    made.items.erase(
        std::unique(made.items.begin(), made.items.end(), [](const auto& a, const auto& b) { return a.sku == b.sku; }),
        made.items.end());
    return made;
  }
  // Changes some fields.
  order_content changed(const order_content& from) {
    order_content to = next();
    if (chance()) to.customer_id = from.customer_id;
    if (chance()) to.currency = from.currency;
    if (chance()) to.external_id = from.external_id;
    if (one_in(3)) to.items = from.items;
    if (one_in(3)) to.attributes = from.attributes;
    return to;
  }

  std::string customer() override { return "c-" + std::to_string(below(3)); }
  currency_code currency() override { return chance() ? currency_code{'E', 'U', 'R'} : currency_code{'U', 'S', 'D'}; }

 private:
  order_item item() override {
    return {std::string(1, static_cast<char>('a' + below(5))), static_cast<std::uint32_t>(1 + below(2)), cents(1)};
  }
  std::string member_name() override { return std::string(1, static_cast<char>('a' + below(4))); }
  std::string text_value() override { return "t"; }
  json_number number_value() override { return {std::to_string(below(2))}; }
};

order_content with_sorted_items(order_content content) {
  std::sort(content.items.begin(), content.items.end(), [](const auto& a, const auto& b) { return a.sku < b.sku; });
  return content;
}

// Adds the fields that differ, as pointers and skus: written once more, without the merge. An object that is added
// counts as its members, and as a name that ends in a slash if it has none.
void add_changes(std::set<std::string>& to, const std::string& pointer, const json_value* a, const json_value* b) {
  if (a == nullptr && b == nullptr) return;
  if (a != nullptr && b != nullptr && *a == *b) return;
  static const json_object nothing;
  const auto* before = a == nullptr ? &nothing : std::get_if<json_object>(&a->data);
  const auto* after = b == nullptr ? nullptr : std::get_if<json_object>(&b->data);
  if (before == nullptr || after == nullptr) {
    to.insert(pointer);
    return;
  }
  if (a == nullptr && after->empty()) to.insert(pointer + "/");
  std::set<std::string> names;
  for (const auto* each : {before, after}) {
    for (const auto& [name, value] : *each) names.insert(name);
  }
  for (const std::string& name : names) {
    const auto find_in = [&](const json_object& object) -> const json_value* {
      const auto at =
          std::find_if(object.begin(), object.end(), [&](const auto& member) { return member.first == name; });
      return at == object.end() ? nullptr : &at->second;
    };
    add_changes(to, pointer + "/" + name, find_in(*before), find_in(*after));
  }
}

std::set<std::string> changes_of(const order_content& from, const order_content& to) {
  std::set<std::string> changed;
  if (from.customer_id != to.customer_id) changed.insert("/customer_id");
  if (from.external_id != to.external_id) changed.insert("/external_id");
  if (from.currency != to.currency) changed.insert("/currency");
  for (const auto* each : {&from.items, &to.items}) {
    for (const order_item& one : *each) {
      const auto& other = each == &from.items ? to.items : from.items;
      if (std::find(other.begin(), other.end(), one) == other.end()) changed.insert("/items/" + one.sku);
    }
  }
  const json_value before{from.attributes.value_or(json_object{})};
  const json_value after{to.attributes.value_or(json_object{})};
  add_changes(changed, "/attributes", from.attributes ? &before : nullptr, to.attributes ? &after : nullptr);
  return changed;
}

bool is_within(const std::string& inner, const std::string& outer) {
  return inner == outer || inner.starts_with(outer + "/");
}

// Two that add an empty object in the same place do not overlap.
bool overlap(const std::set<std::string>& a, const std::set<std::string>& b) {
  return std::any_of(a.begin(), a.end(), [&](const std::string& one) {
    return std::any_of(b.begin(), b.end(), [&](const std::string& other) {
      if (one == other && one.ends_with('/')) return false;
      return is_within(one, other) || is_within(other, one);
    });
  });
}

std::set<std::string> without_empty_objects(std::set<std::string> changes) {
  std::erase_if(changes, [](const std::string& each) { return each.ends_with('/'); });
  return changes;
}

TEST_CASE("disjoint updates commute and are as if one had been made after the other; overlapping ones clash") {
  const std::uint64_t seed = seed_of_run();
  INFO("ORDEM_SEED=" << seed);
  close_contents random(seed);
  std::size_t disjoint = 0;
  std::size_t overlapping = 0;
  for (int i = 0; i < 20'000; ++i) {
    const order_content base = random.next();
    const order_content one = random.changed(base);
    const order_content other = random.changed(base);
    const auto result = three_way_merge(base, one, other);
    const auto turned = three_way_merge(base, other, one);
    REQUIRE(result.index() == turned.index());
    const auto of_one = changes_of(base, one);
    const auto of_other = changes_of(base, other);
    if (const auto* clashing = std::get_if<clashes>(&result)) {
      ++overlapping;
      CHECK(overlap(of_one, of_other));
      CHECK(*clashing == std::get<clashes>(turned));
      for (const clash& each : *clashing) {
        const std::string field = each.pointer + (each.sku.empty() ? "" : "/" + each.sku);
        CHECK((overlap({field}, of_one) && overlap({field}, of_other)));
      }
      continue;
    }
    ++disjoint;
    const auto& merged = std::get<order_content>(result);
    CHECK_FALSE(overlap(of_one, of_other));
    CHECK(with_sorted_items(merged) == with_sorted_items(std::get<order_content>(turned)));
    // One after the other: what the second update changes, and no more, is applied to what the first one left.
    auto all = of_one;
    all.insert(of_other.begin(), of_other.end());
    CHECK(without_empty_objects(changes_of(base, merged)) == without_empty_objects(all));
    CHECK(without_empty_objects(changes_of(one, merged)) == without_empty_objects(of_other));
    CHECK(without_empty_objects(changes_of(other, merged)) == without_empty_objects(of_one));
  }
  CHECK(disjoint > 500);
  CHECK(overlapping > 500);
}

}  // namespace
}  // namespace ordem
