#include "storage/records/clock_record.hpp"

#include "storage/records/bytes.hpp"

namespace ordem::storage {
namespace {

constexpr std::uint8_t clock_format = 1;

void put_ms(byte_writer& to, milliseconds value) {
  to.put_varint(static_cast<std::uint64_t>(value.count()));
}

milliseconds get_ms(byte_reader& from) {
  return milliseconds(static_cast<std::int64_t>(from.get_varint()));
}

}  // namespace

void encode_clock_state(std::string& out, const clock_state& what) {
  byte_writer to{out};
  to.put_byte(clock_format);
  put_ms(to, what.time.time_since_epoch());
  to.put_string(what.boot);
  to.put_big_endian(static_cast<std::uint64_t>(what.offset.count()));
  put_ms(to, what.lead);
  put_ms(to, what.lead_at);
  to.put_varint(what.steps.size());
  for (const clock_step& each : what.steps) {
    put_ms(to, each.before.time_since_epoch());
    put_ms(to, each.unconfirmed);
  }
}

std::optional<clock_state> decode_clock_state(std::string_view record) {
  byte_reader from{record};
  clock_state what;
  if (from.get_byte() != clock_format) from.fail();
  what.time = timestamp(get_ms(from));
  what.boot = from.get_string();
  what.offset = milliseconds(static_cast<std::int64_t>(from.get_big_endian()));
  what.lead = get_ms(from);
  what.lead_at = get_ms(from);
  const std::uint64_t steps = from.get_varint();
  for (std::uint64_t i = 0; i < steps && from.ok(); ++i) {
    const timestamp before(get_ms(from));
    what.steps.push_back({before, get_ms(from)});
  }
  if (!from.ok() || !from.at_end()) return std::nullopt;
  return what;
}

}  // namespace ordem::storage
