// Golden files for the bytes on disk: an unintended change of a format fails here. If the change is intended, give
// the format a new number and write the files again: run this test binary once with ORDEM_UPDATE_GOLDEN=1.

#include <catch2/catch.hpp>
#include <fstream>
#include <functional>
#include <sstream>
#include <string>
#include <vector>

#include "storage/records/capture_record.hpp"
#include "storage/records/clock_record.hpp"
#include "storage/records/keys.hpp"
#include "storage/records/lifetime.hpp"
#include "storage/records/log_group.hpp"
#include "storage/records/log_record.hpp"
#include "storage/records/message_record.hpp"
#include "storage/records/order_record.hpp"
#include "storage/records/segment_header.hpp"
#include "tests/storage/support.hpp"
#include "tests/support_cpp/golden.hpp"

namespace ordem::storage {
namespace {

using testing::content_of;
using testing::guid_of;
using testing::order_id_of;
using testing::sample_time;

const origin golden_origin{"tenant-1", "importer"};

order golden_order() {
  order what;
  what.id = order_id::parse("0190b3f2-9f6c-7cc0-8000-5f3a1c2d4e6f").value();
  what.version = {300};
  what.status = order_status::confirmed;
  what.content = content_of("c-1001");
  what.content.items.push_back({"B-2", 1'000'000, money::of_minor_units(0).value()});
  what.content.attributes = json_object{{"array", {json_array{{json_number{"-1.5e3"}}, {nullptr}, {json_object{}}}}},
                                        {"channel", {std::string("web")}},
                                        {"gift", {true}}};
  what.total = total_of(what.content.items).value();
  what.created_at = sample_time;
  what.updated_at = sample_time + milliseconds(1500);
  what.content.external_id = "PO-\xC3\xA4-7";
  what.origin = golden_origin;
  what.merged_from = version{297};
  return what;
}

message_record golden_message() {
  message_record what;
  what.fingerprint = {0x0123456789ABCDEF, 0xFEDCBA9876543210};
  what.outcome.verdict = verdict::order_created;
  what.outcome.order = golden_order().id;
  what.outcome.version = {1};
  what.outcome.status = order_status::fresh;
  what.created_at = sample_time;
  what.expires_at = sample_time + std::chrono::hours(24);
  what.origin = golden_origin;
  return what;
}

message_record golden_rejection() {
  message_record what = golden_message();
  what.outcome.verdict = verdict::status_not_allowed;
  what.outcome.version = {300};
  what.outcome.status = order_status::confirmed;
  what.outcome.requested_status = order_status::delivered;
  what.outcome.expected_version = ordem::expected_version{{300}, true};
  what.command = change_status{order_status::delivered};
  return what;
}

message_record golden_patch() {
  message_record what = golden_message();
  what.outcome.verdict = verdict::content_changed;
  what.outcome.version = {2};
  what.outcome.expected_version = ordem::expected_version{{1}, false};
  merge_content patch;
  patch.customer_id = "c-2002";
  patch.items = content_of().items;
  patch.attributes = json_object{{"channel", {nullptr}}, {"gift", {false}}};
  patch.external_id = "PO-8";
  what.command = std::move(patch);
  return what;
}

message_record golden_removal() {
  message_record what = golden_patch();
  merge_content patch;
  patch.external_id = merge_content::remove_external_id{};
  what.command = std::move(patch);
  return what;
}

message_record golden_merge() {
  message_record what = golden_patch();
  what.outcome.expected_version->merges = true;
  return what;
}

message_record golden_content_command() {
  message_record what = golden_message();
  what.outcome.verdict = verdict::stale_version;
  what.outcome.expected_version = ordem::expected_version{{7}, false};
  order_content content = content_of();
  content.external_id = "PO-9";
  what.command = replace_content{std::move(content)};
  return what;
}

// The order after golden_message().
shared_order golden_created() {
  order what = golden_order();
  what.version = {1};
  what.status = order_status::fresh;
  what.updated_at = what.created_at;
  what.merged_from.reset();
  return testing::shared(std::move(what));
}

std::vector<entry> golden_group() {
  return {message_entry{guid_of("8e03978e-40d5-43e8-bc93-6894a57f9324"), golden_message(), nullptr, golden_created()},
          message_entry{guid_of("k"), golden_rejection(), nullptr, nullptr}};
}

capture golden_allocation() {
  return {sample_time, sample_time + std::chrono::minutes(1), sample_time + std::chrono::hours(24), nullptr,
          golden_origin};
}

capture golden_capture() {
  const captured_response response{201,
                                   std::string("{\"a\":\"\xC3\xA4\"}\0", 11),
                                   {{"Content-Type", "application/json"},
                                    {"Set-Cookie", std::vector<std::string>{"a=1", "b=2"}},
                                    {"Empty", std::vector<std::string>{}}}};
  return {sample_time, std::nullopt, sample_time + std::chrono::hours(48),
          std::make_shared<const captured_response>(response), golden_origin};
}

const capture_key golden_key = testing::key_of("b3JkZXI_LTE");

// The changes of one capture, and a message between them.
std::vector<entry> golden_mixed_group() {
  return {capture_entry{golden_key, sample_time, std::make_shared<const capture>(golden_allocation())},
          message_entry{guid_of("k"), golden_message(), nullptr, golden_created()},
          capture_entry{golden_key, sample_time + milliseconds(300), std::make_shared<const capture>(golden_capture())},
          capture_entry{testing::key_of("AA"), sample_time + milliseconds(400), nullptr, golden_origin.tenant}};
}

template <class Encode, class... Arguments>
std::string encoded(Encode encode, const Arguments&... arguments) {
  std::string bytes;
  encode(bytes, arguments...);
  return bytes;
}

clock_state golden_clock() {
  using std::chrono::hours;
  return {sample_time,      "ce055624-fa32-4e07-8957-0ece5d801f1e",
          milliseconds(-5), std::chrono::minutes(1),
          hours(100),       {{sample_time - hours(40), hours(2)}, {sample_time - hours(30), hours(25)}}};
}

log_record_header golden_record_header() {
  log_record_header header;
  header.entries = 2;
  header.epoch = 1;
  header.first = {66000};
  header.time = sample_time;
  header.durable = {65998};
  header.hash_before = 0x0123456789ABCDEF;
  return header;
}

// A record of golden_group().
std::string golden_record() {
  std::string bytes(log_record_header_bytes, '\0');
  encode_log_group(bytes, std::nullopt, golden_group());
  log_record_header header = golden_record_header();
  frame_log_record(bytes, header);
  return bytes;
}

const segment_header golden_segment{"6f1c2b1e-1f5b-4a44-9d3c-0a7d3a4e5b6c", {66000}, 70'000'000, 0xFEDCBA9876543210};

const std::string golden_folder = "tests/storage/golden/";

std::vector<testing::golden> all_golden() {
  const order_id id = golden_order().id;
  return {
      {"order", "the record of an order with two items, nested attributes, an external id, version 300 merged from 297",
       encoded(encode_order, golden_order())},
      {"message", "the record of a message that created an order", encoded(encode_message, golden_message())},
      {"message_rejected", "the record of a rejected status change by If-Match, with its command",
       encoded(encode_message, golden_rejection())},
      {"message_patched", "the record of a merge patch, with its command", encoded(encode_message, golden_patch())},
      {"message_external_id_removed", "the record of a merge patch that removes the external id, with its command",
       encoded(encode_message, golden_removal())},
      {"message_merging", "the record of an update that may be merged", encoded(encode_message, golden_merge())},
      {"message_stale", "the record of a stale replacement, with its command",
       encoded(encode_message, golden_content_command())},
      {"capture_allocated", "the record of a capture with a lease of a minute, kept for a day",
       encoded(encode_capture, golden_allocation())},
      {"capture_allocated_for_ever", "the record of a capture whose lease and time have no end",
       encoded(encode_capture, capture{sample_time, std::nullopt, std::nullopt, nullptr})},
      {"capture_completed", "the record of a capture with a response: U+0000 in its body, lists among its headers",
       encoded(encode_capture, golden_capture())},
      {"clock", "the state of a clock that leads by a minute, after two steps",
       encoded(encode_clock_state, golden_clock())},
      {"log_group_mixed", "a log group: a clock, an allocation, a message, a recorded capture, one that was given up",
       encoded(encode_log_group, std::optional(golden_clock()), golden_mixed_group())},
      {"log_group", "a group of two log entries",
       encoded(encode_log_group, std::optional<clock_state>(), golden_group())},
      {"log_record", "the record of a group of two log entries at position 66000", golden_record()},
      {"segment_header", "the header of a file of the log that begins at position 66000",
       encoded(encode_segment_header, golden_segment)},
      {"order_key", "the key of an order", encoded(encode_order_key, id)},
      {"version_key", "the key of version 300 of an order", encoded(encode_version_key, id, version{300})},
      {"message_key", "the key of the message with the GUID k-1", encoded(encode_message_key, "", guid_of("k-1"))},
      {"tenant_message_key", "the key of the message with the GUID k-1 of tenant-1",
       encoded(encode_message_key, golden_origin.tenant, guid_of("k-1"))},
      {"capture_key", "the key of the capture b3JkZXI_LTE", encoded(encode_capture_key, "", golden_key)},
      {"tenant_capture_key", "the key of the capture b3JkZXI_LTE of tenant-1",
       encoded(encode_capture_key, golden_origin.tenant, golden_key)},
      {"log_key", "the key of the log group that begins at position 66000", encoded(encode_log_key, position{66000})},
      {"customer_key", "the key of an order of customer c-1001", encoded(encode_customer_key, "", "c-1001", id)},
      {"tenant_customer_key", "the key of an order of customer c-1001 of tenant-1",
       encoded(encode_customer_key, golden_origin.tenant, "c-1001", id)},
      {"external_id_key", "the key of an order with the external id PO-7",
       encoded(encode_external_id_key, "", "PO-7", id)},
      {"tenant_external_id_key", "the key of an order of tenant-1 with the external id PO-7",
       encoded(encode_external_id_key, golden_origin.tenant, "PO-7", id)},
  };
}

std::string read_bytes(const std::string& name) {
  std::ifstream file(golden_folder + name + ".hex");
  std::string bytes;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with('#')) continue;
    std::istringstream pairs(line);
    for (std::string pair; pairs >> pair;) bytes += static_cast<char>(std::stoi(pair, nullptr, 16));
  }
  return bytes;
}

