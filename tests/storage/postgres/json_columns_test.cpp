// JSON that is written to Postgres is read as the same value, whatever jsonb does to the text.

#include "storage/postgres/json_columns.hpp"

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <random>

#include "engine/codec/capture_json.hpp"
#include "engine/codec/message_json.hpp"
#include "engine/codec/order_json.hpp"
#include "engine/rules/decide.hpp"
#include "engine/rules/validate.hpp"
#include "tests/engine/codec/bodies.hpp"
#include "tests/storage/postgres/difficult_orders.hpp"
#include "tests/storage/postgres/jsonb.hpp"
#include "tests/storage/support.hpp"
#include "tests/support_cpp/seed.hpp"

namespace ordem::storage {
namespace {

using namespace testing;

struct json_columns_test {
  std::mt19937_64 random{1};
  json_column_reader readers;

  std::string through_jsonb(std::string_view text) { return jsonb(text).text(random); }

  // As the columns of an order are written, and put together again.
  std::optional<order_content> reread(const order_content& content) {
    std::string text = "{\"customer_id\":";
    append_json_string(text, content.customer_id);
    if (content.external_id) {
      text += ",\"external_id\":";
      append_json_string(text, *content.external_id);
    }
    text += ",\"currency\":\"" + std::string(content.currency.data(), content.currency.size()) + "\",\"items\":";
    std::string items;
    codec::append_items(items, content.items);
    text += through_jsonb(items);
    if (content.attributes) {
      std::string attributes;
      append_json(attributes, *content.attributes);
      text += ",\"attributes\":" + through_jsonb(attributes);
    }
    return readers.content(text + '}');
  }
  std::optional<order_content> reread_attributes(json_object attributes) {
    order_content content = contract_content();
    content.attributes = std::move(attributes);
    return reread(content);
  }
  // As the column of a message's request is.
  std::optional<command> reread(const message_record& record, const shared_order& after) {
    const jsonb request(codec::message_json_of(record, after).request);
    const auto read = readers.command(request.member("method").unquoted(), request.member("path").unquoted(),
                                      request.member("body").text(random));
    if (!read) return std::nullopt;
    const auto& expected = record.outcome.expected_version;
    CHECK(read->merges == (expected && expected->merges));
    return read->command;
  }
};

// The form in which a number that a client sends is kept.
std::string kept_number(std::string_view given) {
  const auto body =
      read_body(codec::write_kind::create, json_with_attributes("{\"n\":" + std::string(given) + "}")).value();
  REQUIRE(body.violations.empty());
  const auto attributes = std::get<create_order>(body.command).content.attributes.value();
  return std::get<json_number>(attributes.front().second.data).text;
}

// Neither the tests' reader nor its digits are Postgres's own: these are what Postgres 15 prints.
TEST_CASE("the tests convert JSON as jsonb does") {
  struct row {
    std::string_view written;
    std::string_view printed;
  };
  constexpr row rows[] = {
      {"0", "0"},
      {"-0", "0"},
      {"-12.5", "-12.5"},
      {"1e-07", "0.0000001"},
      {"-1.5e-07", "-0.00000015"},
      {"1e+20", "100000000000000000000"},
      {"-1.25e+17", "-125000000000000000"},
      {"12.5e1", "125"},
      {"9.007199254740992e+15", "9007199254740992"},
  };
  std::mt19937_64 random(1);
  for (const auto& [written, printed] : rows) {
    CHECK(plain_digits(written) == printed);
    CHECK(jsonb("[" + std::string(written) + "]").text(random) == "[" + std::string(printed) + "]");
  }
  CHECK(plain_digits("5e-324") == "0." + std::string(323, '0') + "5");
  CHECK(plain_digits("1.7976931348623157e+308") == "17976931348623157" + std::string(292, '0'));
  CHECK(jsonb(R"({"a":[1,{}],"\"":"\\"})").member("a").text(random) == "[1, {}]");
}

// --- numbers ---

TEST_CASE_METHOD(json_columns_test, "a number in attributes is read as it was kept") {
  const auto given = GENERATE(
      as<std::string>{}, "0", "-0.0", "1", "-1", "0.1", "-0.1", "1e2", "1e15", "1e16", "1e17", "1e18", "1e19", "1e20",
      "1e21", "1e22", "1e+300", "5e-324", "2.2250738585072014e-308", "1.7976931348623157e+308", "9007199254740991",
      "9007199254740990", "9007199254740992.0", "9007199254740993.0", "9007199254740994.0", "9223372036854775807.0",
      "9223372036854775808.0", "9223372036854774784.0", "18446744073709551615.0", "18446744073709549568.0",
      "12345678901234567890.0", "123456789.125", "3.141592653589793", "1e-7", "1.5e-7", "4503599627370496.5");
  for (const std::string& number : {given, given.starts_with('-') ? given : '-' + given}) {
    const std::string kept = kept_number(number);
    CAPTURE(number, kept, plain_digits(kept));
    const auto read = reread_attributes({{"n", testing::number(kept)}});
    REQUIRE(read);
    CHECK(json_of({*read->attributes}) == "{\"n\":" + kept + "}");
  }
}

TEST_CASE_METHOD(json_columns_test, "a random number in attributes is read as it was kept") {
  const auto seed = seed_of_run();
  INFO("ORDEM_SEED=" << seed);
  random.seed(seed);
  for (int round = 0; round < 20; ++round) {
    json_object attributes;
    for (char name = 'a'; name <= 'z'; ++name) {
      const std::uint64_t bits = random();
      double number = 0;
      std::memcpy(&number, &bits, sizeof number);
      if (!std::isfinite(number)) continue;
      if (round % 2 == 1) number = std::round(std::fmod(number, 1e25));  // whole ones around 2^53 and 2^64 too
      char given[40];
      std::snprintf(given, sizeof given, "%.16e", number);
      attributes.emplace_back(std::string(1, name), testing::number(kept_number(given)));
    }
    CAPTURE(json_of({attributes}));
    const auto read = reread_attributes(attributes);
    REQUIRE(read);
    CHECK(json_of({*read->attributes}) == json_of({attributes}));
  }
}

TEST_CASE_METHOD(json_columns_test,
                 "an integer that no body may have is read as the floating-point number that it is") {
  const auto [digits, expected] = GENERATE(table<std::string, std::string>({
      {"9223372036854775808", "9223372036854775808.0"},
      {"-9223372036854775808", "-9223372036854775808.0"},
      {"-9223372036854775809", "-9223372036854775808.0"},
      {"18446744073709551616", "18446744073709551616.0"},
      {"9007199254740992", "9007199254740992.0"},
      {"-9007199254740992", "-9007199254740992.0"},
  }));
  const auto read = readers.content(json_with_attributes("{\"n\": " + digits + "}"));
  REQUIRE(read);
  CHECK(json_of({*read->attributes}) == "{\"n\":" + kept_number(expected) + "}");
}

TEST_CASE_METHOD(json_columns_test, "a number anywhere in attributes is read as it was kept") {
  const json_value large = testing::number(kept_number("1e20"));
  const json_value negative = testing::number(kept_number("-1e300"));
  const json_object attributes = {{"a", array({large, negative, array({large}), testing::number("1")})},
                                  {"b", object({{"1e20", large}, {"x", object({{"-1", negative}})}})},
                                  {"z", negative}};
  CHECK(reread_attributes(attributes).value().attributes == attributes);
}

// --- texts ---

TEST_CASE_METHOD(json_columns_test, "a text is read as it was, whatever digits, quotes and signs it has") {
  const auto given = GENERATE(as<std::string>{}, "", "100000000000000000000", "-100000000000000000000", "1e20", "\"",
                              "\\", "\\\"", "\\\\", "\"100000000000000000000", "\\\"100000000000000000000\\",
                              "\\\\\"-100000000000000000000", "{\"n\":1}", "[100000000000000000000]",
                              "\b\f\n\r\t\x01\x1f\x7f", "\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80\xE2\x80\xA8", "null",
                              "true", "u0022", "\\u0022", "a:b,c", " ", "/");
  const json_object attributes = {{given, array({text(given), testing::number("7"), text(given)})}};
  CHECK(reread_attributes(attributes).value().attributes == attributes);

  order_content content = contract_content();
  content.customer_id = "c" + given;
  content.items.front().sku = "s" + given;
  CHECK(reread(content) == content);
}

TEST_CASE_METHOD(json_columns_test, "attributes that are absent, empty or as deep and as large as may be are read so") {
  order_content content = contract_content();
  content.attributes.reset();
  CHECK(reread(content) == content);
  CHECK(reread_attributes({}).value().attributes == json_object{});

  json_value deep = testing::number(kept_number("1e20"));
  for (std::size_t level = 2; level < limits::json_depth_max; ++level) deep = array({std::move(deep)});
  const json_object deepest = {{"a", deep}};
  REQUIRE_FALSE(validate_attributes(deepest));
  CHECK(reread_attributes(deepest).value().attributes == deepest);

  const std::string digits = kept_number("1.7976931348623157e+308");
  json_array many;
  while (many.size() < 600) many.push_back(testing::number(digits));  // 14 KB, of which jsonb makes 185 KB
  const json_object largest = {{"a", array(many)}};
  REQUIRE_FALSE(validate_attributes(largest));
  CHECK(reread_attributes(largest).value().attributes == largest);
}

// --- headers of captured responses ---

TEST_CASE_METHOD(json_columns_test, "the headers of a captured response are read as they were") {
  using texts = std::vector<std::string>;
  const std::vector<captured_header> given[] = {
      {},
      {{"A", "b"}},
      {{"A", texts{}}, {"A", texts{"b"}}, {"", texts{"c", "", "d"}}, {"E", ""}},
      {{"\"\\\n\x01\x7F", "\xC3\xA4\xF0\x9F\x98\x80"}, {"100000000000000000000", "-1e20"}, {"{}", "[],:"}},
  };
  for (const auto& headers : given) {
    std::string written;
    codec::append_headers(written, headers);
    for (int i = 0; i < 5; ++i) {  // jsonb has no order of members
      const auto read = readers.headers(through_jsonb(written));
      CAPTURE(written);
      REQUIRE(read);
      CHECK(*read == headers);
    }
  }
}

TEST_CASE_METHOD(json_columns_test, "JSON that is not a list of headers is not read") {
  for (const std::string_view text : {"", "[", "1", R"("x")", R"({"A":"b"})", "[1]", R"([{"key":1}])",
                                      R"([{"key":"A","value":1}])", R"([{"key":"A","value":["b",1]}])", "[] x"}) {
    CAPTURE(text);
    CHECK_FALSE(readers.headers(text));
  }
}

// --- whole orders and messages ---

TEST_CASE_METHOD(json_columns_test, "the content of any order is read as it was") {
  const auto seed = seed_of_run();
  INFO("ORDEM_SEED=" << seed);
  random.seed(seed);
  difficult_orders orders(seed);
  for (int i = 0; i < 500; ++i) {
    const order_content content = orders.content();
    REQUIRE(violations_of(content).empty());
    const auto read = reread(content);
    CAPTURE(i);
    REQUIRE(read);
    REQUIRE(*read == content);
  }
}

TEST_CASE_METHOD(json_columns_test, "the command of any message is read as it was, accepted or rejected") {
  const auto seed = seed_of_run();
  INFO("ORDEM_SEED=" << seed);
  random.seed(seed);
  difficult_orders orders(seed);
  std::array<int, 7> seen{};
  for (std::uint64_t life = 0; life < 100; ++life) {
    shared_order current;
    for (int i = 0; i < 8; ++i) {
      const message change = current ? orders.change_of(*current) : creation(guid_of("create"), orders.content());
      auto made = entry_of(change, current, order_id_of(life));
      if (must_be_kept(made.record.outcome, change.command)) made.record.command = change.command;
      ++seen[static_cast<std::size_t>(made.record.outcome.verdict)];
      CAPTURE(life, i, codec::message_json_of(made.record, made.after).request);
      const auto read = reread(made.record, made.after);
      REQUIRE(read);
      REQUIRE(*read == change.command);
      if (made.after) current = made.after;
    }
  }
  CHECK(std::count(seen.begin() + 1, seen.end(), 0) == 0);  // every verdict was among them
}

TEST_CASE_METHOD(json_columns_test, "every merge patch is read as it was") {
  const shared_order current = shared(contract_order());
  std::vector<merge_content> patches(6);
  patches[1].customer_id = "c-2";
  patches[2].currency = currency_code{'U', 'S', 'D'};
  patches[3].items = std::vector<order_item>{{"B", 1, cents(1)}, {"A", 1'000'000, cents(0)}};
  patches[4].attributes = merge_content::remove_attributes{};
  patches[5].attributes = json_object{};
  patches.push_back(patches[1]);
  patches.back().attributes = json_object{{"gone", null()}, {"n", testing::number(kept_number("1e20"))}};
  for (const merge_content& content : patches) {
    for (const version expected_version : {current->version, version{7}}) {
      message change = patch(guid_of("k"), current->id, expected_version, content);
      change.expected_version->merges = expected_version == current->version;
      auto made = entry_of(change, current, {});
      made.record.command = change.command;
      CAPTURE(codec::message_json_of(made.record, made.after).request);
      CHECK(reread(made.record, made.after) == std::optional(change.command));
    }
  }
}

TEST_CASE("a message is written in readable form") {
  const shared_order created = shared(contract_order());
  const auto text = codec::message_json_of(
      entry_of(creation(guid_of("k"), contract_content()), nullptr, contract_id()).record, created);
  CHECK(text.request == R"({"method":"POST","path":"/api/v1/orders","body":)" + std::string(contract_json) + "}");
  std::mt19937_64 random(1);
  const jsonb response(text.response);
  CHECK(response.member("status").text(random) == "201");
  CHECK(response.member("code").text(random) == "201");
  CHECK(response.member("body").member("order").member("order_id").unquoted() == contract_id_text);

  const message late = status_move(guid_of("l"), contract_id(), {7}, order_status::confirmed);
  const auto rejected = codec::message_json_of(entry_of(late, created, {}).record, nullptr);
  CHECK(rejected.request == R"({"method":"POST","path":"/api/v1/orders/)" + std::string(contract_id_text) +
                                R"(/status","body":{"status":"confirmed","version":7}})");
  CHECK(jsonb(rejected.response).member("status").text(random) == "409");
  CHECK(jsonb(rejected.response).member("code").text(random) == "3043");
  CHECK(jsonb(rejected.response).member("body").member("current_version").text(random) == "1");
}

