#include "bench/load/conversation.hpp"

#include <array>
#include <iomanip>
#include <span>
#include <sstream>
#include <stdexcept>

namespace ordem::bench {
namespace {

std::string numbered(std::string_view prefix, std::size_t number) {
  std::ostringstream text;
  text << prefix << std::setw(6) << std::setfill('0') << number;
  return text.str();
}

std::string in_quotes(std::string_view text) {
  return '"' + std::string(text) + '"';
}

// The string value of the first member `name` (given with its quotes); empty if there is none.
std::string_view string_member(std::string_view json, std::string_view name) noexcept {
  const auto at = json.find(name);
  if (at == std::string_view::npos) return {};
  json.remove_prefix(at + name.size());
  const auto open = json.find_first_not_of(": \t\r\n");
  if (open == std::string_view::npos || json[open] != '"') return {};
  json.remove_prefix(open + 1);
  const auto close = json.find('"');
  return close == std::string_view::npos ? std::string_view{} : json.substr(0, close);
}

bool contains(std::string_view text, std::string_view part) noexcept {
  return text.find(part) != std::string_view::npos;
}

}  // namespace

conversation::conversation(scenario what, std::string_view host, unsigned number, std::size_t items) : what_(what) {
  if (items == 0 || items > body_items_max) throw std::invalid_argument("an order has 1 to 500 items");
  const std::string customer = numbered("c-", number);
  const std::string sku_prefix = numbered("s-", number) + "-";
  customer_ = in_quotes(customer);
  sku_ = in_quotes(numbered(sku_prefix, items));

  std::ostringstream body;
  body << R"({"customer_id":)" << customer_ << R"(,"currency":"EUR","items":[)";
  for (std::size_t item = 1; item <= items; ++item) {
    if (item > 1) body << ',';
    body << R"({"sku":)" << in_quotes(numbered(sku_prefix, item)) << R"(,"quantity":2,"unit_price":1999})";
  }
  body << R"(],"attributes":{"channel":"web"}})";
  const std::string body_text = body.str();
  body_bytes_ = body_text.size();

  request_.append("POST /api/v1/orders HTTP/1.1\r\nHost: ").append(host);
  request_.append("\r\nContent-Type: application/json\r\nContent-Length: ").append(std::to_string(body_bytes_));
  request_.append("\r\nIdempotency-Key: \"");
  guid_offset_ = request_.size();
  request_.append(uuid_text_bytes, '0').append("\"\r\n\r\n").append(body_text);
}

conversation conversation::about_new_orders(std::string_view host, unsigned number, std::size_t items) {
  return {scenario::create, host, number, items};
}

conversation conversation::about_a_constant(std::string_view host, unsigned number, std::size_t items) {
  return {scenario::bare, host, number, items};
}

conversation conversation::about_order(std::string_view host, const conversation& creation) {
  if (!creation.order_id_) throw std::logic_error("there is no order to read");
  std::array<char, uuid_text_bytes> id{};
  write_uuid(*creation.order_id_, id);

  conversation reading = creation;
  reading.what_ = scenario::get;
  reading.body_bytes_ = 0;
  reading.guid_offset_ = 0;
  reading.request_ = "GET /api/v1/orders/";
  reading.request_.append(id.data(), id.size()).append(" HTTP/1.1\r\nHost: ").append(host).append("\r\n\r\n");
  return reading;
}

std::string_view conversation::next_request(const uuid& guid) noexcept {
  if (guid_offset_ != 0) {
    write_uuid(guid, std::span<char, uuid_text_bytes>(request_.data() + guid_offset_, uuid_text_bytes));
  }
  return request_;
}

verdict conversation::judge(const answer& got) {
  switch (what_) {
    case scenario::create: return judge_order(got, 201);
    case scenario::get: return judge_order(got, 200);
    case scenario::bare: return judge_constant(got);
  }
  return verdict::wrong_status;
}

verdict conversation::judge_order(const answer& got, unsigned status_wanted) {
  if (got.status != status_wanted) return verdict::wrong_status;
  const auto id = parse_uuid(string_member(got.body, R"("order_id")"));
  if (!id || !contains(got.body, customer_) || !contains(got.body, sku_)) return verdict::wrong_body;
  // A create must bring another order than the one before, a get the same.
  const bool is_same = order_id_ == id;
  if (is_same != (what_ == scenario::get)) return verdict::wrong_body;
  order_id_ = id;
  return verdict::right;
}

verdict conversation::judge_constant(const answer& got) {
  if (got.status != 200 && got.status != 201) return verdict::wrong_status;
  if (constant_.empty()) constant_ = got.body;
  return !got.body.empty() && got.body == constant_ ? verdict::right : verdict::wrong_body;
}

}  // namespace ordem::bench
