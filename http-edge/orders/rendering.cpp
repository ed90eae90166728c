#include "http-edge/orders/rendering.hpp"

#include <xxhash.h>

#include <utility>

#include "engine/base/check.hpp"
#include "engine/base/text.hpp"
#include "http-edge/protocol/headers.hpp"

namespace ordem::edge {
namespace {

constexpr std::string_view orders_path = "/api/v1/orders";

std::string_view text_of(const currency_code& currency) {
  return {currency.data(), currency.size()};
}

void append_time(std::string& out, timestamp at) {
  out += '"';
  append_rfc3339(out, at);
  out += '"';
}

void append_id(std::string& out, const order_id& id) {
  out += '"';
  id.append_to(out);
  out += '"';
}

void append_version_member(std::string& out, const std::optional<supplied_version>& made_against) {
  if (!made_against) return;
  out += ",\"version\":";
  append_number(out, made_against->version.number);
}

struct body_writer {
  std::string& out;
  const std::optional<supplied_version>& made_against;

  void operator()(const create_order& create) const { append_content(create.content); }
  void operator()(const replace_content& replace) const { append_content(replace.content); }
  void operator()(const merge_content& patch) const {
    const char* separator = "{";
    const auto begin_member = [&](std::string_view name) {
      out += std::exchange(separator, ",");
      append_json_string(out, name);
      out += ':';
    };
    if (patch.customer_id) {
      begin_member("customer_id");
      append_json_string(out, *patch.customer_id);
    }
    if (patch.currency) {
      begin_member("currency");
      append_json_string(out, text_of(*patch.currency));
    }
    if (patch.items) {
      begin_member("items");
      append_json(out, *patch.items);
    }
    if (std::holds_alternative<merge_content::remove_attributes>(patch.attributes)) {
      begin_member("attributes");
      out += "null";
    } else if (const auto* changes = std::get_if<json_object>(&patch.attributes)) {
      begin_member("attributes");
      append_json(out, *changes);
    }
    CHECK(made_against.has_value());
    begin_member("version");
    append_number(out, made_against->version.number);
    out += '}';
  }
  void operator()(const change_status& change) const {
    out += "{\"status\":";
    append_json_string(out, to_string(change.to));
    append_version_member(out, made_against);
    out += '}';
  }

