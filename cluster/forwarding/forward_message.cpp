// "v" is a varint, "s" a varint length and that many bytes; see storage/records/bytes.hpp.
//
// clang-format off
//   request    | 1 | sender 8 | number v | oldest number v | submissions v | submission ... |
//   submission | kind 1 (1 message, 2 capture) | origin | message or capture |
//   message    | guid s | fingerprint 16 | has target 1 | target 16 | flags 1 (1: version expected, 2: by If-Match, 4: merges)
//              | expected version v if flagged | command |    see storage/records/fields.cpp
//   capture    | key s | action 1 (0 allocate, 1 record, 2 release) | response of a record |    see fields.cpp, too
//
//   answer     | 1 | status 1 | epoch v | visible v | answers v (0 unless answered) | answer ... |
//   answer     | kind 1 (0 none: send again, 1 executed, 2 order not found, 3 invalid content, 4 GUID reused,
//              | 5 request in flight, 6 unavailable, 7 capture) | its content |
//   executed   | flags 1 (1: replayed, 2: has order) | message record s | order record s if flagged |
//              | the record has the outcome, the time until which it is kept, and as its command what was not merged
//   invalid    | violations v, each: pointer s, detail s |
//   unavailable| reason 1 |
//   capture    | verdict 1 | key s | has response 1 | response |
// clang-format on

#include "cluster/forwarding/forward_message.hpp"

#include <memory>
#include <utility>
#include <variant>

#include "engine/base/limits.hpp"
#include "storage/records/bytes.hpp"
#include "storage/records/fields.hpp"
#include "storage/records/message_record.hpp"
#include "storage/records/order_record.hpp"

namespace ordem::cluster {
namespace {

using storage::byte_reader;
using storage::byte_writer;

// A node refuses requests and answers of other formats, so a change of the format needs a release that reads both.
constexpr std::uint8_t forward_request_format = 1;
constexpr std::uint8_t forward_answer_format = 1;
constexpr std::uint8_t field_format = storage::format_with_external_id;

// On the wire: do not renumber.
enum class submission_kind : std::uint8_t { message = 1, capture = 2 };
enum class answer_kind : std::uint8_t {
  none = 0,
  executed = 1,
  order_not_found = 2,
  invalid_content = 3,
  guid_reused = 4,
  request_in_flight = 5,
  unavailable = 6,
  capture = 7,
};

constexpr std::uint8_t flag_version_expected = 1;
constexpr std::uint8_t flag_by_if_match = 2;
constexpr std::uint8_t flag_merges = 4;

// An answer of a capture without its response is no larger.
constexpr std::size_t small_answer_bytes = 2 * limits::capture_key_characters_max;

constexpr std::uint8_t flag_replayed = 1;
constexpr std::uint8_t flag_has_order = 2;

template <class Enum>
void put_enum(byte_writer& to, Enum what) {
  to.put_byte(static_cast<std::uint8_t>(what));
}

guid get_guid(byte_reader& from) {
  auto id = guid::parse(from.get_string());
  if (!id) from.fail();
  return id ? std::move(*id) : *guid::parse("?");
}

capture_key get_key(byte_reader& from) {
  auto key = capture_key::parse(from.get_string());
  if (!key) from.fail();
  return key ? std::move(*key) : *capture_key::parse("aw");
}

bool get_bool(byte_reader& from) {
  const std::uint8_t byte = from.get_byte();
  if (byte > 1) from.fail();
  return byte == 1;
}

// --- submissions ---

void put_message(byte_writer& to, const message& what) {
  to.put_string(what.guid.view());
  to.put_big_endian(what.fingerprint.high);
  to.put_big_endian(what.fingerprint.low);
  to.put_byte(what.target ? 1 : 0);
  if (what.target) to.put_bytes(what.target->bytes);
  const auto& expected = what.expected_version;
  to.put_byte(static_cast<std::uint8_t>((expected ? flag_version_expected : 0) |
                                        (expected && expected->by_if_match ? flag_by_if_match : 0) |
                                        (expected && expected->merges ? flag_merges : 0)));
  if (expected) to.put_varint(expected->version.number);
  storage::put_command(to, what.command);
}

message get_message(byte_reader& from) {
  message what{get_guid(from), {}, std::nullopt, std::nullopt, create_order{}};
  what.fingerprint.high = from.get_big_endian();
  what.fingerprint.low = from.get_big_endian();
  if (get_bool(from)) what.target = storage::get_order_id(from);
  const std::uint8_t flags = from.get_byte();
  if (flags > (flag_version_expected | flag_by_if_match | flag_merges)) from.fail();
  if ((flags & flag_version_expected) != 0) {
    what.expected_version =
        expected_version{{from.get_varint()}, (flags & flag_by_if_match) != 0, (flags & flag_merges) != 0};
  } else if (flags != 0) {
    from.fail();
  }
  what.command = storage::get_command(from, field_format);
  // The engine takes it for granted that a create has neither, and every other message both.
  const bool is_create = std::holds_alternative<create_order>(what.command);
  if (what.target.has_value() == is_create || what.expected_version.has_value() == is_create) from.fail();
  return what;
}

struct action_writer {
  byte_writer& to;