TEST_CASE("records and keys have the bytes that their golden files hold") {
  testing::check_golden(golden_folder, all_golden());
}

TEST_CASE("golden files decode to what they were made of") {
  CHECK(decode_order(golden_order().id, read_bytes("order")) == golden_order());
  CHECK(decode_message(read_bytes("message")) == golden_message());
  CHECK(decode_message(read_bytes("message_rejected")) == golden_rejection());
  CHECK(decode_message(read_bytes("message_patched")) == golden_patch());
  CHECK(decode_message(read_bytes("message_external_id_removed")) == golden_removal());
  CHECK(decode_message(read_bytes("message_merging")) == golden_merge());
  CHECK(decode_message(read_bytes("message_stale")) == golden_content_command());
  CHECK(decode_log_key(read_bytes("log_key")) == position{66000});
  CHECK(decode_message_key(read_bytes("message_key")) == message_key{"", guid_of("k-1")});
  CHECK(decode_message_key(read_bytes("tenant_message_key")) == message_key{golden_origin.tenant, guid_of("k-1")});
  for (const std::string& tenant : {std::string(), golden_origin.tenant}) {
    const std::string key = read_bytes(tenant.empty() ? "customer_key" : "tenant_customer_key");
    const auto listed = decode_customer_key(key);
    REQUIRE(listed);
    CHECK(listed->tenant == tenant);
    CHECK(listed->customer_id == "c-1001");
    CHECK(listed->id == golden_order().id);
    CHECK_FALSE(decode_external_id_key(key));

    const std::string external = read_bytes(tenant.empty() ? "external_id_key" : "tenant_external_id_key");
    const auto named = decode_external_id_key(external);
    REQUIRE(named);
    CHECK(named->tenant == tenant);
    CHECK(named->external_id == "PO-7");
    CHECK(named->id == golden_order().id);
    CHECK_FALSE(decode_customer_key(external));
  }

  CHECK(decode_capture(read_bytes("capture_allocated")) == golden_allocation());
  CHECK(decode_capture(read_bytes("capture_allocated_for_ever")) == capture{sample_time, {}, {}, nullptr});
  CHECK(decode_capture(read_bytes("capture_completed")) == golden_capture());
  CHECK(decode_capture_key(read_bytes("capture_key")) == tenant_capture_key{"", golden_key});
  CHECK(decode_capture_key(read_bytes("tenant_capture_key")) == tenant_capture_key{golden_origin.tenant, golden_key});
  CHECK(decode_clock_state(read_bytes("clock")) == golden_clock());
}

