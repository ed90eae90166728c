// The frame of a record of the log and the header of a segment: whatever happens to a byte of them is noticed.

#include "storage/records/log_record.hpp"

#include <catch2/catch.hpp>
#include <string>

#include "storage/records/segment_header.hpp"
#include "tests/storage/support.hpp"
#include "tests/support_cpp/seed.hpp"

namespace ordem::storage {
namespace {

using testing::random_values;

log_record_header random_header(random_values& random) {
  log_record_header header;
  header.kind = static_cast<log_record_kind>(1 + random.up_to(5));
  header.entries = static_cast<std::uint32_t>(1 + random.up_to(4095));
  header.epoch = random.number_up_to(~std::uint64_t{0});
  header.first = {1 + random.number_up_to(~std::uint64_t{0} >> 1)};
  header.time = random.time();
  header.durable = {random.number_up_to(header.first.number - 1)};
  header.hash_before = random.number_up_to(~std::uint64_t{0});
  return header;
}

std::string framed(const std::string& payload, log_record_header& header) {
  std::string record(log_record_header_bytes, 'x');
  record += payload;
  frame_log_record(record, header);
  return record;
}

// Returns whether a reader accepts the bytes as one whole record.
bool is_accepted_record(std::string_view bytes) {
  const auto header = decode_log_record_header(bytes);
  return header && log_record_bytes(header->payload_bytes) == bytes.size() && is_intact(*header, bytes);
}

TEST_CASE("a record of the log comes back from its frame as it was") {
  const auto seed = testing::seed_of_run();
  INFO("ORDEM_SEED=" << seed);
  random_values random(seed);
  for (int i = 0; i < 300; ++i) {
    const std::string payload = random.text(300);
    log_record_header header = random_header(random);
    const std::string record = framed(payload, header);
    REQUIRE(header.payload_bytes == payload.size());
    REQUIRE(record.size() == log_record_bytes(payload.size()));
    REQUIRE(record.size() % log_record_alignment == 0);
    REQUIRE(record.starts_with(log_record_magic));
    const auto read = decode_log_record_header(record);
    REQUIRE(read);
    REQUIRE(read->kind == header.kind);
    REQUIRE(read->payload_bytes == header.payload_bytes);
    REQUIRE(read->entries == header.entries);
    REQUIRE(read->epoch == header.epoch);
    REQUIRE(read->first == header.first);
    REQUIRE(read->time == header.time);
    REQUIRE(read->durable == header.durable);
    REQUIRE(read->hash_before == header.hash_before);
    REQUIRE(read->hash == header.hash);
    REQUIRE(is_intact(*read, record));
    REQUIRE(payload_of(*read, record) == payload);
  }
}

TEST_CASE("a record of an unknown kind is not accepted") {
  for (const std::uint8_t kind : {std::uint8_t{0}, std::uint8_t{7}, std::uint8_t{255}}) {
    log_record_header header;
    header.kind = log_record_kind{kind};
    header.entries = 1;
    header.first = {1};
    CHECK_FALSE(decode_log_record_header(framed("payload", header)));
  }
}

// So that a record of which only a beginning was written into zeros shows it.
TEST_CASE("no record of the log ends in a zero, whatever its payload") {
  for (std::size_t size = 0; size < 20; ++size) {
    log_record_header header;
    header.entries = 1;
    header.first = {1};
    const std::string record = framed(std::string(size, '\0'), header);
    CHECK(record.back() != '\0');
    CHECK(is_accepted_record(record));
  }
}

TEST_CASE("no inverted bit of a record of the log goes unnoticed, and no missing end") {
  random_values random(1);
  for (std::size_t size = 0; size < 2 * log_record_alignment; ++size) {
    log_record_header header = random_header(random);
    const std::string record = framed(std::string(size, 'p'), header);
    REQUIRE(is_accepted_record(record));
    for (std::size_t bit = 0; bit < 8 * record.size(); ++bit) {
      INFO("bit " << bit % 8 << " of byte " << bit / 8 << " of " << record.size() << ", payload of " << size);
      std::string damaged = record;
      damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ 1 << bit % 8);
      REQUIRE_FALSE(is_accepted_record(damaged));
    }
    for (std::size_t end = 0; end < record.size(); ++end) {
      // Cut short, or never written from there on.
      CHECK_FALSE(is_accepted_record(record.substr(0, end)));
      CHECK_FALSE(is_accepted_record(record.substr(0, end) + std::string(record.size() - end, '\0')));
    }
  }
}

// A wrong length would make a damaged record look like one that was not written to its end.
TEST_CASE("no inverted bit in a header of a record of the log gives another length") {
  random_values random(1);
  log_record_header header = random_header(random);
  const std::string record = framed("payload", header);
  constexpr std::size_t hash_offset = log_record_header_bytes - 8;
  for (std::size_t bit = 0; bit < 8 * hash_offset; ++bit) {
    std::string damaged = record;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ 1 << bit % 8);
    const auto read = decode_log_record_header(damaged);
    if (read) CHECK(read->payload_bytes == header.payload_bytes);
  }
}

TEST_CASE("a payload of one record is not intact behind the header of another") {
  random_values random(1);
  log_record_header one = random_header(random);
  log_record_header other = random_header(random);
  std::string record = framed("payload 1", one);
  const std::string second = framed("payload 2", other);
  record.replace(log_record_header_bytes, 9, second, log_record_header_bytes, 9);
  CHECK_FALSE(is_accepted_record(record));
}

// --- segment headers ---

std::string bytes_of(const segment_header& what) {
  std::string bytes;
  encode_segment_header(bytes, what);
  return bytes;
}

const segment_header sample_header{"6f1c2b1e-1f5b-4a44-9d3c-0a7d3a4e5b6c", {66000}, 70'000, 0x0123456789ABCDEF};
constexpr std::size_t header_fields_bytes = 8 + 1 + 36 + 4 * 8;

TEST_CASE("a segment header comes back as it was, also with bytes behind it") {
  for (const auto& bytes : {bytes_of(sample_header), bytes_of(sample_header) + "records"}) {
    const auto read = decode_segment_header(bytes);
    REQUIRE(read);
    CHECK(read->log_id == sample_header.log_id);
    CHECK(read->first == sample_header.first);
    CHECK(read->bytes_before == sample_header.bytes_before);
    CHECK(read->hash_before == sample_header.hash_before);
  }
}

TEST_CASE("no inverted bit of a segment header goes unnoticed, and no missing end") {
  const std::string whole = bytes_of(sample_header);
  REQUIRE(whole.size() == segment_header_bytes);
  for (std::size_t bit = 0; bit < 8 * header_fields_bytes; ++bit) {
    std::string damaged = whole;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ 1 << bit % 8);
    INFO("bit " << bit % 8 << " of byte " << bit / 8);
    CHECK_FALSE(decode_segment_header(damaged));
  }
  for (std::size_t size = 0; size < whole.size(); ++size) CHECK_FALSE(decode_segment_header(whole.substr(0, size)));
}

}  // namespace
}  // namespace ordem::storage
