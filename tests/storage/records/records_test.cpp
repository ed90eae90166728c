#include "storage/records/capture_record.hpp"
#include "storage/records/clock_record.hpp"
#include "storage/records/keys.hpp"
#include "storage/records/lifetime.hpp"
#include "storage/records/log_group.hpp"
#include "storage/records/message_record.hpp"
#include "storage/records/order_record.hpp"

#include <catch2/catch.hpp>
#include <limits>

#include "storage/records/bytes.hpp"
#include "tests/storage/support.hpp"
#include "tests/support_cpp/seed.hpp"

namespace ordem::storage {
namespace {

using testing::is_logged_as;
using testing::random_values;

constexpr int rounds = 300;

std::string bytes_of(const order& what) {
  std::string bytes;
  encode_order(bytes, what);
  return bytes;
}

std::string bytes_of(const message_record& what) {
  std::string bytes;
  encode_message(bytes, what);
  return bytes;
}

std::string bytes_of(const capture& what) {
  std::string bytes;
  encode_capture(bytes, what);
  return bytes;
}

std::vector<entry> random_group(random_values& random) {
  std::vector<entry> group;
  for (auto count = 1 + random.up_to(9); count > 0; --count) group.push_back(random.entry());
  return group;
}

std::string bytes_of(const std::vector<entry>& group, const std::optional<clock_state>& clock = std::nullopt) {
  std::string bytes;
  encode_log_group(bytes, clock, group);
  return bytes;
}

// Calls `check` with the record, one to four of its bytes changed at random.
template <class Judge>
void with_random_damage(const std::string& record, random_values& random, Judge check) {
  std::string damaged = record;
  for (auto count = 1 + random.up_to(3); count > 0; --count) {
    damaged[random.up_to(damaged.size() - 1)] ^= static_cast<char>(1 + random.up_to(254));
  }
  check(damaged);
}

TEST_CASE("an order comes back from its record as it was") {
  const auto seed = testing::seed_of_run();
  INFO("ORDEM_SEED=" << seed);
  random_values random(seed);
  for (int i = 0; i < rounds; ++i) {
    const order what = random.order();
    REQUIRE(decode_order(what.id, bytes_of(what)) == what);
  }
}

TEST_CASE("an order with the extremes of every field comes back as it was") {
  order what;
  what.version = {std::numeric_limits<std::uint64_t>::max()};
  what.status = order_status::cancelled;
  what.total = money::of_minor_units(limits::total_minor_units_max).value();
  what.created_at = timestamp{};
  what.updated_at = timestamp{milliseconds{std::numeric_limits<std::int64_t>::max()}};
  what.content.attributes = json_object{};
  CHECK(decode_order(what.id, bytes_of(what)) == what);
}

TEST_CASE("an order's attributes come back with the deepest nesting that a request may have") {
  json_value nested{json_object{}};
  for (std::size_t depth = 2; depth < limits::json_depth_max; ++depth) nested = {json_array{std::move(nested)}};
  order what = testing::sample_order();
  what.content.attributes = json_object{{"a", std::move(nested)}};
  CHECK(decode_order(what.id, bytes_of(what)) == what);
}

TEST_CASE("an order without attributes differs from one with empty attributes") {
  order what = testing::sample_order();
  const std::string without = bytes_of(what);
  what.content.attributes = json_object{};
  CHECK(bytes_of(what) != without);
  CHECK(decode_order(what.id, without)->content.attributes == std::nullopt);
}

TEST_CASE("a message comes back from its record as it was") {
  const auto seed = testing::seed_of_run();
  INFO("ORDEM_SEED=" << seed);
  random_values random(seed);
  for (int i = 0; i < rounds; ++i) {
    const message_record what = random.message();
    const std::string bytes = bytes_of(what);
    REQUIRE(decode_message(bytes) == what);
    const auto kept = decode_lifetime(bytes);
    REQUIRE((kept && kept->made_at == what.created_at && kept->expires_at == what.expires_at));
  }
}

TEST_CASE("a capture comes back from its record as it was, and so does its expiry") {
  const auto seed = testing::seed_of_run();
  INFO("ORDEM_SEED=" << seed);
  random_values random(seed);
  for (int i = 0; i < rounds; ++i) {
    const capture what = random.capture();
    const std::string bytes = bytes_of(what);
    REQUIRE(decode_capture(bytes) == what);
    const auto kept = decode_lifetime(bytes);
    REQUIRE((kept && kept->made_at == what.allocated_at));
    REQUIRE(kept->expires_at == what.expires_at.value_or(timestamp::max()));
  }
}

TEST_CASE("every kind of command comes back from a message's record") {
  const auto seed = testing::seed_of_run();
  INFO("ORDEM_SEED=" << seed);
  random_values random(seed);
  std::array<int, std::variant_size_v<command>> seen{};
  for (int i = 0; i < rounds; ++i) {
    message_record what = random.message();
    what.command = random.command();
    ++seen[what.command->index()];
    REQUIRE(decode_message(bytes_of(what)) == what);
  }
  for (const int count : seen) CHECK(count > 0);
}

TEST_CASE("a log group gives back its entries, in order, and its clock") {
  const auto seed = testing::seed_of_run();
  INFO("ORDEM_SEED=" << seed);
  random_values random(seed);
  for (int i = 0; i < rounds; ++i) {
    const auto group = random_group(random);
    const auto clock = random.chance() ? std::optional(random.a_clock()) : std::nullopt;
    const std::string bytes = bytes_of(group, clock);
    const auto read = decode_log_group(bytes);
    REQUIRE(read);
    REQUIRE(read->clock == clock);
    REQUIRE(decode_log_group_clock(bytes) == clock);
    REQUIRE(read->entries.size() == group.size());
    for (std::size_t j = 0; j < group.size(); ++j) REQUIRE(is_logged_as(group[j], read->entries[j]));
  }
}

TEST_CASE("a record that was cut off anywhere decodes to nothing", "[damage]") {
  const auto seed = testing::seed_of_run();
  INFO("ORDEM_SEED=" << seed);
  random_values random(seed);
  for (int i = 0; i < 30; ++i) {
    const std::string order = bytes_of(random.order());
    for (std::size_t size = 0; size < order.size(); ++size) REQUIRE_FALSE(decode_order({}, {order.data(), size}));
    const std::string message = bytes_of(random.message());
    for (std::size_t size = 0; size < message.size(); ++size) REQUIRE_FALSE(decode_message({message.data(), size}));
    const std::string capture = bytes_of(random.capture());
    for (std::size_t size = 0; size < capture.size(); ++size) REQUIRE_FALSE(decode_capture({capture.data(), size}));
    const std::string group = bytes_of(random_group(random));
    for (std::size_t size = 0; size < group.size(); ++size) REQUIRE_FALSE(decode_log_group({group.data(), size}));
  }
}

TEST_CASE("a record with bytes behind its end decodes to nothing") {
  random_values random(1);
  CHECK_FALSE(decode_order({}, bytes_of(random.order()) + '\0'));
  CHECK_FALSE(decode_message(bytes_of(random.message()) + '\0'));
  CHECK_FALSE(decode_capture(bytes_of(random.capture()) + '\0'));
  CHECK_FALSE(decode_log_group(bytes_of(random_group(random)) + '\0'));
}

TEST_CASE("a record of another format decodes to nothing") {
  random_values random(1);
  const std::uint8_t format = GENERATE(as<std::uint8_t>{}, 0, 4, 255);
  const auto with_format = [format](std::string bytes) {
    bytes[0] = static_cast<char>(format);
    return bytes;
  };
  CHECK_FALSE(decode_order({}, with_format(bytes_of(random.order()))));
  CHECK_FALSE(decode_message(with_format(bytes_of(random.message()))));
  CHECK_FALSE(decode_capture(with_format(bytes_of(random.capture()))));
  CHECK_FALSE(decode_lifetime(with_format(bytes_of(random.message()))));
  std::string captured = bytes_of(random.capture());
  captured[0] = 3;  // of orders and messages alone
  CHECK_FALSE(decode_capture(captured));
}

TEST_CASE("the state of a clock comes back from its record as it was, and from no part or other format of it") {
  const auto seed = testing::seed_of_run();
  INFO("ORDEM_SEED=" << seed);
  random_values random(seed);
  for (int i = 0; i < rounds; ++i) {
    const clock_state what = random.a_clock();
    std::string bytes;
    encode_clock_state(bytes, what);
    REQUIRE(decode_clock_state(bytes) == what);
    REQUIRE_FALSE(decode_clock_state(bytes.substr(0, random.up_to(bytes.size() - 1))));
    REQUIRE_FALSE(decode_clock_state(bytes + 'x'));
    bytes[0] = 2;
    REQUIRE_FALSE(decode_clock_state(bytes));
  }
}

TEST_CASE("a log group of another format decodes to nothing") {
  random_values random(1);
  std::string bytes = bytes_of(random_group(random));
  REQUIRE(decode_log_group(bytes));
  bytes[0] = GENERATE(as<char>{}, 0, 1, 2, 3, 5);
  CHECK_FALSE(decode_log_group(bytes));
}

TEST_CASE("a log group whose clock can't be read decodes to nothing") {
  random_values random(1);
  std::string bytes;
  byte_writer to{bytes};
  to.put_byte(4);
  to.put_string("nonsense");
  to.put_varint(0);
  CHECK_FALSE(decode_log_group(bytes));
  CHECK_FALSE(decode_log_group_clock(bytes));
}

TEST_CASE("a message of a log group has an order if it was accepted, and only then: the one of its outcome") {
  const auto seed = testing::seed_of_run();
  INFO("ORDEM_SEED=" << seed);
  random_values random(seed);
  const auto decodes = [](const message_entry& what) { return decode_log_group(bytes_of({what})).has_value(); };
  int accepted = 0;
  for (int i = 0; i < rounds; ++i) {
    message_entry what = random.message_entry();
    REQUIRE(decodes(what));
    if (what.after == nullptr) {
      order superfluous = random.order();
      superfluous.id = what.record.outcome.order;
      superfluous.version = what.record.outcome.version;
      what.after = testing::shared(std::move(superfluous));
      REQUIRE_FALSE(decodes(what));
      continue;
    }
    ++accepted;
    order other = *what.after;
    ++other.version.number;
    what.after = testing::shared(std::move(other));
    REQUIRE_FALSE(decodes(what));
    what.after = nullptr;
    REQUIRE_FALSE(decodes(what));
  }
  CHECK(accepted > 0);
  CHECK(accepted < rounds);
}

// The decoded value is not checked, only that it is a whole value or nullopt.
TEST_CASE("a damaged order decodes to nothing or to an order that can be written again") {
  const auto seed = testing::seed_of_run();
  INFO("ORDEM_SEED=" << seed);
  random_values random(seed);
  for (int i = 0; i < rounds; ++i) {
    const std::string record = bytes_of(random.order());
    for (int j = 0; j < 20; ++j) {
      with_random_damage(record, random, [](const std::string& damaged) {
        if (const auto read = decode_order({}, damaged)) REQUIRE(decode_order({}, bytes_of(*read)) == read);
      });
    }
  }
}

TEST_CASE("a damaged message decodes to nothing or to a message that can be written again") {
  const auto seed = testing::seed_of_run();
  INFO("ORDEM_SEED=" << seed);
  random_values random(seed);
  for (int i = 0; i < rounds; ++i) {
    const std::string record = bytes_of(random.message());
    for (int j = 0; j < 20; ++j) {
      with_random_damage(record, random, [](const std::string& damaged) {
        decode_lifetime(damaged);
        if (const auto read = decode_message(damaged)) REQUIRE(decode_message(bytes_of(*read)) == read);
      });
    }
  }
}

TEST_CASE("a damaged capture decodes to nothing or to a capture that can be written again") {
  const auto seed = testing::seed_of_run();
  INFO("ORDEM_SEED=" << seed);
  random_values random(seed);
  for (int i = 0; i < rounds; ++i) {
    const std::string record = bytes_of(random.capture());
    for (int j = 0; j < 20; ++j) {
      with_random_damage(record, random, [](const std::string& damaged) {
        if (const auto read = decode_capture(damaged)) REQUIRE(decode_capture(bytes_of(*read)) == read);
      });
    }
  }
}

TEST_CASE("a damaged log group decodes to nothing or to a group") {
  const auto seed = testing::seed_of_run();
  INFO("ORDEM_SEED=" << seed);
  random_values random(seed);
  for (int i = 0; i < rounds; ++i) {
    const std::string record = bytes_of(random_group(random));
    for (int j = 0; j < 20; ++j) {
      with_random_damage(record, random, [&](const std::string& damaged) {
        const auto read = decode_log_group(damaged);
        if (read) REQUIRE(read->entries.size() <= damaged.size());
      });
    }
  }
}

TEST_CASE("random bytes decode to nothing or to a value") {
  const auto seed = testing::seed_of_run();
  INFO("ORDEM_SEED=" << seed);
  random_values random(seed);
  for (int i = 0; i < 5000; ++i) {
    const std::string bytes = static_cast<char>(1 + random.up_to(3)) + random.text(64);
    decode_order({}, bytes);
    decode_message(bytes);
    decode_lifetime(bytes);
    decode_capture(bytes);
    decode_clock_state(bytes);
    decode_log_group(bytes);
    decode_log_key(bytes);
    decode_customer_key(bytes);
  }
}

TEST_CASE("a count that is larger than the record causes no allocation") {
  std::string bytes;
  byte_writer to{bytes};
  to.put_byte(4);
  to.put_string("");  // no clock
  to.put_varint(std::numeric_limits<std::uint64_t>::max());
  CHECK_FALSE(decode_log_group(bytes));
}

// Writes an order's record in format 1 field by field, so that a field can have a value that no order has.
struct raw_order {
  std::uint8_t status = 1;
  std::uint64_t created_ms = 1000;
  std::uint64_t age_ms = 0;
  std::uint64_t total = 1;
  std::uint64_t quantity = 1;
  std::uint64_t unit_price = 1;