TEST_CASE("golden log groups decode to the entries that they were made of") {
  const auto [name, clock, written] = GENERATE(table<std::string, std::optional<clock_state>, std::vector<entry>>(
      {{"log_group", std::nullopt, golden_group()}, {"log_group_mixed", golden_clock(), golden_mixed_group()}}));
  const auto group = decode_log_group(read_bytes(name));
  REQUIRE(group);
  CHECK(group->clock == clock);
  REQUIRE(group->entries.size() == written.size());
  for (std::size_t i = 0; i < written.size(); ++i) CHECK(testing::is_logged_as(written[i], group->entries[i]));
}

TEST_CASE("the golden record of the log and the golden segment header decode to what they were made of") {
  const std::string record = read_bytes("log_record");
  const auto header = decode_log_record_header(record);
  REQUIRE(header);
  const log_record_header expected = golden_record_header();
  CHECK(header->entries == expected.entries);
  CHECK(header->epoch == expected.epoch);
  CHECK(header->first == expected.first);
  CHECK(header->last() == position{66001});
  CHECK(header->time == expected.time);
  CHECK(header->durable == expected.durable);
  CHECK(header->hash_before == expected.hash_before);
  REQUIRE(record.size() == log_record_bytes(header->payload_bytes));
  CHECK(is_intact(*header, record));
  CHECK(payload_of(*header, record) == read_bytes("log_group"));

  const auto segment = decode_segment_header(read_bytes("segment_header"));
  REQUIRE(segment);
  CHECK(segment->log_id == golden_segment.log_id);
  CHECK(segment->first == golden_segment.first);
  CHECK(segment->bytes_before == golden_segment.bytes_before);
  CHECK(segment->hash_before == golden_segment.hash_before);
}

