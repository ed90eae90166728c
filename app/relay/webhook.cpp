#include "app/relay/webhook.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "auth/encoding/base64.hpp"
#include "auth/encoding/hmac.hpp"
#include "engine/base/check.hpp"

namespace ordem::app {
namespace {

constexpr std::string_view secret_prefix = "whsec_";
constexpr std::size_t key_bytes_min = 24;
constexpr std::size_t key_bytes_max = 64;

std::optional<std::string> parse_secret(std::string_view line) {
  if (!line.starts_with(secret_prefix)) return std::nullopt;
  auto key = auth::decode_base64(line.substr(secret_prefix.size()));
  if (!key || key->size() < key_bytes_min || key->size() > key_bytes_max) return std::nullopt;
  return key;
}

}  // namespace

tl::expected<webhook_keys, std::string> parse_webhook_secrets(std::string_view text) {
  webhook_keys keys;
  for (int number = 1; !text.empty(); ++number) {
    const auto end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty()) continue;
    auto key = parse_secret(line);
    if (!key) return tl::make_unexpected(fmt::format("line {} is not whsec_ and 24 to 64 bytes in base64", number));
    if (keys.size() == webhook_keys_max)
      return tl::make_unexpected(fmt::format("it has more than {} secrets", webhook_keys_max));
    keys.push_back(std::move(*key));
  }
  if (keys.empty()) return tl::make_unexpected(std::string("it has no secret"));
  return keys;
}

std::vector<std::pair<std::string, std::string>> webhook_headers(const webhook_keys& keys, const std::string& id,
                                                                 std::int64_t seconds, std::string_view body) {
  ORDEM_CHECK(id.find('.') == id.npos);
  const std::string timestamp = std::to_string(seconds);
  const std::string signed_text = fmt::format("{}.{}.{}", id, timestamp, body);
  std::string signatures;
  for (const std::string& key : keys) {
    const auto made = auth::hmac_sha256(key, signed_text);
    if (!signatures.empty()) signatures += ' ';
    signatures += "v1," + auth::encode_base64({reinterpret_cast<const char*>(made.bytes.data()), made.bytes.size()});
  }
  return {{"webhook-id", id}, {"webhook-timestamp", timestamp}, {"webhook-signature", signatures}};
}

}  // namespace ordem::app