  std::string bytes() const {
    std::string out;
    byte_writer to{out};
    to.put_byte(1);
    to.put_byte(status);
    to.put_varint(7);  // version
    to.put_varint(created_ms);
    to.put_varint(age_ms);
    to.put_varint(total);
    out += "EUR";
    to.put_string("c-1001");
    to.put_varint(1);  // items
    to.put_string("A-1");
    to.put_varint(quantity);
    to.put_varint(unit_price);
    to.put_byte(0);  // no attributes
    return out;
  }
};

TEST_CASE("an order's record written by hand decodes") {
  const auto read = decode_order({}, raw_order{}.bytes());
  REQUIRE(read);
  CHECK(read->version == version{7});
  CHECK(read->content.items.front().quantity == 1);
}

TEST_CASE("an order with a field out of its range decodes to nothing") {
  const auto [what, record] = GENERATE(table<std::string, raw_order>({
      {"status 0", {.status = 0}},
      {"status above the last", {.status = 6}},
      {"a total above 2^53 - 1", {.total = std::uint64_t{1} << 53}},
      {"a total that would be negative", {.total = ~std::uint64_t{0}}},
      {"a unit price above 2^53 - 1", {.unit_price = std::uint64_t{1} << 53}},
      {"a quantity above 32 bits", {.quantity = (std::uint64_t{1} << 32) + 5}},
      {"a last change beyond the end of time", {.created_ms = 1, .age_ms = (std::uint64_t{1} << 63) - 1}},
  }));
  INFO(what);
  CHECK_FALSE(decode_order({}, record.bytes()));
}

// Write a capture's record in format 1 with a response, and a log group of one capture, field by field.
struct raw_capture {
  std::uint64_t status = 200;
  std::uint64_t headers = 0;
  std::string key = "some-key";
  std::uint8_t kind = 2;

