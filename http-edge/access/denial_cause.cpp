#include "http-edge/access/denial_cause.hpp"

#include "engine/base/check.hpp"

namespace ordem::http_edge {
namespace {

std::string_view name_of(auth::denial why) noexcept {
  switch (why) {
    case auth::denial::missing: return "missing";
    case auth::denial::malformed: return "malformed";
    case auth::denial::unknown_key: return "unknown_key";
    case auth::denial::unknown_subject: return "unknown_subject";
    case auth::denial::expired: return "expired";
    case auth::denial::unknown_token_key: return "unknown_token_key";
    case auth::denial::bad_signature: return "bad_signature";
    case auth::denial::wrong_algorithm: return "wrong_algorithm";
    case auth::denial::wrong_issuer: return "wrong_issuer";
    case auth::denial::wrong_audience: return "wrong_audience";
    case auth::denial::bad_claims: return "bad_claims";
  }
  ORDEM_CHECK(false && "a denial outside its enumeration");
  return {};
}

std::string_view name_of(denial_cause::by_edge why) noexcept {
  switch (why) {
    case denial_cause::insufficient_scope: return "insufficient_scope";
    case denial_cause::foreign_origin: return "foreign_origin";
    case denial_cause::misdirected_host: return "misdirected_host";
  }
  ORDEM_CHECK(false && "a denial outside its enumeration");
  return {};
}

}  // namespace

std::string_view denial_cause::name() const noexcept {
  return index_ < auth::denials ? name_of(static_cast<auth::denial>(index_))
                                : name_of(static_cast<by_edge>(index_ - auth::denials));
}

}  // namespace ordem::http_edge
