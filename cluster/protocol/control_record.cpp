// Payloads; varints, and strings with their length before them:
//
//   GENESIS    | format 1 | cluster id 36 | partitions | partition | data format |
//   EPOCH      | format 1 | node | nonce 8, big-endian | http address |
//   RELEASE    | format 1 | successor |
//   BARRIER    | |
//   FORMAT     | format 1 | data format |

#include "cluster/protocol/control_record.hpp"

#include "engine/base/check.hpp"
#include "storage/records/fields.hpp"
#include "storage/records/log_record.hpp"

namespace ordem::cluster {
namespace {

using storage::byte_reader;
using storage::byte_writer;
using storage::checked;

constexpr std::uint8_t control_format = 1;
constexpr std::size_t cluster_id_bytes = 36;

std::string get_text(byte_reader& from, std::size_t bytes_max) {
  const std::string_view text = from.get_string();
  if (text.size() > bytes_max) from.fail();
  return std::string(text);
}

std::uint32_t get_number(byte_reader& from) {
  const std::uint64_t number = from.get_varint();
  if (number > UINT32_MAX) from.fail();
  return static_cast<std::uint32_t>(number);
}

}  // namespace

void encode_control_record(std::string& out, const genesis_record& what) {
  ORDEM_CHECK(what.cluster_id.size() == cluster_id_bytes);
  byte_writer to{out};
  to.put_byte(control_format);
  to.put_text(what.cluster_id);
  to.put_varint(what.partitions);
  to.put_varint(what.partition);
  to.put_varint(what.data_format);
}

void encode_control_record(std::string& out, const epoch_record& what) {
  ORDEM_CHECK(what.node.size() <= node_name_bytes_max && what.http_address.size() <= node_address_bytes_max);
  byte_writer to{out};
  to.put_byte(control_format);
  to.put_string(what.node);
  to.put_big_endian(what.nonce);
  to.put_string(what.http_address);
}

void encode_control_record(std::string& out, const release_record& what) {
  ORDEM_CHECK(what.successor.size() <= node_name_bytes_max);
  byte_writer to{out};
  to.put_byte(control_format);
  to.put_string(what.successor);
}

void encode_control_record(std::string& out, const format_record& what) {
  byte_writer to{out};
  to.put_byte(control_format);
  to.put_varint(what.data_format);
}

std::optional<genesis_record> decode_genesis(std::string_view payload) {
  byte_reader from{payload};
  storage::check_format(from, control_format);
  genesis_record what;
  what.cluster_id = from.get_bytes(cluster_id_bytes);
  what.partitions = get_number(from);
  what.partition = get_number(from);
  what.data_format = get_number(from);
  if (what.partition >= what.partitions) return std::nullopt;
  return checked(from, std::move(what));
}

std::optional<epoch_record> decode_epoch(std::string_view payload) {
  byte_reader from{payload};
  storage::check_format(from, control_format);
  epoch_record what;
  what.node = get_text(from, node_name_bytes_max);
  what.nonce = from.get_big_endian();
  what.http_address = get_text(from, node_address_bytes_max);
  if (what.node.empty()) return std::nullopt;
  return checked(from, std::move(what));
}

std::optional<release_record> decode_release(std::string_view payload) {
  byte_reader from{payload};
  storage::check_format(from, control_format);
  release_record what;
  what.successor = get_text(from, node_name_bytes_max);
  return checked(from, std::move(what));
}

std::optional<format_record> decode_format(std::string_view payload) {
  byte_reader from{payload};
  storage::check_format(from, control_format);
  return checked(from, format_record{get_number(from)});
}

std::string genesis_log_record(const genesis_record& what, timestamp time) {
  std::string record(storage::log_record_header_bytes, '\0');
  encode_control_record(record, what);
  storage::log_record_header header;
  header.kind = storage::log_record_kind::genesis;
  header.first = {1};
  header.time = time;
  storage::frame_log_record(record, header);
  return record;
}

}  // namespace ordem::cluster
