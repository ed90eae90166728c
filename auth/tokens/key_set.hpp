// The public keys of those who issue tokens: a JWK Set (RFC 7517; RFC 7518, section 6; RFC 8037).
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "auth/tokens/public_key.hpp"

namespace ordem::auth {

inline constexpr std::size_t key_set_bytes_max = std::size_t{256} << 10;
inline constexpr std::size_t key_set_keys_max = 100;

// Immutable once made; any thread.
class key_set {
 public:
  // A set without keys.
  key_set() = default;

  // Returns the keys of the set that can check a token, or an error as the end of a sentence if there is none. Keys for
  // another use or of another kind are left out, as RFC 7517 (section 5) wants: RSA for RS256, P-256 for ES256 and
  // Ed25519 for EdDSA are taken, where `alg`, `use` and `key_ops` do not say otherwise.
  static tl::expected<key_set, std::string> parse(std::string_view text);

  // Returns the key for tokens of this key id and algorithm, or null. Ids are equal byte by byte. Without an id, the
  // only key of the algorithm; null if there are several. The key lives as long as the set.
  const public_key* find(std::optional<std::string_view> id, signature_algorithm algorithm) const noexcept;

  std::size_t size() const noexcept { return keys_.size(); }
  // Why keys were left out, a line for each: "key 2 ('a'): has fewer than 2048 bits".
  const std::vector<std::string>& left_out() const noexcept { return left_out_; }

 private:
  struct named_key {
    std::optional<std::string> id;
    public_key key;
  };
  std::vector<named_key> keys_;
  std::vector<std::string> left_out_;
};

}  // namespace ordem::auth
