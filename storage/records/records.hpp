// The records on disk: how orders, messages, captures and log groups become bytes, and back. records.cpp draws each
// layout; tests/storage/golden holds an example of each. Pure functions, any thread.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "engine/model/ids.hpp"
#include "engine/model/order.hpp"
#include "engine/model/outcome.hpp"
#include "storage/log/entry.hpp"

namespace ordem::storage {

// The format of the whole data folder, kept in its file FORMAT. A folder of a higher number is not opened.
inline constexpr int data_format = 4;

// Every encode_ function appends to `out`. Every decode_ function gives nothing for bytes that no encode_ function
// wrote.

void encode_order_key(std::string& out, order_id id);
void encode_version_key(std::string& out, order_id id, version which);
void encode_message_key(std::string& out, const guid& id);
void encode_capture_key(std::string& out, const capture_key& key);
void encode_log_key(std::string& out, position first);
void encode_customer_prefix(std::string& out, std::string_view customer_id);
void encode_customer_key(std::string& out, std::string_view customer_id, order_id id);

std::optional<order_id> decode_order_key(std::string_view key);
std::optional<guid> decode_message_key(std::string_view key);
std::optional<capture_key> decode_capture_key(std::string_view key);
std::optional<position> decode_log_key(std::string_view key);
std::optional<order_id> decode_customer_key(std::string_view key);

void encode_order(std::string& out, const order& what);
std::optional<order> decode_order(order_id id, std::string_view record);

void encode_message(std::string& out, const message_record& what);
std::optional<message_record> decode_message(std::string_view record);

void encode_capture(std::string& out, const capture& what);
std::optional<capture> decode_capture(std::string_view record);

// Of a message or a capture, only what the expiry filter needs.
struct lifetime {
  timestamp made_at;     // or allocated
  timestamp expires_at;  // timestamp::max(): never
};
std::optional<lifetime> decode_lifetime(std::string_view record);

// One record of the log. `bytes_before`: the size of all log records before it, so that the difference of two is the
// size of what stands between them.
struct log_group {
  std::uint64_t bytes_before = 0;
  std::vector<std::variant<logged_message, capture_entry>> entries;
};
void encode_log_group(std::string& out, std::uint64_t bytes_before, std::span<const entry> entries);
std::optional<log_group> decode_log_group(std::string_view record);

}  // namespace ordem::storage