  void operator()(const allocate_capture&) const {}
  void operator()(const record_capture& record) const { storage::put_captured_response(to, *record.response); }
  void operator()(const release_capture&) const {}
};

void put_capture(byte_writer& to, const capture_request& what) {
  to.put_string(what.key.view());
  to.put_byte(static_cast<std::uint8_t>(what.action.index()));
  std::visit(action_writer{to}, what.action);
}

capture_request get_capture(byte_reader& from) {
  capture_request what{get_key(from), allocate_capture{}};
  switch (from.get_byte()) {
    case 0: break;
    case 1:
      what.action = record_capture{std::make_shared<const captured_response>(storage::get_captured_response(from))};
      break;
    case 2: what.action = release_capture{}; break;
    default: from.fail();
  }
  return what;
}

engine_request get_submission(byte_reader& from) {
  const auto kind = static_cast<submission_kind>(from.get_byte());
  origin sender = storage::get_origin(from);
  if (kind == submission_kind::capture) {
    capture_request what = get_capture(from);
    what.origin = std::move(sender);
    return what;
  }
  if (kind != submission_kind::message) from.fail();
  message what = get_message(from);
  what.origin = std::move(sender);
  return what;
}

// --- answers ---

void put_executed(byte_writer& to, const executed& what) {
  std::string record;
  message_record kept{.fingerprint = {},
                      .outcome = what.outcome,
                      .created_at = {},
                      .expires_at = what.expires_at,
                      .command = std::nullopt};
  if (what.unmerged != nullptr) kept.command = *what.unmerged;
  storage::encode_message(record, kept);
  to.put_byte(
      static_cast<std::uint8_t>((what.replayed ? flag_replayed : 0) | (what.order != nullptr ? flag_has_order : 0)));
  to.put_string(record);
  if (what.order == nullptr) return;
  record.clear();
  storage::encode_order(record, *what.order);
  to.put_string(record);
}

executed get_executed(byte_reader& from) {
  executed what;
  const std::uint8_t flags = from.get_byte();
  if (flags > (flag_replayed | flag_has_order)) from.fail();
  what.replayed = (flags & flag_replayed) != 0;
  auto kept = storage::decode_message(from.get_string());
  if (!kept) {
    from.fail();
    return what;
  }
  what.outcome = kept->outcome;
  what.expires_at = kept->expires_at;
  if (kept->command) what.unmerged = std::make_shared<const command>(std::move(*kept->command));
  const bool has_order = (flags & flag_has_order) != 0;
  if (has_order != is_accepted(what.outcome.verdict)) from.fail();
  if (!has_order) return what;
  auto made = storage::decode_order(what.outcome.order, from.get_string());
  if (!made || made->version != what.outcome.version) {
    from.fail();
    return what;
  }
  what.order = std::make_shared<const order>(std::move(*made));
  return what;
}

struct refusal_writer {
  byte_writer& to;

  void operator()(const order_not_found&) const { put_enum(to, answer_kind::order_not_found); }
  void operator()(const invalid_content& invalid) const {
    put_enum(to, answer_kind::invalid_content);
    to.put_varint(invalid.violations.size());
    for (const violation& each : invalid.violations) {
      to.put_string(each.pointer);
      to.put_string(each.detail);
    }
  }
  void operator()(const guid_reused&) const { put_enum(to, answer_kind::guid_reused); }
  void operator()(const request_in_flight&) const { put_enum(to, answer_kind::request_in_flight); }
  void operator()(unavailability why) const {
    put_enum(to, answer_kind::unavailable);
    put_enum(to, why);
  }
};

struct answer_writer {
  byte_writer& to;