  std::string record() const {
    std::string out;
    byte_writer to{out};
    to.put_byte(1);
    to.put_varint(3000);  // expires
    to.put_varint(1000);  // allocated
    to.put_varint(2000);  // lease ends
    to.put_byte(1);       // a response
    to.put_varint(status);
    to.put_string("body");
    to.put_varint(headers);
    return out;
  }
  std::string group() const {
    std::string out;
    byte_writer to{out};
    to.put_byte(4);
    to.put_string("");  // no clock
    to.put_varint(1);
    to.put_byte(kind);
    to.put_string(key);
    to.put_varint(1500);
    to.put_string(record());
    return out;
  }
};

TEST_CASE("a capture's record and its log group written by hand decode") {
  const auto at = [](int ms) { return timestamp{milliseconds{ms}}; };
  const capture expected{at(1000), at(2000), at(3000), testing::response_of("body")};
  CHECK(decode_capture(raw_capture{}.record()) == expected);
  const auto group = decode_log_group(raw_capture{}.group());
  REQUIRE(group);
  REQUIRE(group->entries.size() == 1);
  const auto& read = std::get<capture_entry>(group->entries.front());
  CHECK(read.key == testing::key_of("some-key"));
  CHECK(read.at == at(1500));
  CHECK(*read.after == expected);
}

TEST_CASE("a log group with a capture that can't be decodes to nothing") {
  const auto [what, raw] = GENERATE(table<std::string, raw_capture>({
      {"no key", {.key = ""}},
      {"a key outside the alphabet", {.key = "some+key"}},
      {"a key that is too long", {.key = std::string(limits::capture_key_characters_max + 4, 'a')}},
      {"a kind of entry that is none", {.kind = 0}},
      {"a kind of entry above the last", {.kind = 3}},
      {"more headers than bytes", {.headers = ~std::uint64_t{0}}},
  }));
  INFO(what);
  CHECK_FALSE(decode_log_group(raw.group()));
}

TEST_CASE("a capture whose status does not fit decodes to nothing") {
  CHECK(decode_capture(raw_capture{.status = 999}.record()));
  const auto status = GENERATE(as<std::uint64_t>{}, 0, 99, 1000, 65536 + 200, (std::uint64_t{1} << 32) + 200);
  CHECK_FALSE(decode_capture(raw_capture{.status = status}.record()));
}

TEST_CASE("a number of more than 64 bits is not read") {
  const auto [bytes, readable] = GENERATE(table<std::string, bool>({
      {std::string(9, '\xFF') + '\x01', true},
      {std::string(9, '\xFF') + '\x02', false},
      {std::string(10, '\xFF') + '\x01', false},
      {std::string(9, '\xFF'), false},
      {"", false},
  }));
  byte_reader from{bytes};
  from.get_varint();
  CHECK(from.ok() == readable);
}

TEST_CASE("after a read past the end the reader has failed and returns zeros") {
  byte_reader from{"ab"};
  CHECK(from.get_big_endian(4) == 0x61620000);
  CHECK_FALSE(from.ok());
  CHECK(from.get_byte() == 0);
  CHECK(from.get_string().empty());
  CHECK_FALSE(from.ok());
}

}  // namespace
}  // namespace ordem::storage
