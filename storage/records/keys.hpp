// The keys of records in the store. Pure functions, any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "engine/model/capture.hpp"
#include "engine/model/ids.hpp"
#include "engine/model/tenant_key.hpp"

namespace ordem::storage {

// Every encode_ function appends to `out`. Every decode_ function returns nullopt for bytes that its encode_ function
// can't have written.

void encode_order_key(std::string& out, order_id id);
void encode_version_key(std::string& out, order_id id, version which);
// REQUIRES of every tenant: at most limits::tenant_bytes_max.
void encode_message_key(std::string& out, std::string_view tenant, const guid& id);
void encode_capture_key(std::string& out, std::string_view tenant, const capture_key& key);
void encode_log_key(std::string& out, position first);
void encode_customer_prefix(std::string& out, std::string_view tenant, std::string_view customer_id);
void encode_customer_key(std::string& out, std::string_view tenant, std::string_view customer_id, order_id id);
// Sorts the newest order first. Only in memory.
void encode_inverted_order_key(std::string& out, order_id id);
void encode_external_id_prefix(std::string& out, std::string_view tenant, std::string_view external_id);
void encode_external_id_key(std::string& out, std::string_view tenant, std::string_view external_id, order_id id);

std::optional<order_id> decode_order_key(std::string_view key);
std::optional<order_id> decode_inverted_order_key(std::string_view key);
std::optional<message_key> decode_message_key(std::string_view key);
std::optional<tenant_capture_key> decode_capture_key(std::string_view key);
std::optional<position> decode_log_key(std::string_view key);

// What a key of the family customers holds: that the order is one of a customer, or that it has an external id. Its
// texts are parts of the key.
struct customer_key {
  std::string_view tenant;
  std::string_view customer_id;
  order_id id;
};
struct external_id_key {
  std::string_view tenant;
  std::string_view external_id;
  order_id id;
};
std::optional<customer_key> decode_customer_key(std::string_view key);
std::optional<external_id_key> decode_external_id_key(std::string_view key);

}  // namespace ordem::storage
