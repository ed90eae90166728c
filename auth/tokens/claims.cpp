#include "auth/tokens/claims.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <utility>

#include "auth/names.hpp"
#include "auth/scope_names.hpp"
#include "auth/tokens/json.hpp"

namespace ordem::auth {
namespace {

namespace dom = simdjson::dom;

bool equals_in_any_case(std::string_view text, std::string_view lower) noexcept {
  return std::equal(text.begin(), text.end(), lower.begin(), lower.end(),
                    [](char a, char b) { return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b; });
}

// `typ` is a media type whose "application/" may be left out (RFC 7515, section 4.1.9).
bool is_token_type(std::string_view type) noexcept {
  constexpr std::string_view prefix = "application/";
  if (equals_in_any_case(type.substr(0, prefix.size()), prefix)) type.remove_prefix(prefix.size());
  return equals_in_any_case(type, "jwt") || equals_in_any_case(type, "at+jwt");
}

// --- times ---

// A NumericDate (RFC 7519, section 2): seconds since 1970, with a fraction perhaps. One outside 1970 to 9999 is wrong.
member<timestamp> time_member(dom::object claims, std::string_view name) {
  constexpr double seconds_max = 253'402'300'799.0;
  constexpr double ms_per_second = 1000.0;
  dom::element element;
  if (claims.at_key(name).get(element) != simdjson::SUCCESS) return {};
  double seconds = 0;
  if (!element.is_number() || element.get(seconds) != simdjson::SUCCESS) return {true, std::nullopt};
  if (!(seconds >= 0 && seconds <= seconds_max)) return {true, std::nullopt};
  return {false, timestamp(milliseconds(std::llround(seconds * ms_per_second)))};
}

struct validity {
  timestamp from;
  timestamp until;
};

tl::expected<validity, denial> read_validity(dom::object claims, milliseconds leeway) {
  const auto expiry = time_member(claims, "exp");
  const auto not_before = time_member(claims, "nbf");
  const auto issued = time_member(claims, "iat");
  if (!expiry.value || not_before.is_wrong || issued.is_wrong) return tl::make_unexpected(denial::bad_claims);
  constexpr timestamp always{};
  return validity{std::max(not_before.value.value_or(always), issued.value.value_or(always)) - leeway,
                  *expiry.value + leeway};
}

// --- for whom ---

bool is_for(dom::object claims, std::string_view audience) {
  dom::element element;
  if (claims.at_key("aud").get(element) != simdjson::SUCCESS) return false;
  std::string_view one;
  if (element.get(one) == simdjson::SUCCESS) return one == audience;
  dom::array several;
  if (element.get(several) != simdjson::SUCCESS) return false;
  return std::any_of(several.begin(), several.end(), [audience](dom::element each) {
    std::string_view name;
    return each.get(name) == simdjson::SUCCESS && name == audience;
  });
}

// --- the identity ---

void add_scope(scope_set& to, std::string_view name) {
  if (const auto known = parse_scope(name)) to.add(*known);
}

// Scopes of other services are none here.
member<scope_set> scopes_member(dom::object claims, std::string_view name) {
  dom::element element;
  if (claims.at_key(name).get(element) != simdjson::SUCCESS) return {};
  scope_set found;
  std::string_view text;
  if (element.get(text) == simdjson::SUCCESS) {
    while (!text.empty()) {
      const std::string_view word = text.substr(0, text.find(' '));
      add_scope(found, word);
      text.remove_prefix(std::min(word.size() + 1, text.size()));
    }
    return {false, found};
  }
  dom::array list;
  if (element.get(list) != simdjson::SUCCESS) return {true, std::nullopt};
  for (const dom::element each : list) {
    std::string_view word;
    if (each.get(word) != simdjson::SUCCESS) return {true, std::nullopt};
    add_scope(found, word);
  }
  return {false, found};
}

std::optional<identity> read_identity(dom::object claims, const token_rules& rules) {
  const auto name = string_member(claims, rules.name_claim);
  const auto tenant = string_member(claims, rules.tenant_claim);
  const auto scopes = scopes_member(claims, rules.scope_claim);
  if (!name.value || !is_name(*name.value) || tenant.is_wrong || !is_tenant(tenant.value.value_or("")) ||
      scopes.is_wrong) {
    return std::nullopt;
  }
  return identity{{std::string(tenant.value.value_or("")), std::string(*name.value)},
                  scopes.value.value_or(scope_set())};
}

}  // namespace

tl::expected<token_header, denial> read_header(dom::parser& parser, std::string_view json) {
  const auto refuse = [](denial why) { return tl::make_unexpected(why); };
  const auto header = parse_object(parser, json);
  if (!header) return refuse(denial::malformed);
  const auto name = string_member(*header, "alg").value;
  const auto algorithm = name ? parse_algorithm(*name) : std::nullopt;
  if (!algorithm) return refuse(denial::wrong_algorithm);
  const auto id = string_member(*header, "kid");
  const auto type = string_member(*header, "typ");
  const bool is_extended = header->at_key("crit").error() == simdjson::SUCCESS;
  if (is_extended || id.is_wrong || type.is_wrong || !is_token_type(type.value.value_or("jwt"))) {
    return refuse(denial::malformed);
  }
  return token_header{*algorithm, id.value};
}

tl::expected<verified_token, denial> read_claims(dom::parser& parser, std::string_view json, const token_rules& rules,
                                                 timestamp now) {
  const auto refuse = [](denial why) { return tl::make_unexpected(why); };
  const auto claims = parse_object(parser, json);
  if (!claims) return refuse(denial::bad_claims);
  if (string_member(*claims, "iss").value != rules.issuer) return refuse(denial::wrong_issuer);
  if (!is_for(*claims, rules.audience)) return refuse(denial::wrong_audience);
  const auto valid = read_validity(*claims, rules.leeway);
  if (!valid) return refuse(valid.error());
  if (now < valid->from || now >= valid->until) return refuse(denial::expired);
  auto who = read_identity(*claims, rules);
  if (!who) return refuse(denial::bad_claims);
  return verified_token{std::make_shared<const identity>(std::move(*who)), valid->from, valid->until};
}

}  // namespace ordem::auth
