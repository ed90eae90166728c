// Records and keys as they stand on the disk. The first byte says of what kind: '0' order, '1' message, '2' capture,
// '3' log group, '4' key, '5' clock, '6' record of the log, '7' header of a file of the log.
//
// What decodes must, once it is encoded again, decode to an equal value and encode to the same bytes from then on; cut
// short or with a byte behind its end it must not decode. A key must encode to the bytes that it was read from.

#include "storage/records/capture_record.hpp"
#include "storage/records/keys.hpp"
#include "storage/records/lifetime.hpp"
#include "storage/records/log_group.hpp"
#include "storage/records/log_record.hpp"
#include "storage/records/message_record.hpp"
#include "storage/records/order_record.hpp"
#include "storage/records/segment_header.hpp"

#include <memory>
#include <utility>

#include "storage/records/clock_record.hpp"
#include "tests/fuzz/support.hpp"

namespace ordem::storage {
namespace {

// Decode: of bytes to an optional value. Encode: of a value to bytes. Equal: of two values.
template <class Decode, class Encode, class Equal>
void check_record(std::string_view record, Decode decode, Encode encode, Equal equal) {
  const auto value = decode(record);
  if (!value) return;
  ORDEM_CHECK(!decode(record.substr(0, record.size() - 1)));
  ORDEM_CHECK(!decode(std::string(record) + '\0'));
  const std::string bytes = encode(*value);
  const auto again = decode(bytes);
  ORDEM_CHECK(again.has_value());
  ORDEM_CHECK(equal(*again, *value));
  ORDEM_CHECK(encode(*again) == bytes);
}

template <class Value>
bool are_equal(const Value& a, const Value& b) {
  return a == b;
}

void check_order(std::string_view record) {
  check_record(
      record, [](std::string_view bytes) { return decode_order({}, bytes); },
      [](const order& what) {
        std::string bytes;
        encode_order(bytes, what);
        return bytes;
      },
      are_equal<order>);
}

void check_lifetime(std::string_view record, timestamp made_at, timestamp expires_at) {
  const auto read = decode_lifetime(record);
  ORDEM_CHECK(read && read->made_at == made_at && read->expires_at == expires_at);
}

void check_message(std::string_view record) {
  const auto read = decode_message(record);
  if (read) check_lifetime(record, read->created_at, read->expires_at);
  check_record(
      record, decode_message,
      [](const message_record& what) {
        std::string bytes;
        encode_message(bytes, what);
        return bytes;
      },
      are_equal<message_record>);
}

void check_capture(std::string_view record) {
  const auto read = decode_capture(record);
  if (read) check_lifetime(record, read->allocated_at, read->expires_at.value_or(timestamp::max()));
  check_record(
      record, decode_capture,
      [](const capture& what) {
        std::string bytes;
        encode_capture(bytes, what);
        return bytes;
      },
      are_equal<capture>);
}

bool are_equal_entries(const entry& a, const entry& b) {
  if (a.index() != b.index()) return false;
  if (const auto* message = std::get_if<message_entry>(&a)) {
    const auto& other = std::get<message_entry>(b);
    const bool same_order = message->after == nullptr || other.after == nullptr ? message->after == other.after
                                                                                : *message->after == *other.after;
    return message->guid == other.guid && message->record == other.record && same_order;
  }
  const auto& one = std::get<capture_entry>(a);
  const auto& other = std::get<capture_entry>(b);
  const bool same_after =
      one.after == nullptr || other.after == nullptr ? one.after == other.after : *one.after == *other.after;
  return one.key == other.key && one.at == other.at && same_after && one.tenant() == other.tenant();
}

bool are_equal_groups(const log_group& a, const log_group& b) {
  return a.clock == b.clock &&
         std::equal(a.entries.begin(), a.entries.end(), b.entries.begin(), b.entries.end(), are_equal_entries);
}

void check_log_group(std::string_view record) {
  if (const auto read = decode_log_group(record)) ORDEM_CHECK(decode_log_group_clock(record) == read->clock);
  check_record(
      record, decode_log_group,
      [](const log_group& group) {
        std::string bytes;
        encode_log_group(bytes, group.clock, group.entries);
        return bytes;
      },
      are_equal_groups);
}

// A record that is intact must be framed the same way again, and must not be intact without its end.
void check_log_record(std::string_view input) {
  auto header = decode_log_record_header(input);
  if (!header) return;
  const std::size_t bytes = log_record_bytes(header->payload_bytes);
  if (bytes > input.size() || !is_intact(*header, input.substr(0, bytes))) return;
  const std::string_view payload = payload_of(*header, input);
  std::string again(log_record_header_bytes, '\0');
  again += payload;
  frame_log_record(again, *header);
  ORDEM_CHECK(again == input.substr(0, bytes));
  again.back() = '\0';
  ORDEM_CHECK(!is_intact(*header, again));
}

void check_segment_header(std::string_view input) {
  const auto header = decode_segment_header(input);
  if (!header) return;
  ORDEM_CHECK(!decode_segment_header(input.substr(0, segment_header_bytes - 1)));
  std::string bytes;
  encode_segment_header(bytes, *header);
  const auto again = decode_segment_header(bytes);
  ORDEM_CHECK(again && again->log_id == header->log_id && again->first == header->first &&
              again->bytes_before == header->bytes_before && again->hash_before == header->hash_before);
}

void check_clock(std::string_view record) {
  check_record(
      record, decode_clock_state,
      [](const clock_state& what) {
        std::string bytes;
        encode_clock_state(bytes, what);
        return bytes;
      },
      are_equal<clock_state>);
}

void check_key(std::string_view key) {
  std::string bytes;
  if (const auto id = decode_order_key(key)) {
    encode_order_key(bytes, *id);
    ORDEM_CHECK(bytes == key);
  }
  bytes.clear();
  if (const auto id = decode_message_key(key)) {
    encode_message_key(bytes, id->tenant, id->name);
    ORDEM_CHECK(bytes == key);
  }
  bytes.clear();
  if (const auto name = decode_capture_key(key)) {
    encode_capture_key(bytes, name->tenant, name->name);
    ORDEM_CHECK(bytes == key);
  }
  bytes.clear();
  if (const auto first = decode_log_key(key)) {
    encode_log_key(bytes, *first);
    ORDEM_CHECK(bytes == key);
  }
  bytes.clear();
  if (const auto listed = decode_customer_key(key)) {
    encode_customer_key(bytes, listed->tenant, listed->customer_id, listed->id);
    ORDEM_CHECK(bytes == key);
  }
  bytes.clear();
  if (const auto named = decode_external_id_key(key)) {
    encode_external_id_key(bytes, named->tenant, named->external_id, named->id);
    ORDEM_CHECK(bytes == key);
  }
}

void run(std::string_view input) {
  switch (fuzz::take_choice(input, 8)) {
    case 0: return check_order(input);
    case 1: return check_message(input);
    case 2: return check_capture(input);
    case 3: return check_log_group(input);
    case 4: return check_key(input);
    case 5: return check_clock(input);
    case 6: return check_log_record(input);
    default: return check_segment_header(input);
  }
}

}  // namespace
}  // namespace ordem::storage

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ordem::storage::run(ordem::fuzz::text_of(data, size));
  return 0;
}
