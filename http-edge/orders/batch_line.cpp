#include "http-edge/orders/batch_line.hpp"

#include <utility>

#include "engine/base/check.hpp"
#include "engine/base/text.hpp"
#include "engine/codec/canonical_request.hpp"
#include "engine/codec/order_json.hpp"
#include "engine/codec/write_body.hpp"
#include "engine/model/json_value.hpp"
#include "http-edge/orders/rendering.hpp"

namespace ordem::http_edge {
namespace {

read_line refuse(std::optional<guid> key, problem which, std::string_view detail) {
  return refused_line{std::move(key), problem_response(which, detail)};
}

}  // namespace

read_line read_batch_line(std::string_view line, simdjson::dom::parser& parser) {
  auto read = codec::read_line_body(line, parser);
  if (!read) return refuse(std::nullopt, problem::malformed_json, read.error().detail);
  if (!read->key) return refuse(std::nullopt, problem::guid_missing, "the member idempotency_key is not given");
  auto key = guid::parse(*read->key);
  if (!key) {
    return refuse(std::nullopt, problem::guid_malformed,
                  "the member idempotency_key is not a string of 1 to 255 visible ASCII characters");
  }
  if (read->body.guid && *read->body.guid != key->view()) {
    const bool is_guid = guid::parse(*read->body.guid).has_value();
    return is_guid ? refuse(std::move(key), problem::guid_mismatch, "idempotency_key and the member guid differ")
                   : refuse(std::move(key), problem::guid_malformed,
                            "the member guid is not a string of 1 to 255 visible ASCII characters");
  }
  if (!read->body.violations.empty()) {
    return refused_line{std::move(key), invalid_order_response(read->body.violations)};
  }
  const fingerprint print = codec::fingerprint_of(codec::canonical(read->body.command, std::nullopt, std::nullopt));
  return message{std::move(*key), print, std::nullopt, std::nullopt, std::move(read->body.command)};
}

void append_verdict(std::string& out, std::string_view key, const executed& what) {
  // A batch contains only creates, and a GUID of any other message is refused as reused.
  CHECK(what.outcome.verdict == verdict::order_created && what.order != nullptr);
  out += "{\"idempotency_key\":";
  append_json_string(out, key);
  out += what.replayed ? ",\"status\":201,\"replayed\":true,\"expires_at\":\""
                       : ",\"status\":201,\"replayed\":false,\"expires_at\":\"";
  append_rfc3339(out, what.expires_at);
  out += "\",\"order\":";
  codec::append_order(out, *what.order);
  out += "}\n";
}

void append_verdict(std::string& out, std::optional<std::string_view> key, const response& refused) {
  out += "{\"idempotency_key\":";
  if (key) {
    append_json_string(out, *key);
  } else {
    out += "null";
  }
  out += ",\"status\":";
  append_number(out, refused.status);
  out += ",\"replayed\":false,\"problem\":";
  out += refused.body;
  out += "}\n";
}

}  // namespace ordem::http_edge
