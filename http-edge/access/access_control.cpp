#include "http-edge/access/access_control.hpp"

#include <chrono>
#include <utility>

#include "auth/scope_names.hpp"
#include "http-edge/access/access_rules.hpp"
#include "http-edge/protocol/headers.hpp"

namespace ordem::http_edge {
namespace {

namespace http = boost::beast::http;
using codec::problem;

constexpr std::string_view bearer = "Bearer";

// The fields of the header that are checked here.
struct door_fields {
  std::string_view host;
  std::string_view authorization;
  std::string_view origin;
  bool has_authorization = false;
  bool has_authorization_twice = false;
  bool has_origin = false;
  bool has_origin_twice = false;
  bool is_from_other_origin = false;  // by Sec-Fetch-Site

  // Returns whether a browser sent the request for a page of another origin.
  bool is_foreign() const noexcept {
    return is_from_other_origin || has_origin_twice || (has_origin && is_foreign_origin(origin, host));
  }
};

// In one pass, as a search for each of them by its name would take longer.
door_fields read_fields(const request_header& request) {
  door_fields found;
  for (const auto& field : request) {
    switch (field.name()) {
      case http::field::host: found.host = field.value(); break;
      case http::field::authorization:
        found.has_authorization_twice = std::exchange(found.has_authorization, true);
        found.authorization = field.value();
        break;
      case http::field::origin:
        found.has_origin_twice = std::exchange(found.has_origin, true);
        found.origin = field.value();
        break;
      case http::field::sec_fetch_site:
        found.is_from_other_origin = found.is_from_other_origin || is_from_other_origin(field.value());
        break;
      default: break;
    }
  }
  return found;
}

// The time by the machine's clock, which is what credentials expire by. The engine's clock may be ahead of it.
timestamp wall_clock_now() {
  return std::chrono::floor<milliseconds>(std::chrono::system_clock::now());
}

bool has_bearer(std::string_view authorization) noexcept {
  return authorization.size() > bearer.size() && authorization[bearer.size()] == ' ' &&
         equals_ignoring_case(authorization.substr(0, bearer.size()), bearer);
}

// RFC 6750, section 3: no error code for a request without credentials, or with those of another scheme.
access_refusal unauthenticated(std::string_view authorization) {
  if (!has_bearer(authorization)) {
    return {problem::unauthenticated, "the request has no API key and no token", std::string(bearer)};
  }
  return {problem::unauthenticated, "the API key or token is not valid", "Bearer error=\"invalid_token\""};
}

access_refusal forbidden(auth::scope missing) {
  std::string challenge = "Bearer error=\"insufficient_scope\", scope=\"";
  challenge += auth::to_string(missing);
  challenge += '"';
  return {problem::forbidden, "the identity does not have the scope that this call needs", std::move(challenge),
          missing};
}

access_refusal rate_limited(tenant_refusal why) {
  switch (why) {
    case tenant_refusal::over_rate:
      return {problem::rate_limited, "the tenant sends more requests than --tenant-rate allows; nothing was done"};
    case tenant_refusal::over_in_flight: break;
  }
  return {problem::rate_limited,
          "as many requests of the tenant are being executed as --tenant-in-flight allows; nothing was done"};
}

}  // namespace

access_control::access_control(access_state& shared, std::unique_ptr<auth::authenticator> authenticator)
    : shared_(shared), authenticator_(std::move(authenticator)) {}

tl::expected<authorization, access_refusal> access_control::authorize(const request_header& request, resource what,
                                                                      const connection_info& from) {
  const required_access needed = access_to(what, request.method());
  if (!needed.needs_identity) return authorization{};

  const door_fields fields = read_fields(request);
  auth::shared_identity identity;
  const auto deny = [&](denial_cause why, access_refusal refused) {
    const std::string_view name = identity == nullptr ? std::string_view() : identity->origin.actor;
    shared_.denials.add(why, from.peer_address, name, denial_log::clock::now());
    return tl::make_unexpected(std::move(refused));
  };

  if (!fields.host.empty() && !shared_.hosts[static_cast<std::size_t>(from.listener)].allows(fields.host))
    return deny(denial_cause::misdirected_host, {problem::misdirected, "Host is no name of this server"});
  if (from.listener == listener_kind::operations && is_open_to_operations(what, request.method()))
    return authorization{};
  if (has_identities() && !(is_of_captures(what) && shared_.leaves_captures_open(from.listener))) {
    if (fields.has_authorization_twice) return deny(auth::denial::malformed, unauthenticated(fields.authorization));
    auto proved = authenticator_->authenticate({fields.authorization, from.certificate_subject}, wall_clock_now());
    if (!proved) return deny(proved.error(), unauthenticated(fields.authorization));
    identity = std::move(*proved);
    if (needed.scope && !identity->scopes.has(*needed.scope))
      return deny(denial_cause::insufficient_scope, forbidden(*needed.scope));
  }
  if (may_change_data(what, request.method()) && fields.is_foreign()) {
    return deny(denial_cause::foreign_origin,
                {problem::forbidden_origin, "a web page of another origin sent this write; nothing was done"});
  }

  authorization granted;
  if (identity != nullptr) granted.origin = identity->origin;
  if (needed.scope == auth::scope::operations) return granted;  // a flood must not hide what it does
  if (!shared_.tenants.is_active()) return granted;
  auto admitted = shared_.tenants.admit(granted.origin.tenant, denial_log::clock::now());
  if (!admitted) return tl::make_unexpected(rate_limited(admitted.error()));
  granted.permit = std::move(*admitted);
  return granted;
}

}  // namespace ordem::http_edge
