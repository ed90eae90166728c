#include "engine/model/json_value.hpp"

#include <catch2/catch.hpp>

#include "tests/engine/orders.hpp"

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

}  // namespace
}  // namespace ordem
