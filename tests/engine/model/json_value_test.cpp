#include "engine/model/json_value.hpp"

#include <catch2/catch.hpp>
#include <cstdint>
#include <string>

#include "tests/engine/orders.hpp"
#include "tests/support_cpp/random_orders.hpp"
#include "tests/support_cpp/seed.hpp"

namespace ordem {
namespace {

using namespace testing;

struct patch_case {
  json_object target;
  json_object patch;
  json_object result;
};

void check(const patch_case& each) {
  CAPTURE(json_of({each.target}), json_of({each.patch}), json_of({each.result}));
  const auto patched = merge_patch(each.target, each.patch);
  CAPTURE(json_of({patched}));
  CHECK(patched == each.result);
}

TEST_CASE("a merge patch does as the examples of RFC 7396, appendix A, that are objects") {
  const patch_case examples[] = {
      {{{"a", text("b")}}, {{"a", text("c")}}, {{"a", text("c")}}},
      {{{"a", text("b")}}, {{"b", text("c")}}, {{"a", text("b")}, {"b", text("c")}}},
      {{{"a", text("b")}}, {{"a", null()}}, {}},
      {{{"a", text("b")}, {"b", text("c")}}, {{"a", null()}}, {{"b", text("c")}}},
      {{{"a", array({text("b")})}}, {{"a", text("c")}}, {{"a", text("c")}}},
      {{{"a", text("c")}}, {{"a", array({text("b")})}}, {{"a", array({text("b")})}}},
      {{{"a", object({{"b", text("c")}})}},
       {{"a", object({{"b", text("d")}, {"c", null()}})}},
       {{"a", object({{"b", text("d")}})}}},
      {{{"a", array({object({{"b", text("c")}})})}}, {{"a", array({number("1")})}}, {{"a", array({number("1")})}}},
      {{{"e", null()}}, {{"a", number("1")}}, {{"a", number("1")}, {"e", null()}}},
      {{}, {{"a", object({{"bb", object({{"ccc", null()}})}})}}, {{"a", object({{"bb", object({})}})}}},
  };
  for (const auto& example : examples) check(example);
}

// The examples of RFC 7396 whose target is no object, one level down.
TEST_CASE("a merge patch replaces what is no object by the patch without its nulls") {
  for (const json_value& target :
       {array({number("1"), number("2")}), text("foo"), number("7"), null(), json_value{true}}) {
    check({{{"x", target}}, {{"x", object({{"a", text("b")}, {"c", null()}})}}, {{"x", object({{"a", text("b")}})}}});
  }
}

TEST_CASE("a merge patch of nothing changes nothing, and removing what is not there is nothing") {
  const json_object target{{"a", number("1")}, {"b", object({{"c", null()}})}};
  check({target, {}, target});
  check({target, {{"z", null()}}, target});
  check({target, {{"b", object({})}}, target});
}

TEST_CASE("a merge patch keeps nulls inside arrays") {
  check({{}, {{"a", array({null(), object({{"b", null()}})})}}, {{"a", array({null(), object({{"b", null()}})})}}});
}

TEST_CASE("a merge patch keeps the members in ascending order of their names") {
  check({{{"b", number("2")}, {"d", number("4")}},
         {{"a", number("1")}, {"b", null()}, {"c", number("3")}, {"e", number("5")}},
         {{"a", number("1")}, {"c", number("3")}, {"d", number("4")}, {"e", number("5")}}});
}

TEST_CASE("a value is written as compact JSON") {
  struct row {
    json_value value;
    std::string_view expected;
  };
  const row rows[] = {
      {null(), "null"},
      {{true}, "true"},
      {{false}, "false"},
      {number("-12.5e-7"), "-12.5e-7"},
      {text(""), R"("")"},
      {array({}), "[]"},
      {object({}), "{}"},
      {array({null(), array({text("a")}), object({{"", number("0")}})}), R"([null,["a"],{"":0}])"},
      {object({{"a", text("b")}, {"c\"", object({{"d", array({{true}, {false}})}})}}),
       R"({"a":"b","c\"":{"d":[true,false]}})"},
  };
  for (const auto& [value, expected] : rows) CHECK(json_of(value) == expected);
}

TEST_CASE("text is escaped as far as RFC 8259 demands and no further") {
  struct row {
    std::string_view text;
    std::string_view expected;
  };
  const row rows[] = {
      {"", R"("")"},
      {"plain text / with slash", R"("plain text / with slash")"},
      {R"(")", R"("\"")"},
      {R"(\)", R"("\\")"},
      {R"("\")", R"("\"\\\"")"},
      {"\b\f\n\r\t", R"("\b\f\n\r\t")"},
      {std::string_view("\0", 1), R"("\u0000")"},
      {"\x01\x0b\x1f", R"("\u0001\u000b\u001f")"},
      {"\x20\x7f", "\"\x20\x7f\""},
      {"a\nb", R"("a\nb")"},
      {"\na", R"("\na")"},
      {"a\n", R"("a\n")"},
      {"\xC3\xA4 \xE2\x82\xAC \xF0\x9F\x98\x80", "\"\xC3\xA4 \xE2\x82\xAC \xF0\x9F\x98\x80\""},
      {"\xE2\x80\xA8</script>", "\"\xE2\x80\xA8</script>\""},
  };
  for (const auto& [plain, expected] : rows) {
    CAPTURE(expected);
    std::string out = "x";
    append_json_string(out, plain);
    CHECK(out == "x" + std::string(expected));
  }
}

TEST_CASE("every control character is escaped") {
  for (int c = 0; c < 0x20; ++c) {
    CAPTURE(c);
    std::string out;
    append_json_string(out, std::string(1, static_cast<char>(c)));
    CHECK(out.find(static_cast<char>(c)) == std::string::npos);
    CHECK((out.size() == 4 || out.size() == 8));
  }
}

// --- merge_diff ---

TEST_CASE("the difference of two objects is a merge patch") {
  const json_object from{{"a", number("1")}, {"b", object({{"c", text("d")}, {"e", text("f")}})}, {"g", null()}};
  CHECK(merge_diff(from, from) == json_object{});
  CHECK(merge_diff(from, {}) == json_object{{"a", null()}, {"b", null()}, {"g", null()}});
  CHECK(merge_diff({}, {{"x", array({null()})}}) == json_object{{"x", array({null()})}});
  CHECK(merge_diff(from, {{"a", text("z")}, {"b", object({{"e", text("f")}})}, {"g", null()}, {"h", object({})}}) ==
        json_object{{"a", text("z")}, {"b", object({{"c", null()}})}, {"h", object({})}});
}

TEST_CASE("no merge patch sets a member to null") {
  CHECK(merge_diff({}, {{"a", null()}}) == std::nullopt);
  CHECK(merge_diff({{"a", number("1")}}, {{"a", null()}}) == std::nullopt);
  CHECK(merge_diff({{"a", number("1")}}, {{"a", object({{"b", null()}})}}) == std::nullopt);
  CHECK(merge_diff({{"a", object({})}}, {{"a", object({{"b", null()}})}}) == std::nullopt);
}

class small_values final : public random_orders {
 public:
  explicit small_values(std::uint64_t seed) : random_orders(seed, {1, 1, 3, 2, 3}) {}
  std::string customer() override { return "c"; }
  currency_code currency() override { return {'E', 'U', 'R'}; }

 private:
  order_item item() override { return {"s", 1, cents(1)}; }
  std::string member_name() override { return std::string(1, static_cast<char>('a' + below(4))); }
  std::string text_value() override { return chance() ? "t" : "u"; }
  json_number number_value() override { return {std::to_string(below(2))}; }
};

TEST_CASE("a difference, merged into the first object, gives the second") {
  const std::uint64_t seed = seed_of_run();
  INFO("ORDEM_SEED=" << seed);
  small_values random(seed);
  std::size_t patches = 0;
  for (int i = 0; i < 5000; ++i) {
    const auto from = random.content().attributes.value_or(json_object{});
    const auto to = random.content().attributes.value_or(json_object{});
    const auto patch = merge_diff(from, to);
    if (!patch) continue;
    ++patches;
    CAPTURE(json_of({from}), json_of({to}), json_of({*patch}));
    REQUIRE(merge_patch(from, *patch) == to);
  }
  CHECK(patches > 1000);
}

}  // namespace
}  // namespace ordem
