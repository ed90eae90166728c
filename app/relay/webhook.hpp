// The signature of a webhook (standardwebhooks.com, "Standard Webhooks", sections "Signature scheme" and "Webhook
// headers"). Values and pure functions; any thread.
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

namespace ordem::app {

// Keys of HMAC, in the order of their signatures. Secret.
using webhook_keys = std::vector<std::string>;

// The most secrets of one file: more than one only while a receiver changes to another.
inline constexpr std::size_t webhook_keys_max = 4;

// Reads secrets, one a line: whsec_ and 24 to 64 bytes in base64. The error says which line is wrong, not what it has.
tl::expected<webhook_keys, std::string> parse_webhook_secrets(std::string_view text);

// Returns the headers of one attempt to deliver a body: webhook-id, webhook-timestamp and webhook-signature. `id` is
// that of the event, the same for each attempt; it must not have a dot. `seconds` is the time of the attempt, since
// 1970.
std::vector<std::pair<std::string, std::string>> webhook_headers(const webhook_keys& keys, const std::string& id,
                                                                 std::int64_t seconds, std::string_view body);

}  // namespace ordem::app