  void append_content(const order_content& content) const {
    out += "{\"customer_id\":";
    append_json_string(out, content.customer_id);
    out += ",\"currency\":";
    append_json_string(out, text_of(content.currency));
    out += ",\"items\":";
    append_json(out, content.items);
    if (content.attributes) {
      out += ",\"attributes\":";
      append_json(out, *content.attributes);
    }
    append_version_member(out, made_against);
    out += '}';
  }
};

struct method_of {
  std::string_view operator()(const create_order&) const { return "POST"; }
  std::string_view operator()(const replace_content&) const { return "PUT"; }
  std::string_view operator()(const merge_content&) const { return "PATCH"; }
  std::string_view operator()(const change_status&) const { return "POST"; }
};

std::string order_path(const order_id& id) {
  std::string path(orders_path);
  path += '/';
  id.append_to(path);
  return path;
}

// {"code":200,"message":"...","order":{...}} with the order's tag.
response order_success(unsigned status, std::string_view message, const order& what) {
  response made;
  made.status = status;
  made.body.reserve(512);
  made.body += "{\"code\":";
  append_number(made.body, status);
  made.body += ",\"message\":\"";
  made.body += message;
  made.body += "\",\"order\":";
  append_order(made.body, what);
  made.body += '}';
  made.add_header("ETag", entity_tag(what.version));
  return made;
}

std::string named_order(const outcome& what) {
  return "order " + what.order.to_string();
}

response stale_version_response(const outcome& what) {
  CHECK(what.made_against.has_value());
  const std::string current = std::to_string(what.version.number);
  const std::string supplied = std::to_string(what.made_against->version.number);
  return problem_response(
      problem::stale_version, what.made_against->by_if_match ? 412 : 409,
      "the write was made against version " + supplied + ", but " + named_order(what) + " is at version " + current,
      ",\"current_version\":" + current + ",\"supplied_version\":" + supplied);
}

response status_not_allowed_response(const outcome& what) {
  CHECK(what.wanted.has_value());
  return problem_response(problem::status_not_allowed, named_order(what) + " is " +
                                                           std::string(to_string(what.status)) + " and cannot become " +
                                                           std::string(to_string(*what.wanted)));
}

response order_closed_response(const outcome& what) {
  return problem_response(problem::order_closed, named_order(what) + " is " + std::string(to_string(what.status)) +
                                                     ": its content can no longer change");
}

std::string errors_member(const std::vector<violation>& violations) {
  std::string member = ",\"errors\":[";
  for (std::size_t i = 0; i < violations.size(); ++i) {
    member += i == 0 ? "{\"pointer\":" : ",{\"pointer\":";
    append_json_string(member, violations[i].pointer);
    member += ",\"detail\":";
    append_json_string(member, violations[i].detail);
    member += '}';
  }
  return member + ']';
}

struct refusal_renderer {
  response operator()(const order_not_found&) const {
    return problem_response(problem::order_not_found, "no order has this id");
  }
  response operator()(const invalid_content& invalid) const { return invalid_order_response(invalid.violations); }
  response operator()(const guid_reused&) const {
    return problem_response(problem::guid_reused, "the GUID names an earlier request that was not this one");
  }
  response operator()(const request_in_flight&) const {
    return problem_response(problem::request_in_flight, "the first request with this GUID has not been answered yet");
  }
  response operator()(unavailability why) const {
    const auto reason = reason_of(why);
    return problem_response(reason.which, reason.detail);
  }
};

// The member `code` of a recorded answer's body.
unsigned code_of(verdict what) {
  switch (what) {
    case verdict::order_created: return 201;
    case verdict::content_changed:
    case verdict::status_changed: return 200;
    case verdict::stale_version: return row_of(problem::stale_version).code;
    case verdict::status_not_allowed: return row_of(problem::status_not_allowed).code;
    case verdict::order_closed: return row_of(problem::order_closed).code;
  }
  CHECK(false && "a verdict outside its enumeration");
  return 0;
}

// The command of a recorded message, told from the order that it made where the record does not hold it.
command command_of(const message_record& record, const shared_order& order) {
  if (record.command) return *record.command;
  CHECK(order != nullptr);
  switch (record.outcome.verdict) {
    case verdict::order_created: return create_order{order->content};
    case verdict::content_changed: return replace_content{order->content};
    case verdict::status_changed: return change_status{order->status};
    case verdict::stale_version:
    case verdict::status_not_allowed:
    case verdict::order_closed: break;
  }
  CHECK(false && "a rejected message keeps its command");
  return change_status{};
}

}  // namespace

response invalid_order_response(const std::vector<violation>& violations) {
  return problem_response(problem::invalid_order,
                          violations.size() == 1 ? "the body has an error" : "the body has several errors",
                          errors_member(violations));
}

void append_order(std::string& out, const order& what) {
  out += "{\"order_id\":";
  append_id(out, what.id);
  out += ",\"version\":";
  append_number(out, what.version.number);
  out += ",\"status\":";
  append_json_string(out, to_string(what.status));
  out += ",\"customer_id\":";
  append_json_string(out, what.content.customer_id);
  out += ",\"currency\":";
  append_json_string(out, text_of(what.content.currency));
  out += ",\"items\":";
  append_json(out, what.content.items);
  out += ",\"total\":";
  append_number(out, what.total.minor_units());
  if (what.content.attributes) {
    out += ",\"attributes\":";
    append_json(out, *what.content.attributes);
  }
  out += ",\"created_at\":";
  append_time(out, what.created_at);
  out += ",\"updated_at\":";
  append_time(out, what.updated_at);
  out += '}';
}

canonical_request canonical(const command& what, const std::optional<order_id>& target,
                            const std::optional<supplied_version>& made_against) {
  canonical_request request;
  request.body.reserve(256);
  request.method = std::visit(method_of{}, what);
  request.path = target ? order_path(*target) : std::string(orders_path);
  if (std::holds_alternative<change_status>(what)) request.path += "/status";
  std::visit(body_writer{request.body, made_against}, what);
  return request;
}

fingerprint fingerprint_of(const canonical_request& what) {
  std::string text;
  text.reserve(what.method.size() + what.path.size() + what.body.size() + 2);
  text += what.method;
  text += ' ';
  text += what.path;
  text += '\n';
  text += what.body;
  const XXH128_hash_t hash = XXH3_128bits(text.data(), text.size());
  return {hash.high64, hash.low64};
}

response outcome_response(const outcome& what, const shared_order& order) {
  switch (what.verdict) {
    case verdict::order_created: {
      CHECK(order != nullptr);
      response made = order_success(201, "order created", *order);
      made.add_header("Location", order_path(order->id));
      return made;
    }
    case verdict::content_changed:
    case verdict::status_changed: CHECK(order != nullptr); return order_success(200, "order updated", *order);
    case verdict::stale_version: return stale_version_response(what);
    case verdict::status_not_allowed: return status_not_allowed_response(what);
    case verdict::order_closed: return order_closed_response(what);
  }
  CHECK(false && "a verdict outside its enumeration");
  return {};
}

refused_because reason_of(unavailability why) {
  switch (why) {
    case unavailability::overloaded:
      return {problem::overloaded, "too many requests are being executed; nothing was done"};
    case unavailability::read_only: return {problem::read_only, "no writes are taken until a restart; reads go on"};
    case unavailability::draining: return {problem::draining, "the server is shutting down; nothing was done"};
    case unavailability::storage_failed:
      return {problem::storage_failed, "the data could not be read; nothing was done"};
    case unavailability::backlog_full:
      return {problem::persistence_behind,
              "Postgres is too far behind: the log has reached --persist-backlog-max; reads go on; writes are "
              "taken again once Postgres has caught up"};
  }
  CHECK(false && "an unavailability outside its enumeration");
  return {};
}

response refusal_response(const refusal& why) {
  return std::visit(refusal_renderer{}, why);
}

response write_response(const answer& what, timestamp now, std::optional<position> visible) {
  const auto* done = std::get_if<executed>(&what);
  response made =
      done != nullptr ? outcome_response(done->outcome, done->order) : refusal_response(std::get<refusal>(what));
  add_write_headers(made, done != nullptr ? done->expires_at : now, visible);
  if (done != nullptr && done->replayed) made.add_header("Idempotency-Replayed", "true");
  return made;
}

void add_write_headers(response& to, timestamp expires_at, std::optional<position> visible) {
  to.add_header("Idempotency-Expires", to_rfc3339(expires_at));
  add_position(to, visible);
}

void add_position(response& to, std::optional<position> visible) {
  if (visible) to.add_header("Ordem-Position", std::to_string(visible->number));
}

response storage_failed_response() {
  return problem_response(problem::storage_failed, "the data could not be read");
}

response order_response(const order& what) {
  return order_success(200, "ok", what);
}

page_body::page_body(std::string_view list_name) {
  text_ += "{\"code\":200,\"message\":\"ok\",\"";
  text_ += list_name;
  text_ += "\":[";
}

void page_body::add(const order& what) {
  last_begins_at_ = text_.size();
  if (orders_ != 0) text_ += ',';
  append_order(text_, what);
  ++orders_;
}

void page_body::drop_last() {
  text_.resize(last_begins_at_);
  --orders_;
}

std::string page_body::finish(const std::optional<std::string>& next_cursor) {
  text_ += "],\"next_cursor\":";
  if (next_cursor) {
    append_json_string(text_, *next_cursor);
  } else {
    text_ += "null";
  }
  text_ += '}';
  return std::move(text_);
}

recorded_exchange exchange_of(const message_record& record, const shared_order& order) {
  const outcome& result = record.outcome;
  const auto what = command_of(record, order);
  const bool creates = std::holds_alternative<create_order>(what);
  const auto request = canonical(what, creates ? std::nullopt : std::optional(result.order), result.made_against);
  const response recorded = outcome_response(result, order);
  return {"{\"method\":\"" + std::string(request.method) + "\",\"path\":\"" + request.path +
              "\",\"body\":" + request.body + "}",
          "{\"status\":" + std::to_string(recorded.status) + ",\"code\":" + std::to_string(code_of(result.verdict)) +
              ",\"body\":" + recorded.body + "}"};
}

response message_response(const guid& id, const message_record& record, const shared_order& order) {
  const outcome& result = record.outcome;
  const recorded_exchange exchange = exchange_of(record, order);

  std::string body = "{\"code\":200,\"message\":\"ok\",\"guid\":";
  append_json_string(body, id.view());
  body += ",\"state\":\"completed\",\"request\":" + exchange.request + ",\"response\":" + exchange.response +
          ",\"order_id\":";
  append_id(body, result.order);
  body += ",\"version\":" + (is_accepted(result.verdict) ? std::to_string(result.version.number) : "null");
  body += ",\"created_at\":";
  append_time(body, record.created_at);
  body += ",\"expires_at\":";
  append_time(body, record.expires_at);
  body += '}';
  return json_response(200, std::move(body));
}

}  // namespace ordem::edge