TEST_CASE_METHOD(json_columns_test, "JSON that was not written here is not read") {
  const std::string whole(contract_json);
  const std::vector<std::string> wrong = {
      "",
      "{",
      "null",
      "[]",
      whole.substr(0, whole.size() - 1),
      whole + "x",
      R"({"extra":1,)" + whole.substr(1),
      R"({"customer_id":""})",
      json_with_attributes("[]"),
      json_with_attributes(R"({"n":1e999})"),
      json_with_attributes(R"({"n":01})"),
  };
  for (const std::string& text : wrong) {
    CAPTURE(text);
    CHECK_FALSE(readers.content(text));
  }
  const std::string path = "/api/v1/orders/" + std::string(contract_id_text);
  CHECK(readers.command("PUT", path, whole));
  CHECK(readers.command("POST", path + "/status", R"({"status":"shipped"})"));
  CHECK_FALSE(readers.command("DELETE", path, whole));
  CHECK_FALSE(readers.command("put", path, whole));
  CHECK_FALSE(readers.command("", path, whole));
  CHECK_FALSE(readers.command("POST", path + "/status", whole));
  CHECK_FALSE(readers.command("POST", path + "/status", R"({"status":"lost"})"));
  CHECK_FALSE(readers.command("POST", "/api/v1/orders", R"({"status":"shipped"})"));
}

}  // namespace
}  // namespace ordem::storage
