#include "auth/tokens/token_verifier.hpp"

#include <optional>
#include <string>
#include <utility>

#include "auth/encoding/base64url.hpp"
#include "auth/tokens/claims.hpp"
#include "engine/base/check.hpp"
#include "engine/base/limits.hpp"

namespace ordem::auth {
namespace {

// HEADER.CLAIMS.SIGNATURE, each in base64url.
struct compact_form {
  std::string_view header;
  std::string_view claims;
  std::string_view signature;
  std::string_view signed_part;  // HEADER.CLAIMS
};

std::optional<compact_form> split_token(std::string_view token) {
  if (token.size() > token_bytes_max) return std::nullopt;
  const auto first = token.find('.');
  if (first == std::string_view::npos) return std::nullopt;
  const auto second = token.find('.', first + 1);
  if (second == std::string_view::npos || token.find('.', second + 1) != std::string_view::npos) return std::nullopt;
  return compact_form{token.substr(0, first), token.substr(first + 1, second - first - 1), token.substr(second + 1),
                      token.substr(0, second)};
}

}  // namespace

struct token_verifier::parts {
  token_rules rules;
  simdjson::dom::parser parser;
  signature_context context;
};

token_verifier::token_verifier(token_rules rules) : parts_(std::make_unique<parts>()) {
  parts_->rules = std::move(rules);
  ORDEM_CHECK(parts_->parser.allocate(token_bytes_max, limits::json_depth_max) == simdjson::SUCCESS);
}

token_verifier::~token_verifier() = default;

tl::expected<verified_token, denial> token_verifier::verify(std::string_view token, const key_set& keys,
                                                            timestamp now) {
  const auto refuse = [](denial why) { return tl::make_unexpected(why); };
  const auto form = split_token(token);
  if (!form) return refuse(denial::malformed);
  const auto header_json = decode_base64url(form->header);
  const auto claims_json = decode_base64url(form->claims);
  const auto signature = decode_base64url(form->signature);
  if (!header_json || !claims_json || !signature) return refuse(denial::malformed);
  const auto header = read_header(parts_->parser, *header_json);
  if (!header) return refuse(header.error());
  const public_key* const key = keys.find(header->key_id, header->algorithm);
  if (key == nullptr) return refuse(denial::unknown_token_key);
  if (!key->has_signed(form->signed_part, *signature, parts_->context)) return refuse(denial::bad_signature);
  return read_claims(parts_->parser, *claims_json, parts_->rules, now);
}

}  // namespace ordem::auth
