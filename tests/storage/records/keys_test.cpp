#include <algorithm>
#include <catch2/catch.hpp>
#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "storage/records/keys.hpp"
#include "tests/storage/support.hpp"
#include "tests/support_cpp/seed.hpp"

namespace ordem::storage {
namespace {

using testing::guid_of;
using testing::order_id_of;
using testing::random_values;

template <class Encode, class... Arguments>
std::string encoded_key(Encode encode, const Arguments&... arguments) {
  std::string key;
  encode(key, arguments...);
  return key;
}

// Compares as RocksDB does: by unsigned bytes.
bool is_ascending(const std::vector<std::string>& keys) {
  return std::adjacent_find(keys.begin(), keys.end(), std::greater_equal<>{}) == keys.end();
}

TEST_CASE("a newer version of an order sorts before an older one") {
  std::vector<std::string> keys;
  for (const std::uint64_t number :
       {std::numeric_limits<std::uint64_t>::max(), std::uint64_t{1} << 32, std::uint64_t{257}, std::uint64_t{256},
        std::uint64_t{255}, std::uint64_t{2}, std::uint64_t{1}}) {
    keys.push_back(encoded_key(encode_version_key, order_id_of(1), version{number}));
  }
  CHECK(is_ascending(keys));
}

TEST_CASE("all versions of one order sort before those of a later order") {
  CHECK(encoded_key(encode_version_key, order_id_of(1), version{1}) <
        encoded_key(encode_version_key, order_id_of(2), version{std::numeric_limits<std::uint64_t>::max()}));
}

TEST_CASE("log groups sort by position, whose bytes are big-endian") {
  CHECK(encoded_key(encode_log_key, position{0x0102030405060708}) == "\x01\x02\x03\x04\x05\x06\x07\x08");
  CHECK(is_ascending({encoded_key(encode_log_key, position{1}), encoded_key(encode_log_key, position{255}),
                      encoded_key(encode_log_key, position{256}), encoded_key(encode_log_key, position{65536}),
                      encoded_key(encode_log_key, position{std::numeric_limits<std::uint64_t>::max()})}));
}

TEST_CASE("a customer's newer order sorts before an older one") {
  const std::string tenant = GENERATE("", "shop");
  CHECK(is_ascending({encoded_key(encode_customer_key, tenant, "c", order_id_of(256)),
                      encoded_key(encode_customer_key, tenant, "c", order_id_of(255)),
                      encoded_key(encode_customer_key, tenant, "c", order_id_of(1))}));
}

TEST_CASE("no customer's keys begin with another customer's prefix, whatever their tenants") {
  const auto seed = testing::seed_of_run();
  INFO("ORDEM_SEED=" << seed);
  random_values random(seed);
  std::vector<std::string> customers = {"",
                                        "c",
                                        "c-1",
                                        "c-10",
                                        "c-100",
                                        std::string(1, '\0'),
                                        std::string(2, '\0'),
                                        "\xFF",
                                        "\xFF\xFF",
                                        std::string(512, 'x'),
                                        std::string(256, 'x')};
  const std::vector<std::string> tenants = {"", "s", "shop", "shop-2", std::string(1, '\0'), std::string(255, '\xFF')};
  for (int i = 0; i < 50; ++i) {
    // A customer id that equals the whole key of another customer.
    const std::string& tenant = tenants[random.up_to(tenants.size() - 1)];
    customers.push_back(
        encoded_key(encode_customer_key, tenant, customers[random.up_to(customers.size() - 1)], random.id())
            .substr(0, 512));
  }
  std::vector<std::pair<std::string, std::string>> all;
  for (const auto& tenant : tenants) {
    for (const auto& customer : customers) all.emplace_back(tenant, customer);
  }
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  for (const auto& one : all) {
    const std::string prefix = encoded_key(encode_customer_prefix, one.first, one.second);
    for (const auto& other : all) {
      // As the external id of another order, too.
      REQUIRE_FALSE(encoded_key(encode_external_id_key, other.first, other.second, random.id()).starts_with(prefix));
      if (one == other) continue;
      REQUIRE_FALSE(encoded_key(encode_customer_key, other.first, other.second, random.id()).starts_with(prefix));
    }
  }
}

TEST_CASE("keys decode to what was encoded") {
  const auto seed = testing::seed_of_run();
  INFO("ORDEM_SEED=" << seed);
  random_values random(seed);
  for (int i = 0; i < 300; ++i) {
    const std::string tenant = random.chance() ? "" : random.text(255);
    const std::string customer = random.text(512);
    const order_id id = random.id();
    const std::string key = encoded_key(encode_customer_key, tenant, customer, id);
    const auto listed = decode_customer_key(key);
    REQUIRE(listed);
    REQUIRE((listed->tenant == tenant && listed->customer_id == customer && listed->id == id));
    const std::string external = encoded_key(encode_external_id_key, tenant, customer, id);
    const auto named = decode_external_id_key(external);
    REQUIRE(named);
    REQUIRE((named->tenant == tenant && named->external_id == customer && named->id == id));
    REQUIRE_FALSE(decode_customer_key(external));
    REQUIRE_FALSE(decode_external_id_key(key));
    REQUIRE(decode_inverted_order_key(encoded_key(encode_inverted_order_key, id)) == id);
    const guid message = random.a_guid();
    REQUIRE(decode_message_key(encoded_key(encode_message_key, tenant, message)) == message_key{tenant, message});
    const capture_key capture = random.a_key();
    REQUIRE(decode_capture_key(encoded_key(encode_capture_key, tenant, capture)) ==
            tenant_capture_key{tenant, capture});
    const position first{random.number_up_to(~std::uint64_t{0})};
    REQUIRE(decode_log_key(encoded_key(encode_log_key, first)) == first);
  }
}

TEST_CASE("a key of a wrong length is not read") {
  const std::string tenant = GENERATE("", "shop");
  const std::string customer = encoded_key(encode_customer_key, tenant, "c-1001", order_id_of(1));
  for (std::size_t size = 0; size < customer.size(); ++size) CHECK_FALSE(decode_customer_key({customer.data(), size}));
  CHECK_FALSE(decode_customer_key(customer + '\0'));
  CHECK_FALSE(decode_log_key("1234567"));
  CHECK_FALSE(decode_log_key("123456789"));
  CHECK_FALSE(decode_capture_key(""));
  CHECK_FALSE(decode_capture_key(std::string_view("\0", 1)));
  CHECK_FALSE(decode_capture_key(std::string_view("\0a", 2)));
  CHECK_FALSE(decode_capture_key("abcd"));                         // its tenant would have 97 bytes
  CHECK_FALSE(decode_message_key(std::string_view("\4shop", 5)));  // without a GUID
  CHECK_FALSE(
      decode_customer_key(std::string("\x80\0", 2) + encoded_key(encode_customer_key, "", "c", order_id_of(1))));
}

TEST_CASE("messages and captures sort by the length and the bytes of their tenants, then by their names") {
  const auto all_keys = [](const auto& encode, const auto& low, const auto& high) {
    std::vector<std::string> keys;
    for (const std::string tenant : {"", "b", "\xFF", "aa"}) {
      keys.push_back(encoded_key(encode, tenant, low));
      keys.push_back(encoded_key(encode, tenant, high));
    }
    return keys;
  };
  CHECK(is_ascending(all_keys(encode_message_key, guid_of("A"), guid_of("z"))));
  CHECK(is_ascending(all_keys(encode_capture_key, testing::key_of("AA"), testing::key_of("zz"))));
}

TEST_CASE("different GUIDs have different keys") {
  CHECK(encoded_key(encode_message_key, "", guid_of("a")) != encoded_key(encode_message_key, "", guid_of("A")));
  CHECK(encoded_key(encode_message_key, "", guid_of("a")) != encoded_key(encode_message_key, "", guid_of("aa")));
  CHECK(encoded_key(encode_message_key, "a", guid_of("a")) != encoded_key(encode_message_key, "", guid_of("aa")));
}

}  // namespace
}  // namespace ordem::storage
