// A message: one parsed and validated request to change an order, identified by its GUID.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "engine/model/ids.hpp"
#include "engine/model/order.hpp"
#include "engine/model/origin.hpp"

namespace ordem {

struct create_order {
  order_content content;
  friend bool operator==(const create_order&, const create_order&) = default;
};

struct replace_content {
  order_content content;
  friend bool operator==(const replace_content&, const replace_content&) = default;
};

// A JSON merge patch (RFC 7396) on the content of an order. Absent members are kept.
struct merge_content {
  struct remove_attributes {
    friend bool operator==(const remove_attributes&, const remove_attributes&) = default;
  };
  struct keep_attributes {
    friend bool operator==(const keep_attributes&, const keep_attributes&) = default;
  };
  using attributes_change = std::variant<keep_attributes, remove_attributes, json_object>;
  struct remove_external_id {
    friend bool operator==(const remove_external_id&, const remove_external_id&) = default;
  };
  struct keep_external_id {
    friend bool operator==(const keep_external_id&, const keep_external_id&) = default;
  };
  using external_id_change = std::variant<keep_external_id, remove_external_id, std::string>;

  std::optional<std::string> customer_id;
  std::optional<currency_code> currency;
  std::optional<std::vector<order_item>> items;
  attributes_change attributes;
  external_id_change external_id = {};
  friend bool operator==(const merge_content&, const merge_content&) = default;
};

struct change_status {
  order_status to = order_status::fresh;
  friend bool operator==(const change_status&, const change_status&) = default;
};

// The order of the alternatives is part of the record format (storage/records/): do not renumber.
using command = std::variant<create_order, replace_content, merge_content, change_status>;

// The version that an update expects, and how the client sent it: the status of the 3043 response depends on that.
struct expected_version {
  ordem::version version;
  bool by_if_match = false;
  // An update of the content that expects an older version is merged with what has changed since, if no field changed
  // in both. Only of replacements and merge patches.
  bool merges = false;
  friend bool operator==(const expected_version&, const expected_version&) = default;
};

struct message {
  ordem::guid guid;
  ordem::fingerprint fingerprint;
  std::optional<order_id> target;                           // absent for create_order
  std::optional<ordem::expected_version> expected_version;  // absent for create_order
  ordem::command command;
  ordem::origin origin = {};  // who sent it; the GUID is one of this tenant
};

}  // namespace ordem