// --- earlier formats ---

order before_external_ids(order what) {
  what.content.external_id.reset();
  what.merged_from.reset();
  return what;
}
message_record before_external_ids(message_record what) {
  if (!what.command) return what;
  if (auto* patch = std::get_if<merge_content>(&*what.command)) patch->external_id = {};
  if (auto* replace = std::get_if<replace_content>(&*what.command)) replace->content.external_id.reset();
  return what;
}

// Data folders still have them.
TEST_CASE("records of format 2 decode, without an external id and a merge") {
  CHECK(decode_order(golden_order().id, read_bytes("order_v2")) == before_external_ids(golden_order()));
  CHECK(decode_message(read_bytes("message_v2")) == golden_message());
  CHECK(decode_message(read_bytes("message_rejected_v2")) == golden_rejection());
  CHECK(decode_message(read_bytes("message_patched_v2")) == before_external_ids(golden_patch()));
  CHECK(decode_message(read_bytes("message_stale_v2")) == before_external_ids(golden_content_command()));
  const auto lifetime = decode_lifetime(read_bytes("message_v2"));
  REQUIRE(lifetime);
  CHECK(lifetime->made_at == sample_time);

  const auto group = decode_log_group(read_bytes("log_group_records_v2"));
  REQUIRE(group);
  REQUIRE(group->entries.size() == 2);
  const auto& created = std::get<message_entry>(group->entries[0]);
  REQUIRE(created.after != nullptr);
  CHECK(*created.after == before_external_ids(*golden_created()));
}

order without_origin(order what) {
  what.origin = {};
  return before_external_ids(std::move(what));
}
message_record without_origin(message_record what) {
  what.origin = {};
  return before_external_ids(std::move(what));
}
capture without_origin(capture what) {
  what.origin = {};
  return what;
}

TEST_CASE("records of format 1 decode, with an empty origin") {
  CHECK(decode_order(golden_order().id, read_bytes("order_v1")) == without_origin(golden_order()));
  CHECK(decode_message(read_bytes("message_v1")) == without_origin(golden_message()));
  CHECK(decode_message(read_bytes("message_rejected_v1")) == without_origin(golden_rejection()));
  CHECK(decode_message(read_bytes("message_patched_v1")) == without_origin(golden_patch()));
  CHECK(decode_message(read_bytes("message_stale_v1")) == without_origin(golden_content_command()));
  CHECK(decode_capture(read_bytes("capture_allocated_v1")) == without_origin(golden_allocation()));
  CHECK(decode_capture(read_bytes("capture_allocated_for_ever_v1")) == capture{sample_time, {}, {}, nullptr});
  CHECK(decode_capture(read_bytes("capture_completed_v1")) == without_origin(golden_capture()));
  for (const char* name : {"message_v1", "capture_allocated_v1", "capture_allocated_for_ever_v1"}) {
    const std::string kept = read_bytes(name);
    const auto lifetime = decode_lifetime(kept);
    REQUIRE(lifetime);
    CHECK(lifetime->made_at == sample_time);
  }
}

// Only an upgrade reads them (storage/rocksdb/old_log.cpp), because they do not hold the orders.
TEST_CASE("log groups of format 3 decode to nothing") {
  for (const char* name : {"log_group_v3", "log_group_mixed_v3"}) {
    REQUIRE_FALSE(read_bytes(name).empty());
    CHECK_FALSE(decode_log_group(read_bytes(name)));
  }
}

}  // namespace
}  // namespace ordem::storage
