// A bearer token. The first byte chooses: 0, a whole token, which no key of the set has signed for this server; 1, the
// JSON of its header; 2, that of its claims, as if they were signed.

#include "auth/tokens/token_verifier.hpp"

#include "auth/names.hpp"
#include "auth/tokens/claims.hpp"
#include "tests/fuzz/support.hpp"

namespace ordem::auth {
namespace {

constexpr timestamp now{std::chrono::seconds(1'800'000'000)};
constexpr std::chrono::seconds leeway(60);

token_rules rules() {
  return {.issuer = "joe", .audience = "ordem", .leeway = leeway};
}

// The public keys of the examples in RFC 7515 (A.2, A.3) and RFC 8037 (A.4), whose signed objects are seeds: they get
// past the signature, and have no audience or no claims.
const key_set& keys() {
  static const key_set set = *key_set::parse(R"({"keys":[
    {"kty":"RSA","kid":"r","e":"AQAB","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"},
    {"kty":"EC","kid":"e","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"},
    {"kty":"OKP","kid":"d","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]})");
  return set;
}

simdjson::dom::parser& parser() {
  static simdjson::dom::parser one = fuzz::json_parser();
  return one;
}

void run_claims(std::string_view json) {
  const auto read = read_claims(parser(), json, rules(), now);
  if (!read) return;
  ORDEM_CHECK(is_name(read->identity->origin.actor) && is_tenant(read->identity->origin.tenant));
  ORDEM_CHECK(read->from <= now && now < read->until);
  // Its end is exp and the leeway.
  const auto late = read_claims(parser(), json, rules(), read->until);
  ORDEM_CHECK(!late && late.error() == denial::expired);
}

void run(std::string_view input) {
  static token_verifier verifier(rules());
  switch (fuzz::take_choice(input, 3)) {
    case 0: ORDEM_CHECK(!verifier.verify(input, keys(), now)); return;
    case 1: static_cast<void>(read_header(parser(), input)); return;
    default: run_claims(input); return;
  }
}

}  // namespace
}  // namespace ordem::auth

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ordem::auth::run(ordem::fuzz::text_of(data, size));
  return 0;
}
