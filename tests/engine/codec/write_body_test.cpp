#include "engine/codec/write_body.hpp"

#include <algorithm>
#include <catch2/catch.hpp>

#include "tests/engine/codec/bodies.hpp"

namespace ordem::codec {
namespace {

using namespace testing;

using violation_list = std::vector<violation>;

constexpr write_kind every_kind[] = {write_kind::create, write_kind::replace, write_kind::merge,
                                     write_kind::change_status};

constexpr std::string_view twice = "is given more than once";
constexpr std::string_view unknown = "is not a member that this call knows";
constexpr std::string_view required = "is required";
constexpr std::string_view not_exact =
    "an integer must be from -9007199254740991 to 9007199254740991; send a larger one as a string";

write_body read(write_kind kind, std::string_view json) {
  auto body = read_body(kind, json);
  if (!body) throw std::runtime_error(body.error().detail);
  return std::move(*body);
}

violation_list violations(write_kind kind, std::string_view json) {
  return read(kind, json).violations;
}

// Returns the command of a body that must be valid.
template <class Command>
Command valid(write_kind kind, std::string_view json) {
  auto body = read(kind, json);
  CHECK(body.violations == violation_list{});
  return std::get<Command>(body.command);
}

merge_content merge_of(std::string_view json) {
  return valid<merge_content>(write_kind::merge, json);
}

json_object attributes_of(std::string_view json) {
  return valid<create_order>(write_kind::create, json_with_attributes(json)).content.attributes.value();
}

violation_list attribute_violations(std::string_view json) {
  return violations(write_kind::create, json_with_attributes(json));
}

// Returns the contract's content with one member changed, or with more members at the end.
std::string with(std::string_view name, std::string_view value) {
  std::string json = R"({"customer_id":"c","currency":"EUR","items":[{"sku":"A","quantity":1,"unit_price":1}]})";
  if (name == "customer_id") return json.replace(json.find("\"c\""), 3, value);
  if (name == "currency") return json.replace(json.find("\"EUR\""), 5, value);
  if (name == "items") return json.replace(json.find('['), json.find(']') - json.find('[') + 1, value);
  json.pop_back();
  return json + ",\"" + std::string(name) + "\":" + std::string(value) + '}';
}

std::string with_item(std::string_view members) {
  return with("items", "[{" + std::string(members) + "}]");
}

std::string nested_arrays(std::size_t levels) {
  return std::string(levels, '[') + std::string(levels, ']');
}

// --- valid bodies ---

TEST_CASE("a create is its content, with or without attributes and guid") {
  CHECK(valid<create_order>(write_kind::create, contract_json).content == contract_content());
  const auto plain = read(write_kind::create, with("guid", "\"g-1\""));
  CHECK(plain.violations.empty());
  CHECK(plain.guid == "g-1");
  CHECK_FALSE(plain.version);
  CHECK_FALSE(std::get<create_order>(plain.command).content.attributes);
  CHECK_FALSE(read(write_kind::create, contract_json).guid);
}

TEST_CASE("a replacement is its content, with an optional version and guid") {
  CHECK(valid<replace_content>(write_kind::replace, contract_json).content == contract_content());
  const auto body = read(write_kind::replace, R"({"version":3,"guid":"g",)" + std::string(contract_json.substr(1)));
  CHECK(body.violations.empty());
  CHECK(body.version == version{3});
  CHECK(body.guid == "g");
  CHECK(std::get<replace_content>(body.command).content == contract_content());
}

TEST_CASE("a merge changes only the members that it contains") {
  CHECK(merge_of("{}") == merge_content{});
  CHECK(merge_of(R"({"customer_id":"c-2"})").customer_id == "c-2");
  CHECK(merge_of(R"({"currency":"USD"})").currency == currency_code{'U', 'S', 'D'});
  CHECK(merge_of(R"({"items":[{"sku":"B","quantity":1,"unit_price":5}]})").items ==
        std::vector<order_item>{{"B", 1, cents(5)}});
  CHECK(merge_of(R"({"attributes":null})").attributes ==
        merge_content::attributes_change{merge_content::remove_attributes{}});
  CHECK(merge_of(R"({"attributes":{}})").attributes == merge_content::attributes_change{json_object{}});
  CHECK(merge_of(R"({"attributes":{"b":null,"a":{"x":null}}})").attributes ==
        merge_content::attributes_change{json_object{{"a", object({{"x", null()}})}, {"b", null()}}});
  const auto body = read(write_kind::merge, R"({"version":9007199254740991,"guid":"g","currency":"USD"})");
  CHECK(body.version == version{9'007'199'254'740'991});
  CHECK(body.guid == "g");
}

TEST_CASE("an external id is given by each kind of content, and removed by a merge") {
  constexpr std::string_view external = "\"PO-\\u00e4 7\"";
  const std::string kept = "PO-\xC3\xA4 7";
  CHECK(valid<create_order>(write_kind::create, with("external_id", external)).content.external_id == kept);
  CHECK(valid<replace_content>(write_kind::replace, with("external_id", external)).content.external_id == kept);
  CHECK_FALSE(valid<create_order>(write_kind::create, contract_json).content.external_id);
  CHECK(merge_of(R"({"external_id":"x"})").external_id == merge_content::external_id_change{"x"});
  CHECK(merge_of(R"({"external_id":null})").external_id ==
        merge_content::external_id_change{merge_content::remove_external_id{}});
  CHECK(merge_of(R"({"currency":"USD"})").external_id == merge_content::external_id_change{});
}

TEST_CASE("a change of status accepts any status") {
  for (const order_status status : every_status) {
    const std::string json = "{\"status\":\"" + std::string(to_string(status)) + "\",\"version\":3,\"guid\":\"g\"}";
    const auto body = read(write_kind::change_status, json);
    CHECK(body.violations.empty());
    CHECK(std::get<change_status>(body.command).to == status);
    CHECK(body.version == version{3});
    CHECK(body.guid == "g");
  }
}

TEST_CASE("values at the limits are valid") {
  CHECK(violations(write_kind::create, with("customer_id", '"' + std::string(128, 'c') + '"')).empty());
  CHECK(violations(write_kind::create, with_item(R"("sku":"A","quantity":1000000,"unit_price":0)")).empty());
  CHECK(violations(write_kind::create, with_item(R"("sku":"A","quantity":1,"unit_price":1000000000000)")).empty());
  std::string items = "[";
  for (int i = 0; i < 500; ++i) items += R"({"sku":"A","quantity":1,"unit_price":1},)";
  items.back() = ']';
  CHECK(violations(write_kind::create, with("items", items)).empty());
}

TEST_CASE("white space, the order of the members and escapes do not matter") {
  const auto body = read(write_kind::create,
                         " {\r\n\t\"attributes\" : { \"chann\\u0065l\" : \"web\" } ,\n"
                         "\"items\":[ { \"unit_price\":1999, \"quantity\":2, \"sku\":\"\\u0041-1\" } ],"
                         "\"currency\":\"EUR\", \"customer_id\":\"c-1001\" } \n");
  CHECK(body.violations.empty());
  CHECK(std::get<create_order>(body.command).content == contract_content());
}

// --- attributes ---

TEST_CASE("attributes have every kind of value, with their members sorted") {
  CHECK(attributes_of(R"({"s":"text","n":null,"t":true,"f":false,"o":{"z":1,"a":2},"a":[1,[],{}]})") ==
        json_object{{"a", array({number("1"), array({}), object({})})},
                    {"f", {false}},
                    {"n", null()},
                    {"o", object({{"a", number("2")}, {"z", number("1")}})},
                    {"s", text("text")},
                    {"t", {true}}});
}

TEST_CASE("numbers in attributes have one form") {
  struct row {
    std::string_view given;
    std::string_view kept;
  };
  constexpr row rows[] = {
      {"0", "0"},
      {"-1", "-1"},
      {"9007199254740991", "9007199254740991"},
      {"-9007199254740991", "-9007199254740991"},
      {"0.1", "0.1"},
      {"-12.50", "-12.5"},
      {"1.0", "1"},
      {"1e2", "100"},
      {"1E-7", "1e-07"},
      {"3.141592653589793", "3.141592653589793"},
      {"1.7976931348623157e308", "1.7976931348623157e+308"},
  };
  for (const auto& [given, kept] : rows) {
    CAPTURE(given);
    CHECK(attributes_of("{\"n\":" + std::string(given) + "}") == json_object{{"n", number(std::string(kept))}});
  }
}

TEST_CASE("equal numbers have the same form, in any notation") {
  struct row {
    std::string_view one;
    std::string_view other;
  };
  constexpr row rows[] = {{"1", "1.0"}, {"100", "1e2"}, {"-5", "-5.00"},   {"0", "-0"},
                          {"0", "0.0"}, {"0", "-0.0"},  {"100000", "1e5"}, {"1000000", "1000000.0"}};
  for (const auto& [one, other] : rows) {
    CAPTURE(one, other);
    CHECK(json_of({attributes_of("{\"n\":" + std::string(one) + "}")}) ==
          json_of({attributes_of("{\"n\":" + std::string(other) + "}")}));
  }
}

// A client sends back a number that it has read.
TEST_CASE("the form of a number is accepted again and does not change") {
  for (const std::string_view given : {"1e5", "0.1", "1e300", "-0.0", "123456789.125", "1e15", "1e16", "1e17",
                                       "9007199254740993.0", "12345678901234567890.0", "5e-324"}) {
    CAPTURE(given);
    const std::string kept = json_of({attributes_of("{\"n\":" + std::string(given) + "}")});
    CAPTURE(kept);
    CHECK(attribute_violations(kept) == violation_list{});
    if (attribute_violations(kept).empty()) CHECK(json_of({attributes_of(kept)}) == kept);
  }
}

TEST_CASE("an integer in attributes that some JSON parsers would round is refused") {
  for (const std::string_view beyond : {"9007199254740992", "-9007199254740992", "9223372036854775807",
                                        "-9223372036854775808", "18446744073709551615"}) {
    CAPTURE(beyond);
    CHECK(attribute_violations("{\"n\":" + std::string(beyond) + "}") ==
          violation_list{{"/attributes/n", std::string(not_exact)}});
    CHECK(attribute_violations("{\"a\":[0,{\"b\":" + std::string(beyond) + "}]}") ==
          violation_list{{"/attributes/a/1/b", std::string(not_exact)}});
  }
}

TEST_CASE("attributes may have up to 16384 bytes, without white space") {
  const auto of_bytes = [](std::size_t bytes) { return "{ \"a\" : \"" + std::string(bytes - 8, 'x') + "\" }"; };
  CHECK(attribute_violations(of_bytes(16'384)).empty());
  CHECK(attribute_violations(of_bytes(16'385)) ==
        violation_list{{"/attributes", "must not exceed 16384 bytes as compact JSON"}});
}

TEST_CASE("attributes may be nested up to 63 levels deep") {
  const auto of_levels = [](std::size_t levels) { return "{\"a\":" + nested_arrays(levels - 1) + "}"; };
  CHECK(attribute_violations(of_levels(63)).empty());
  CHECK(attribute_violations(of_levels(64)) ==
        violation_list{{"/attributes", "must not be nested deeper than 63 levels"}});
}

// --- violations ---

TEST_CASE("each violation has its place") {
  constexpr std::string_view customer_rule = "must have 1 to 128 characters";
  constexpr std::string_view currency_rule = "must be three capital letters, such as EUR";
  constexpr std::string_view sku_rule = "must have 1 to 64 characters";
  constexpr std::string_view quantity_rule = "must be an integer from 1 to 1000000";
  constexpr std::string_view price_rule = "must be an integer of minor units from 0 to 1000000000000";
  constexpr std::string_view count_rule = "must have 1 to 500 items";
  struct row {
    std::string json;
    std::string_view pointer;
    std::string_view detail;
  };
  std::string too_many = "[";
  for (int i = 0; i < 501; ++i) too_many += R"({"sku":"A","quantity":1,"unit_price":1},)";
  too_many.back() = ']';
  const row rows[] = {
      {with("customer_id", "\"\""), "/customer_id", customer_rule},
      {with("customer_id", '"' + std::string(129, 'c') + '"'), "/customer_id", customer_rule},
      {with("external_id", "\"\""), "/external_id", customer_rule},
      {with("external_id", "\"a\\u0085\""), "/external_id", "must not contain control characters"},
      {with("external_id", "null"), "/external_id", "must be a string"},
      {with("external_id", "7"), "/external_id", "must be a string"},
      {with("customer_id", "5"), "/customer_id", "must be a string"},
      {with("customer_id", "null"), "/customer_id", "must be a string"},
      {with("customer_id", "[\"c\"]"), "/customer_id", "must be a string"},
      {with("currency", "\"eur\""), "/currency", currency_rule},
      {with("currency", "\"EURO\""), "/currency", currency_rule},
      {with("currency", "\"\""), "/currency", currency_rule},
      {with("currency", "978"), "/currency", "must be a string"},
      {with("currency", "null"), "/currency", "must be a string"},
      {with("items", "[]"), "/items", count_rule},
      {with("items", too_many), "/items", count_rule},
      {with("items", "{}"), "/items", "must be an array"},
      {with("items", "null"), "/items", "must be an array"},
      {with("items", "\"A\""), "/items", "must be an array"},
      {with("items", "[5]"), "/items/0", "must be an object"},
      {with("items", "[null]"), "/items/0", "must be an object"},
      {with("items", "[[]]"), "/items/0", "must be an object"},
      {with_item(R"("sku":"","quantity":1,"unit_price":1)"), "/items/0/sku", sku_rule},
      {with_item(R"("sku":")" + std::string(65, 's') + R"(","quantity":1,"unit_price":1)"), "/items/0/sku", sku_rule},
      {with_item(R"("sku":1,"quantity":1,"unit_price":1)"), "/items/0/sku", "must be a string"},
      {with_item(R"("sku":"A","quantity":0,"unit_price":1)"), "/items/0/quantity", quantity_rule},
      {with_item(R"("sku":"A","quantity":-1,"unit_price":1)"), "/items/0/quantity", quantity_rule},
      {with_item(R"("sku":"A","quantity":1000001,"unit_price":1)"), "/items/0/quantity", quantity_rule},
      {with_item(R"("sku":"A","quantity":4294967297,"unit_price":1)"), "/items/0/quantity", quantity_rule},
      {with_item(R"("sku":"A","quantity":18446744073709551615,"unit_price":1)"), "/items/0/quantity", quantity_rule},
      {with_item(R"("sku":"A","quantity":1.5,"unit_price":1)"), "/items/0/quantity", "must be an integer"},
      {with_item(R"("sku":"A","quantity":1.00000000000000000000001,"unit_price":1)"), "/items/0/quantity",
       "must be an integer"},
      {with_item(R"("sku":"A","quantity":0.0,"unit_price":1)"), "/items/0/quantity", quantity_rule},
      {with_item(R"("sku":"A","quantity":1000001.0,"unit_price":1)"), "/items/0/quantity", quantity_rule},
      {with_item(R"("sku":"A","quantity":1e300,"unit_price":1)"), "/items/0/quantity", "must be an integer"},
      {with_item(R"("sku":"A","quantity":"1","unit_price":1)"), "/items/0/quantity", "must be an integer"},
      {with_item(R"("sku":"A","quantity":null,"unit_price":1)"), "/items/0/quantity", "must be an integer"},
      {with_item(R"("sku":"A","quantity":true,"unit_price":1)"), "/items/0/quantity", "must be an integer"},
      {with_item(R"("sku":"A","quantity":1,"unit_price":-1)"), "/items/0/unit_price", price_rule},
      {with_item(R"("sku":"A","quantity":1,"unit_price":1000000000001)"), "/items/0/unit_price", price_rule},
      {with_item(R"("sku":"A","quantity":1,"unit_price":19.99)"), "/items/0/unit_price", "must be an integer"},
      {with_item(R"("quantity":1,"unit_price":1)"), "/items/0/sku", required},
      {with_item(R"("sku":"A","unit_price":1)"), "/items/0/quantity", required},
      {with_item(R"("sku":"A","quantity":1)"), "/items/0/unit_price", required},
      {with_item(R"("sku":"A","quantity":1,"unit_price":1,"price":1)"), "/items/0/price", unknown},
      {with_item(R"("sku":"A","quantity":1,"quantity":1,"unit_price":1)"), "/items/0/quantity", twice},
      {with_item(R"("sku":"A","quantity":1000000,"unit_price":1000000000000)"), "/items",
       "the total of the items must not exceed 9007199254740991 minor units"},
      {with("attributes", "[]"), "/attributes", "must be an object"},
      {with("attributes", "\"x\""), "/attributes", "must be an object"},
      {with("attributes", R"({"a":1,"a":1})"), "/attributes/a", twice},
      {with("attributes", R"({"b":[{"a":1,"x":0,"a":2}]})"), "/attributes/b/0/a", twice},
      {with("guid", "\"g\",\"guid\":\"g\""), "/guid", twice},
      {with("colour", "\"red\""), "/colour", unknown},
      {with("", "1"), "/", unknown},
      {with("a/b~c", "1"), "/a~1b~0c", unknown},
      {with("Currency", "\"EUR\""), "/Currency", unknown},
      {with("total", "1"), "/total", unknown},
      {with("status", "\"new\""), "/status", unknown},
  };
  for (const auto& [json, pointer, detail] : rows) {
    CAPTURE(json);
    const violation_list expected{{std::string(pointer), std::string(detail)}};
    CHECK(violations(write_kind::create, json) == expected);
    CHECK(violations(write_kind::replace, json) == expected);
  }
}

TEST_CASE("a pointer that would exceed 1024 bytes is that of a value around the error") {
  const auto pointer_of = [](const std::string& attributes) {
    const auto found = violations(write_kind::create, json_with_attributes(attributes));
    REQUIRE_FALSE(found.empty());
    return found.front().pointer;
  };
  const std::string fits(1024 - std::string_view("/attributes/").size(), 'n');
  const std::string too_large = "9007199254740993";
  CHECK(pointer_of("{\"" + fits + "\":" + too_large + "}") == "/attributes/" + fits);
  CHECK(pointer_of("{\"" + fits + "n\":" + too_large + "}") == "/attributes");
  CHECK(pointer_of("{\"" + fits.substr(1) + "~\":" + too_large + "}") == "/attributes");
  CHECK(pointer_of("{\"" + fits + "\":[{\"a\":" + too_large + "}]}") == "/attributes/" + fits);
  CHECK(pointer_of("{\"a\":{\"" + std::string(500'000, 'n') + "\":{\"b\":" + too_large + "}}}") == "/attributes/a");
}

TEST_CASE("U+0000 is a violation in texts and names, of a content and of a merge") {
  constexpr std::string_view in_text = "must not contain the character U+0000";
  constexpr std::string_view in_name = "must not have the character U+0000 in its name";
  const std::string named("/attributes/a\0b", 15);
  struct row {
    std::string member;
    violation_list expected;
  };
  const row rows[] = {
      {R"("customer_id":"c\u0000")", {{"/customer_id", std::string(in_text)}}},
      {R"("items":[{"sku":"A","quantity":1,"unit_price":1},{"sku":"\u0000","quantity":1,"unit_price":1}])",
       {{"/items/1/sku", std::string(in_text)}}},
      {R"("attributes":{"a":"\u0000"})", {{"/attributes/a", std::string(in_text)}}},
      {R"("attributes":{"a":[0,{"b":["x","y\u0000"]}]})", {{"/attributes/a/1/b/1", std::string(in_text)}}},
      {R"("attributes":{"a\u0000b":1})", {{named, std::string(in_name)}}},
      {R"("attributes":{"a\u0000b":null})", {{named, std::string(in_name)}}},
      {R"("attributes":{"a\u0000b":{"c":"\u0000"}})",
       {{named, std::string(in_name)}, {named + "/c", std::string(in_text)}}},
  };
  for (const auto& [member, expected] : rows) {
    CAPTURE(member);
    CHECK(violations(write_kind::merge, '{' + member + '}') == expected);
    std::string whole = R"({"currency":"EUR",)" + member;
    if (!member.starts_with(R"("customer_id")")) whole += R"(,"customer_id":"c")";
    if (!member.starts_with(R"("items")")) whole += R"(,"items":[{"sku":"A","quantity":1,"unit_price":1}])";
    whole += '}';
    CHECK(violations(write_kind::create, whole) == expected);
    CHECK(violations(write_kind::replace, whole) == expected);
  }
  CHECK(attributes_of(R"({"a":"\\u0000\u0001"})") == json_object{{"a", text("\\u0000\x01")}});
}

TEST_CASE("a repeated member is a violation, and the first value is used") {
  CHECK(violations(write_kind::create, with("customer_id", R"("","customer_id":"fine","customer_id":"")")) ==
        violation_list{{"/customer_id", "must have 1 to 128 characters"},
                       {"/customer_id", std::string(twice)},
                       {"/customer_id", std::string(twice)}});
}

TEST_CASE("the total is checked only if all items are valid") {
  constexpr std::string_view too_high = R"({"sku":"A","quantity":1000000,"unit_price":1000000000000})";
  CHECK(violations(write_kind::create, with("items", "[" + std::string(too_high) + ",5]")) ==
        violation_list{{"/items/1", "must be an object"}});
}

TEST_CASE("an integer is recognised by its exact value, in any notation") {
  const auto item_of = [](std::string_view quantity, std::string_view price) {
    const auto body = read(write_kind::create, with_item(R"("sku":"A","quantity":)" + std::string(quantity) +
                                                         R"(,"unit_price":)" + std::string(price)));
    return std::get<create_order>(body.command).content.items.at(0);
  };
  CHECK(item_of("2.0", "0.0").quantity == 2);
  CHECK(item_of("1e6", "1e12").quantity == 1'000'000);
  CHECK(item_of("1e6", "1").unit_price.minor_units() == 1);
  CHECK(item_of("1", "1e12").unit_price.minor_units() == 1'000'000'000'000);
  CHECK(item_of("2.50e1", "999999999999.000").unit_price.minor_units() == 999'999'999'999);
  const auto version_of = [](std::string_view number) {
    return read(write_kind::change_status, R"({"status":"new","version":)" + std::string(number) + '}').version;
  };
  CHECK(version_of("9007199254740991.0") == version{9'007'199'254'740'991});
  CHECK(version_of("9.007199254740991e15") == version{9'007'199'254'740'991});
  CHECK(version_of("1e0") == version{1});
  // Attributes keep their values.
  const auto body = read(write_kind::merge, R"({"version":1.0,"attributes":{"a":1.5,"b":1e2,"c":"1.0","d":1e20}})");
  const auto& attributes = std::get<json_object>(std::get<merge_content>(body.command).attributes);
  std::string text;
  append_json(text, attributes);
  CHECK(text == R"({"a":1.5,"b":100,"c":"1.0","d":1e+20})");
}

TEST_CASE("a create has no version") {
  CHECK(violations(write_kind::create, with("version", "1")) == violation_list{{"/version", std::string(unknown)}});
}

TEST_CASE("attributes of a create or a replacement must not be null") {
  for (const write_kind kind : {write_kind::create, write_kind::replace}) {
    CHECK(violations(kind, with("attributes", "null")) == violation_list{{"/attributes", "must be an object"}});
  }
}

TEST_CASE("missing members are listed in a fixed order") {
  const violation_list lacking{
      {"/customer_id", std::string(required)}, {"/currency", std::string(required)}, {"/items", std::string(required)}};
  CHECK(violations(write_kind::create, "{}") == lacking);
  CHECK(violations(write_kind::replace, "{}") == lacking);
  CHECK(violations(write_kind::replace, R"({"version":1,"guid":"g"})") == lacking);
}

TEST_CASE("a merge cannot remove required members") {
  CHECK(violations(write_kind::merge, R"({"customer_id":null})") ==
        violation_list{{"/customer_id", "must be a string"}});
  CHECK(violations(write_kind::merge, R"({"currency":null})") == violation_list{{"/currency", "must be a string"}});
  CHECK(violations(write_kind::merge, R"({"items":null})") == violation_list{{"/items", "must be an array"}});
  CHECK(violations(write_kind::merge, R"({"items":[]})") == violation_list{{"/items", "must have 1 to 500 items"}});
  CHECK(violations(write_kind::merge, R"({"attributes":7})") == violation_list{{"/attributes", "must be an object"}});
}

TEST_CASE("the version of a body is an integer from 1 to 2^53 - 1") {
  const violation_list expected{{"/version", "must be an integer from 1 to 9007199254740991"}};
  for (const std::string_view wrong :
       {"0", "0.0", "-1", "1.5", "1.00000000000000000000001", "9007199254740992.0", "1e300", "\"1\"", "null", "true",
        "[1]", "9007199254740992", "18446744073709551615"}) {
    CAPTURE(wrong);
    CHECK(violations(write_kind::replace, with("version", wrong)) == expected);
    CHECK(violations(write_kind::merge, "{\"version\":" + std::string(wrong) + "}") == expected);
    CHECK(violations(write_kind::change_status, "{\"status\":\"new\",\"version\":" + std::string(wrong) + "}") ==
          expected);
  }
}

TEST_CASE("a status is one of the five") {
  const violation_list expected{{"/status", "must be new, confirmed, shipped, delivered or cancelled"}};
  for (const std::string_view wrong : {"\"\"", "\"fresh\"", "\"NEW\"", "\"canceled\"", "1", "null", "[\"new\"]"}) {
    CAPTURE(wrong);
    CHECK(violations(write_kind::change_status, "{\"status\":" + std::string(wrong) + "}") == expected);
  }
  CHECK(violations(write_kind::change_status, "{}") == violation_list{{"/status", std::string(required)}});
  CHECK(violations(write_kind::change_status, R"({"status":"new","items":[]})") ==
        violation_list{{"/items", std::string(unknown)}});
}

TEST_CASE("a guid that is not a string is read as empty, which the handler refuses") {
  for (const std::string_view wrong : {"5", "null", "[]", "{}", "true"}) {
    CAPTURE(wrong);
    const auto body = read(write_kind::create, with("guid", wrong));
    CHECK(body.guid == "");
    CHECK(body.violations.empty());
  }
}

TEST_CASE("a body that is not an object is a violation at its root") {
  for (const write_kind kind : every_kind) {
    for (const std::string_view json : {"[]", "null", "5", "\"text\"", "true", "[{}]"}) {
      CAPTURE(json);
      const auto body = read(kind, json);
      CHECK(body.violations == violation_list{{"", "must be an object"}});
      CHECK_FALSE(body.guid);
    }
  }
}

TEST_CASE("all errors are listed in the order of the body, then missing members") {
  constexpr std::string_view json =
      R"({"colour":"red","version":0,"items":[{"sku":"","quantity":"2","unit_price":-1,"x":1},7,{"sku":"A"}],)"
      R"("attributes":{"b":9007199254740992,"a":[1,9007199254740993],"b":1},"customer_id":""})";
  const violation_list expected{
      {"/colour", std::string(unknown)},
      {"/version", "must be an integer from 1 to 9007199254740991"},
      {"/items/0/sku", "must have 1 to 64 characters"},
      {"/items/0/quantity", "must be an integer"},
      {"/items/0/unit_price", "must be an integer of minor units from 0 to 1000000000000"},
      {"/items/0/x", std::string(unknown)},
      {"/items/1", "must be an object"},
      {"/items/2/quantity", std::string(required)},
      {"/items/2/unit_price", std::string(required)},
      {"/attributes/b", std::string(not_exact)},
      {"/attributes/a/1", std::string(not_exact)},
      {"/attributes/b", std::string(twice)},
      {"/customer_id", "must have 1 to 128 characters"},
      {"/currency", std::string(required)},
  };
  CHECK(violations(write_kind::replace, json) == expected);
  CHECK(violations(write_kind::replace, json) == expected);
}

TEST_CASE("at most 1000 errors are listed, the first ones") {
  const auto body_of = [](int members) {
    std::string json = "{";
    for (int i = 0; i < members; ++i) json += "\"x" + std::to_string(i) + "\":0,";
    json.back() = '}';
    return json;
  };
  const auto merged = violations(write_kind::merge, body_of(1'000));
  CHECK(merged.size() == 1'000);
  const auto capped = violations(write_kind::merge, body_of(5'000));
  CHECK(capped == merged);
  CHECK(capped.back().pointer == "/x999");
}

TEST_CASE("items beyond the 500th are counted but not checked") {
  std::string items = "[";
  for (int i = 0; i < 5'000; ++i) items += "5,";
  items.back() = ']';
  const auto found = violations(write_kind::create, with("items", items));
  CHECK(found.size() == 501);
  CHECK(found[499] == violation{"/items/499", "must be an object"});
  CHECK(found[500] == violation{"/items", "must have 1 to 500 items"});
}

// --- malformed JSON ---

TEST_CASE("anything but JSON in UTF-8 is malformed, for every call") {
  const std::string_view malformed[] = {
      "",
      " \n",
      "{",
      "}",
      "{}x",
      "{} {}",
      "{\"a\":1,}",
      "{a:1}",
      "{'a':1}",
      "{\"a\" 1}",
      "[1,2",
      "nul",
      "NaN",
      "{\"a\":01}",
      "{\"a\":+1}",
      "{\"a\":.5}",
      "{\"a\":1.}",
      "{\"a\":1e400}",
      "{\"a\":18446744073709551616}",
      "{\"a\":-9223372036854775809}",
      "{\"a\":\"\n\"}",
      "{\"a\":\"\\x\"}",
      "{\"a\":\"\\ud800\"}",
      "{\"a\":\"open}",
      "{\"a\":1} // comment",
      "\xEF\xBB\xBF\xEF\xBB\xBF{}",  // one byte order mark is ignored
      "{\"a\":\"\xFF\"}",
      "{\"a\":\"\xC3\"}",
      "{\"a\":\"\xC0\xAF\"}",      // overlong
      "{\"a\":\"\xED\xA0\x80\"}",  // a surrogate
      "{\"a\":\"\xF4\x90\x80\x80\"}",
      std::string_view("{\"a\":\"\0\"}", 9),
      std::string_view("{}\0", 3),
  };
  for (const write_kind kind : every_kind) {
    for (const std::string_view json : malformed) {
      CAPTURE(json);
      const auto body = read_body(kind, json);
      CHECK_FALSE(body);
      if (!body) CHECK_FALSE(body.error().detail.empty());
    }
  }
}

TEST_CASE("a parser works after malformed JSON") {
  simdjson::dom::parser parser;
  for (int i = 0; i < 3; ++i) {
    const simdjson::padded_string bad(std::string_view("{\"a\":"));
    CHECK_FALSE(read_write_body(write_kind::create, bad, parser));
    const simdjson::padded_string good(contract_json);
    const auto body = read_write_body(write_kind::create, good, parser);
    REQUIRE(body);
    CHECK(body->violations.empty());
  }
}

TEST_CASE("the result does not refer to the body") {
  simdjson::dom::parser parser;
  simdjson::padded_string bytes(contract_json);
  const auto body = read_write_body(write_kind::create, bytes, parser);
  std::fill_n(bytes.data(), bytes.size(), ' ');
  CHECK_FALSE(read_write_body(write_kind::create, bytes, parser));
  REQUIRE(body);
  CHECK(std::get<create_order>(body->command).content == contract_content());
}

TEST_CASE("on_conflict is merge, of a replacement or a merge, and of a line with one") {
  for (const write_kind kind : {write_kind::replace, write_kind::merge}) {
    CHECK_FALSE(read(kind, contract_json).merges);
    const auto body = read(kind, with("on_conflict", "\"merge\""));
    CHECK(body.violations.empty());
    CHECK(body.merges);
    for (const std::string_view wrong : {"\"reject\"", "\"Merge\"", "true", "null", "[\"merge\"]"}) {
      CAPTURE(wrong);
      CHECK(violations(kind, with("on_conflict", wrong)) == violation_list{{"/on_conflict", "must be merge"}});
    }
  }
  CHECK(violations(write_kind::create, with("on_conflict", "\"merge\"")) ==
        violation_list{{"/on_conflict", std::string(unknown)}});
  CHECK(violations(write_kind::change_status, R"({"status":"new","on_conflict":"merge"})") ==
        violation_list{{"/on_conflict", std::string(unknown)}});
}

}  // namespace
}  // namespace ordem::codec