  void operator()(const executed& what) const {
    put_enum(to, answer_kind::executed);
    put_executed(to, what);
  }
  void operator()(const refusal& why) const { std::visit(refusal_writer{to}, why); }
  void operator()(const capture_answer& what) const {
    put_enum(to, answer_kind::capture);
    put_enum(to, what.verdict);
    to.put_string(what.key.view());
    to.put_byte(what.response != nullptr ? 1 : 0);
    if (what.response != nullptr) storage::put_captured_response(to, *what.response);
  }
};

refusal get_invalid_content(byte_reader& from) {
  invalid_content invalid;
  invalid.violations.resize(storage::get_count(from));
  for (violation& each : invalid.violations) {
    each.pointer = from.get_string();
    each.detail = from.get_string();
  }
  return invalid;
}

refusal get_unavailability(byte_reader& from) {
  const std::uint8_t reason = from.get_byte();
  if (reason > static_cast<std::uint8_t>(unavailability::no_owner)) from.fail();
  return static_cast<unavailability>(reason);
}

capture_answer get_capture_answer(byte_reader& from) {
  const std::uint8_t decided = from.get_byte();
  if (decided >= capture_verdicts) from.fail();
  capture_answer what{static_cast<capture_verdict>(decided), get_key(from), nullptr};
  if (get_bool(from)) what.response = std::make_shared<const captured_response>(storage::get_captured_response(from));
  // Only this one has a response, and the edge renders it.
  if ((what.verdict == capture_verdict::completed) != (what.response != nullptr)) from.fail();
  return what;
}

std::optional<answer> get_answer(byte_reader& from) {
  switch (static_cast<answer_kind>(from.get_byte())) {
    case answer_kind::none: return std::nullopt;
    case answer_kind::executed: return get_executed(from);
    case answer_kind::order_not_found: return refusal{order_not_found{}};
    case answer_kind::invalid_content: return get_invalid_content(from);
    case answer_kind::guid_reused: return refusal{guid_reused{}};
    case answer_kind::request_in_flight: return refusal{request_in_flight{}};
    case answer_kind::unavailable: return get_unavailability(from);
    case answer_kind::capture: return get_capture_answer(from);
  }
  from.fail();
  return std::nullopt;
}

}  // namespace

void encode_submission(std::string& out, const engine_request& what) {
  byte_writer to{out};
  if (const auto* asked = std::get_if<message>(&what)) {
    put_enum(to, submission_kind::message);
    storage::put_origin(to, asked->origin);
    put_message(to, *asked);
    return;
  }
  const auto& call = std::get<capture_request>(what);
  put_enum(to, submission_kind::capture);
  storage::put_origin(to, call.origin);
  put_capture(to, call);
}

std::optional<engine_request> decode_submission(std::string_view text) {
  byte_reader from{text};
  return storage::checked(from, get_submission(from));
}

std::string encode_forward_request(forward_id id, std::uint64_t oldest, std::size_t count,
                                   std::string_view submissions) {
  std::string body;
  constexpr std::size_t header_bytes_max = 1 + 8 + 3 * 10;
  body.reserve(header_bytes_max + submissions.size());
  byte_writer to{body};
  to.put_byte(forward_request_format);
  to.put_big_endian(id.sender);
  to.put_varint(id.number);
  to.put_varint(oldest);
  to.put_varint(count);
  to.put_text(submissions);
  return body;
}

std::optional<forward_request> decode_forward_request(std::string_view body) {
  byte_reader from{body};
  forward_request what;
  storage::check_format(from, forward_request_format);
  what.id.sender = from.get_big_endian();
  what.id.number = from.get_varint();
  what.oldest = from.get_varint();
  const std::size_t count = storage::get_count(from);
  if (what.id.number == 0 || what.oldest > what.id.number || count == 0) from.fail();
  for (std::size_t i = 0; i < count && from.ok(); ++i) what.submissions.push_back(get_submission(from));
  return storage::checked(from, std::move(what));
}

std::string encode_forward_answer(const forward_answer& what, std::size_t bytes_max) {
  std::string body;
  byte_writer to{body};
  to.put_byte(forward_answer_format);
  put_enum(to, what.status);
  to.put_varint(what.epoch);
  to.put_varint(what.visible.number);
  to.put_varint(what.answers.size());
  bool has_one = false;
  std::string text;
  for (std::size_t i = 0; i < what.answers.size(); ++i) {
    text.clear();
    byte_writer each{text};
    if (what.answers[i]) std::visit(answer_writer{each}, *what.answers[i]);
    // Each of those that follow takes a byte at least.
    const bool fits = body.size() + text.size() + (what.answers.size() - i - 1) <= bytes_max;
    if (text.empty() || (has_one && !fits && text.size() > small_answer_bytes)) {
      put_enum(to, answer_kind::none);
      continue;
    }
    has_one = true;
    body += text;
  }
  return body;
}

std::optional<forward_answer> decode_forward_answer(std::string_view body) {
  byte_reader from{body};
  forward_answer what;
  storage::check_format(from, forward_answer_format);
  const std::uint8_t status = from.get_byte();
  if (status < static_cast<std::uint8_t>(forward_status::answered) ||
      status > static_cast<std::uint8_t>(forward_status::malformed)) {
    from.fail();
  }
  what.status = static_cast<forward_status>(status);
  what.epoch = from.get_varint();
  what.visible = {from.get_varint()};
  const std::size_t count = storage::get_count(from);
  if ((count > 0) != (what.status == forward_status::answered)) from.fail();
  for (std::size_t i = 0; i < count && from.ok(); ++i) what.answers.push_back(get_answer(from));
  return storage::checked(from, std::move(what));
}

}  // namespace ordem::cluster
