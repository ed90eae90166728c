// order_text: the requests about orders that one connection sends, as text.
//
// They are rendered once; from then on only what has a fixed width changes in place: the GUID, the order's id, the
// version and the turn. The turn is a number in the order's attributes that distinguishes one content from another.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "bench/load/uuid.hpp"

namespace ordem::bench {

/// Maximum number of items of an order in the API.
inline constexpr std::size_t body_items_max = 500;
/// Maximum padding of a body in bytes: attributes may have 16 KiB.
inline constexpr std::size_t filling_bytes_max = 16'000;

struct body_size {
  std::size_t items = 1;  // 1..body_items_max
  std::size_t bytes = 0;  // of a create's body, which is filled up to that; 0: as it comes
};

/// `number` in at least `width` digits.
[[nodiscard]] std::string padded_number(std::uint64_t number, std::size_t width);

class order_text {
 public:
  /// `fields` are the header fields of every request; `number` names the customer and the items. Throws
  /// std::invalid_argument if a body can't have that size.
  order_text(std::string_view fields, unsigned number, body_size size);

  /// POST of a new order. Good until the next call of this function.
  std::string_view create(const uuid& guid, std::uint64_t turn);
  /// PUT of the order's whole content, made against `version`. Good until the next call of this function.
  std::string_view update(const uuid& guid, const uuid& order, std::uint64_t version, std::uint64_t turn);

  /// The body of the last create.
  [[nodiscard]] std::string_view create_body() const noexcept {
    return std::string_view(create_).substr(create_.size() - body_bytes_);
  }

  /// The parts that answers repeat.
  [[nodiscard]] std::string_view customer() const noexcept { return customer_; }
  [[nodiscard]] std::string_view last_sku() const noexcept { return last_sku_; }
  [[nodiscard]] std::uint64_t total() const noexcept { return total_; }
  [[nodiscard]] static std::string turn_text(std::uint64_t turn) { return padded_number(turn, turn_digits); }

  [[nodiscard]] std::size_t request_bytes() const noexcept { return create_.size(); }
  [[nodiscard]] std::size_t body_bytes() const noexcept { return body_bytes_; }

 private:
  static constexpr std::size_t turn_digits = 10;

  std::string customer_;
  std::string last_sku_;
  std::uint64_t total_ = 0;
  std::size_t body_bytes_ = 0;
  std::string create_;
  std::size_t create_guid_ = 0;  // offsets
  std::size_t create_turn_ = 0;
  std::string update_;
  std::size_t update_order_ = 0;
  std::size_t update_guid_ = 0;
  std::size_t update_version_ = 0;
  std::size_t update_turn_ = 0;
};

}  // namespace ordem::bench
