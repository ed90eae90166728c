// Decides who may make a request, before anything else about the request is told: Host, identity, scope, web pages of
// other origins, and the bounds of the tenant. Reads the header only. Each I/O thread has its own access_control and is
// the only one that calls it; they share one access_state.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

#include "auth/authenticator.hpp"
#include "engine/codec/problem.hpp"
#include "engine/model/origin.hpp"
#include "http-edge/access/browser_rules.hpp"
#include "http-edge/access/denial_log.hpp"
#include "http-edge/access/settings.hpp"
#include "http-edge/access/tenant_limits.hpp"
#include "http-edge/protocol/connection_info.hpp"
#include "http-edge/protocol/listener.hpp"
#include "http-edge/protocol/request_header.hpp"
#include "http-edge/protocol/route.hpp"

namespace ordem::http_edge {

// The names that each listener accepts, by listener_kind.
using hosts_by_listener = std::array<allowed_hosts, listeners>;

// What the I/O threads share. Owned by the server. Thread-safe.
struct access_state {
  access_state(const access_settings& settings, hosts_by_listener names, denial_lines lines,
               bool captures_have_a_listener = false)
      : captures_are_open(settings.captures_are_open),
        has_captures_listener(captures_have_a_listener),
        hosts(std::move(names)),
        denials(std::move(lines)),
        tenants(settings.tenants) {}

  // Returns whether calls of captures that come by this listener need no identity. If captures have a listener of their
  // own, only those that come by it; never those that come by the one for operations.
  bool leaves_captures_open(listener_kind by) const noexcept {
    if (by == listener_kind::operations) return false;
    return captures_are_open && (!has_captures_listener || by == listener_kind::captures);
  }

  const bool captures_are_open;
  const bool has_captures_listener;
  const hosts_by_listener hosts;
  denial_log denials;
  tenant_limits tenants;
};

// An authorised request: who sent it, and its place among those of its tenant.
struct authorization {
  ordem::origin origin;  // empty without identities, and of a call that is open to all
  tenant_permit permit;
};

// Why a request is not authorised. The handler makes the response.
struct access_refusal {
  codec::problem which;
  std::string_view detail;
  std::string challenge = {};                         // the value of WWW-Authenticate; empty: not sent
  std::optional<auth::scope> missing = std::nullopt;  // the scope that the identity lacks
};

class access_control {
 public:
  // `authenticator` is null without identities: every request is that of nobody, who has all scopes. `shared` must
  // outlive the control.
  access_control(access_state& shared, std::unique_ptr<auth::authenticator> authenticator);

  // Checks the header of a request for `what`, which came by `from`.
  tl::expected<authorization, access_refusal> authorize(const request_header& request, resource what,
                                                        const connection_info& from);

  bool has_identities() const noexcept { return authenticator_ != nullptr; }

 private:
  access_state& shared_;
  std::unique_ptr<auth::authenticator> authenticator_;
};

}  // namespace ordem::http_edge
