#include "http-edge/orders/batch_line.hpp"

#include <utility>

#include "engine/base/text.hpp"
#include "engine/codec/message_json.hpp"
#include "engine/codec/order_json.hpp"
#include "engine/model/json_value.hpp"
#include "http-edge/orders/write_message.hpp"

namespace ordem::http_edge {
namespace {

constexpr write_source::details errors_of_line{
    .guid_missing =
        "the line has no member idempotency_key: give it one, or send ?keys=generated if a repeat of this "
        "batch may execute again",
    .guid_mismatch = "idempotency_key and the member guid differ",
    .version_missing = "neither the line nor its order has the member version",
    .version_mismatch = "the members version of the line and of its order differ",
};

refused_line refuse_line(std::optional<guid> key, problem which, std::string_view detail) {
  return {std::move(key), problem_response(which, detail)};
}

}  // namespace

read_line read_batch_line(codec::line_form form, std::string_view line, const origin& sender, generated_keys* generated,
                          simdjson::dom::parser& parser) {
  auto read = codec::read_line_body(form, line, parser);
  if (!read) return refuse_line(std::nullopt, problem::malformed_json, read.error().detail);
  std::optional<guid> key;
  if (read->key) {
    key = guid::parse(*read->key);
    if (!key) {
      return refuse_line(std::nullopt, problem::guid_malformed,
                         "the member idempotency_key is not a string of 1 to 255 visible ASCII characters");
    }
  } else if (generated != nullptr) {
    key = generated->next();
  } else {
    return refuse_line(std::nullopt, problem::guid_missing, errors_of_line.guid_missing);
  }
  write_source from{.errors = errors_of_line,
                    .guid = std::move(key),
                    .order_id = read->order_id ? std::string_view(*read->order_id) : std::string_view(),
                    .version = read->version};
  auto made = make_message(from, read->body);
  if (!made) return refused_line{std::move(from.guid), std::move(made.error())};
  made->origin = sender;
  return std::move(*made);
}

void append_verdict(std::string& out, std::string_view key, const executed& what, const conflict& of) {
  const auto status = codec::recorded_status(what.outcome);
  out += "{\"idempotency_key\":";
  append_json_string(out, key);
  out += ",\"status\":";
  append_number(out, status);
  out += what.replayed ? ",\"replayed\":true,\"expires_at\":\"" : ",\"replayed\":false,\"expires_at\":\"";
  append_rfc3339(out, what.expires_at);
  if (what.order != nullptr) {
    out += "\",\"order\":";
    codec::append_order(out, *what.order);
  } else {
    out += "\",\"problem\":";
    out += codec::recorded_response_of(what.outcome, nullptr, of).body;
  }
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
