#include "engine/codec/order_json.hpp"

#include <utility>

#include "engine/base/text.hpp"
#include "engine/codec/json_pieces.hpp"
#include "engine/model/json_value.hpp"

namespace ordem::codec {

void append_items(std::string& out, const std::vector<order_item>& items) {
  out += '[';
  for (std::size_t i = 0; i < items.size(); ++i) {
    out += i == 0 ? "{\"sku\":" : ",{\"sku\":";
    append_json_string(out, items[i].sku);
    out += ",\"quantity\":";
    append_number(out, items[i].quantity);
    out += ",\"unit_price\":";
    append_number(out, items[i].unit_price.minor_units());
    out += '}';
  }
  out += ']';
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
  append_external_id(out, what.content);
  out += ",\"currency\":";
  append_json_string(out, text_of(what.content.currency));
  out += ",\"items\":";
  append_items(out, what.content.items);
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
  if (what.merged_from) {
    out += ",\"merged_from\":";
    append_number(out, what.merged_from->number);
  }
  append_actor(out, what.origin);
  out += '}';
}

std::string order_body(unsigned code, std::string_view message, const order& what) {
  std::string body;
  body.reserve(512);
  body += "{\"code\":";
  append_number(body, code);
  body += ",\"message\":\"";
  body += message;
  body += "\",\"order\":";
  append_order(body, what);
  body += '}';
  return body;
}

order_list_json::order_list_json(std::string_view list_name) {
  text_ += "{\"code\":200,\"message\":\"ok\",\"";
  text_ += list_name;
  text_ += "\":[";
}

void order_list_json::add(const order& what) {
  last_begins_at_ = text_.size();
  if (orders_ != 0) text_ += ',';
  append_order(text_, what);
  ++orders_;
}

void order_list_json::drop_last() {
  text_.resize(last_begins_at_);
  --orders_;
}

std::string order_list_json::finish(const std::optional<std::string>& next_cursor) {
  text_ += "],\"next_cursor\":";
  if (next_cursor) {
    append_json_string(text_, *next_cursor);
  } else {
    text_ += "null";
  }
  text_ += '}';
  return std::move(text_);
}

}  // namespace ordem::codec
