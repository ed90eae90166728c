// A heartbeat; varints, and strings with their length before them:
//
//   | format 1 | node | nonce 8, big-endian | role 1 | epoch | sequence | hash 8, big-endian | applied | owner
//   | http address | program version | members of later versions |

#include "cluster/protocol/heartbeat.hpp"

#include "engine/base/check.hpp"
#include "storage/records/bytes.hpp"

namespace ordem::cluster {
namespace {

constexpr std::uint8_t heartbeat_format = 1;
constexpr std::size_t text_bytes_max = 255;

std::string get_text(storage::byte_reader& from) {
  const std::string_view text = from.get_string();
  if (text.size() > text_bytes_max) from.fail();
  return std::string(text);
}

}  // namespace

std::string_view to_string(node_role role) noexcept {
  switch (role) {
    case node_role::joining: return "joining";
    case node_role::standby: return "standby";
    case node_role::claiming: return "claiming";
    case node_role::owner: return "owner";
    case node_role::stopped: return "stopped";
  }
  return "unknown";
}

std::string encode_heartbeat(const heartbeat& what) {
  std::string bytes;
  storage::byte_writer to{bytes};
  const auto put_text = [&to](const std::string& text) {
    ORDEM_CHECK(text.size() <= text_bytes_max);
    to.put_string(text);
  };
  to.put_byte(heartbeat_format);
  put_text(what.node);
  to.put_big_endian(what.nonce);
  to.put_byte(static_cast<std::uint8_t>(what.role));
  to.put_varint(what.epoch);
  to.put_varint(what.sequence);
  to.put_big_endian(what.hash);
  to.put_varint(what.applied.number);
  put_text(what.owner);
  put_text(what.http_address);
  put_text(what.program_version);
  return bytes;
}

std::optional<heartbeat> decode_heartbeat(std::string_view bytes) {
  storage::byte_reader from{bytes};
  if (from.get_byte() != heartbeat_format) return std::nullopt;
  heartbeat what;
  what.node = get_text(from);
  what.nonce = from.get_big_endian();
  const std::uint8_t role = from.get_byte();
  what.epoch = from.get_varint();
  what.sequence = from.get_varint();
  what.hash = from.get_big_endian();
  what.applied = {from.get_varint()};
  what.owner = get_text(from);
  what.http_address = get_text(from);
  what.program_version = get_text(from);
  if (!from.ok() || what.node.empty()) return std::nullopt;
  if (role < static_cast<std::uint8_t>(node_role::joining) || role > static_cast<std::uint8_t>(node_role::stopped)) {
    return std::nullopt;
  }
  what.role = node_role{role};
  return what;
}

}  // namespace ordem::cluster
