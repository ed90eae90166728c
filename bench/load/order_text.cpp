#include "bench/load/order_text.hpp"

#include <algorithm>
#include <charconv>
#include <span>
#include <stdexcept>

namespace ordem::bench {
namespace {

constexpr std::size_t name_digits = 6;
constexpr std::size_t version_width = 10;
constexpr std::uint64_t quantity = 2;
constexpr std::uint64_t unit_price = 1999;

constexpr std::string_view body_end = R"("}})";

void put_uuid(std::string& text, std::size_t offset, const uuid& id) noexcept {
  write_uuid(id, std::span<char, uuid_text_bytes>(text.data() + offset, uuid_text_bytes));
}

// Right-aligned, behind as many `fill`.
void put_number(std::string& text, std::size_t offset, std::size_t width, std::uint64_t number, char fill) noexcept {
  char* const begin = text.data() + offset;
  char* at = begin + width;
  do {
    *--at = static_cast<char>('0' + number % 10);
    number /= 10;
  } while (number > 0 && at > begin);
  std::fill(begin, at, fill);
}

std::string items_text(const std::string& sku_prefix, std::size_t items) {
  std::string text;
  for (std::size_t item = 1; item <= items; ++item) {
    if (item > 1) text += ',';
    text.append(R"({"sku":")").append(sku_prefix).append(padded_number(item, name_digits));
    text.append(R"(","quantity":)").append(std::to_string(quantity));
    text.append(R"(,"unit_price":)").append(std::to_string(unit_price)).append("}");
  }
  return text;
}

std::string write_head(std::string_view target, std::string_view fields, std::size_t body_bytes) {
  std::string head(target);
  head.append(" HTTP/1.1\r\n").append(fields);
  head.append("\r\nContent-Type: application/json\r\nContent-Length: ").append(std::to_string(body_bytes));
  return head.append("\r\nIdempotency-Key: \"");
}

}  // namespace

std::string padded_number(std::uint64_t number, std::size_t width) {
  const std::string digits = std::to_string(number);
  return digits.size() >= width ? digits : std::string(width - digits.size(), '0') + digits;
}

order_text::order_text(std::string_view fields, unsigned number, body_size size) {
  if (size.items == 0 || size.items > body_items_max) throw std::invalid_argument("an order has 1 to 500 items");
  customer_ = "c-" + padded_number(number, name_digits);
  const std::string sku_prefix = "s-" + padded_number(number, name_digits) + "-";
  last_sku_ = sku_prefix + padded_number(size.items, name_digits);
  total_ = size.items * quantity * unit_price;

  std::string content = R"("customer_id":")" + customer_ + R"(","currency":"EUR","items":[)" +
                        items_text(sku_prefix, size.items) + R"(],"attributes":{"channel":"web)";
  constexpr std::string_view turn_name = R"(","turn":")";
  const std::size_t least_bytes = 1 + content.size() + turn_name.size() + turn_digits + body_end.size();
  if (size.bytes > 0) {
    if (size.bytes < least_bytes) {
      throw std::invalid_argument("a body of so many items has at least " + std::to_string(least_bytes) + " bytes");
    }
    if (size.bytes - least_bytes > filling_bytes_max) throw std::invalid_argument("so large a body needs more items");
    content.append(size.bytes - least_bytes, 'x');
  }
  content.append(turn_name);
  const std::string blank_turn(turn_digits, '0');
  const std::string blank_guid = std::string(uuid_text_bytes, '0') + "\"\r\n\r\n";

  body_bytes_ = 1 + content.size() + turn_digits + body_end.size();
  create_ = write_head("POST /api/v1/orders", fields, body_bytes_);
  create_guid_ = create_.size();
  create_.append(blank_guid).append("{").append(content);
  create_turn_ = create_.size();
  create_.append(blank_turn).append(body_end);

  constexpr std::string_view version_name = R"({"version":)";
  constexpr std::string_view target = "PUT /api/v1/orders/";
  const std::string blank_version(version_width, ' ');
  update_ = write_head(std::string(target) + std::string(uuid_text_bytes, '0'), fields,
                       version_name.size() + version_width + body_bytes_);
  update_order_ = target.size();
  update_guid_ = update_.size();
  update_.append(blank_guid).append(version_name);
  update_version_ = update_.size();
  update_.append(blank_version).append(",").append(content);
  update_turn_ = update_.size();
  update_.append(blank_turn).append(body_end);
}

std::string_view order_text::create(const uuid& guid, std::uint64_t turn) {
  put_uuid(create_, create_guid_, guid);
  put_number(create_, create_turn_, turn_digits, turn, '0');
  return create_;
}

std::string_view order_text::update(const uuid& guid, const uuid& order, std::uint64_t version, std::uint64_t turn) {
  put_uuid(update_, update_order_, order);
  put_uuid(update_, update_guid_, guid);
  put_number(update_, update_version_, version_width, version, ' ');
  put_number(update_, update_turn_, turn_digits, turn, '0');
  return update_;
}

}  // namespace ordem::bench
