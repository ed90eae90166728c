#include "auth/tokens/key_set.hpp"

#include <algorithm>
#include <utility>

#include "auth/encoding/base64url.hpp"
#include "auth/tokens/json.hpp"
#include "engine/base/limits.hpp"
#include "engine/base/text.hpp"

namespace ordem::auth {
namespace {

namespace dom = simdjson::dom;

using key_result = tl::expected<public_key, std::string>;

tl::unexpected<std::string> refuse(std::string why) {
  return tl::make_unexpected(std::move(why));
}

// Returns the bytes of a member in base64url, or nullopt.
std::optional<std::string> bytes_member(dom::object key, std::string_view name) {
  const auto text = string_member(key, name).value;
  return text ? decode_base64url(*text) : std::nullopt;
}

key_result read_rsa(dom::object key) {
  const auto n = bytes_member(key, "n");
  const auto e = bytes_member(key, "e");
  if (!n || !e) return refuse("has no n or no e in base64url");
  return public_key::make_rsa(*n, *e);
}

key_result read_ec(dom::object key) {
  if (string_member(key, "crv").value != "P-256") return refuse("is not on P-256");
  const auto x = bytes_member(key, "x");
  const auto y = bytes_member(key, "y");
  if (!x || !y) return refuse("has no x or no y in base64url");
  return public_key::make_p256(*x, *y);
}

key_result read_okp(dom::object key) {
  if (string_member(key, "crv").value != "Ed25519") return refuse("is not of Ed25519");
  const auto x = bytes_member(key, "x");
  if (!x) return refuse("has no x in base64url");
  return public_key::make_ed25519(*x);
}

key_result read_by_type(dom::object key) {
  const auto type = string_member(key, "kty").value;
  if (type == "RSA") return read_rsa(key);
  if (type == "EC") return read_ec(key);
  if (type == "OKP") return read_okp(key);
  return refuse("has a kty other than RSA, EC and OKP");
}

// Returns whether `key_ops` is missing or has "verify".
bool may_verify(dom::object key) {
  dom::element operations;
  if (key.at_key("key_ops").get(operations) != simdjson::SUCCESS) return true;
  dom::array list;
  if (operations.get(list) != simdjson::SUCCESS) return false;
  for (const dom::element each : list) {
    std::string_view name;
    if (each.get(name) == simdjson::SUCCESS && name == "verify") return true;
  }
  return false;
}

key_result read_key(dom::object key) {
  if (has_member_twice(key)) return refuse("has a member twice");
  const auto use = string_member(key, "use");
  if (use.is_wrong || use.value.value_or("sig") != "sig" || !may_verify(key)) return refuse("is not for signatures");
  const auto algorithm = string_member(key, "alg");
  if (algorithm.is_wrong || (algorithm.value && !parse_algorithm(*algorithm.value))) {
    return refuse("has an alg other than RS256, ES256 and EdDSA");
  }
  auto read = read_by_type(key);
  if (read && algorithm.value && parse_algorithm(*algorithm.value) != read->algorithm()) {
    return refuse("has an alg that is not for its kty");
  }
  return read;
}

}  // namespace

tl::expected<key_set, std::string> key_set::parse(std::string_view text) {
  if (text.size() > key_set_bytes_max) return refuse("is larger than 256 KiB");
  text = without_byte_order_mark(text);
  dom::parser parser;
  if (parser.allocate(text.size(), limits::json_depth_max) != simdjson::SUCCESS) return refuse("cannot be read");
  const auto object = parse_object(parser, text);
  dom::array list;
  if (!object || object->at_key("keys").get(list) != simdjson::SUCCESS) {
    return refuse("is not a JSON object with an array 'keys' (RFC 7517)");
  }
  if (list.size() > key_set_keys_max) return refuse("has more than 100 keys");
  key_set set;
  std::size_t number = 0;
  for (const dom::element each : list) {
    ++number;
    std::string name = "key " + std::to_string(number);
    dom::object key;
    if (each.get(key) != simdjson::SUCCESS) {
      set.left_out_.push_back(name + ": is not an object");
      continue;
    }
    const auto id = string_member(key, "kid");
    if (id.value) name += " (" + in_quotes(*id.value) + ")";
    auto read = id.is_wrong ? key_result(refuse("has a kid that is not a string")) : read_key(key);
    if (!read) {
      set.left_out_.push_back(name + ": " + read.error());
      continue;
    }
    set.keys_.push_back({id.value ? std::optional<std::string>(*id.value) : std::nullopt, std::move(*read)});
  }
  if (set.keys_.empty()) {
    return refuse(set.left_out_.empty() ? "has no key" : "has no key that can be used; " + set.left_out_.front());
  }
  return set;
}

const public_key* key_set::find(std::optional<std::string_view> id, signature_algorithm algorithm) const noexcept {
  const public_key* found = nullptr;
  for (const named_key& each : keys_) {
    if (each.key.algorithm() != algorithm) continue;
    if (id && each.id != *id) continue;
    if (!id && found != nullptr) return nullptr;
    found = &each.key;
    if (id) return found;
  }
  return found;
}

}  // namespace ordem::auth
