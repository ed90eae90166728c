// What a web page could make a browser send to this server without asking it first: a request from another origin
// (Fetch, https://fetch.spec.whatwg.org), or one to a name that an attacker's DNS points to this server (DNS
// rebinding). Pure functions, and values; thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ordem::http_edge {

// Returns whether the value of Origin (RFC 6454, section 7) names a place other than `host`, the value of Host. The
// default port of the scheme may be given or left out on either side. "null" and anything malformed is foreign.
bool is_foreign_origin(std::string_view origin, std::string_view host) noexcept;

// Returns whether the value of Sec-Fetch-Site (Fetch Metadata) says that a page of another origin sent the request.
bool is_from_other_origin(std::string_view fetch_site) noexcept;

// The names by which the server may be addressed. An IP address and localhost always may: no attacker's DNS can change
// where they lead.
class allowed_hosts {
 public:
  // Allows any name.
  allowed_hosts() = default;
  // Allows these names, in any case; "*" allows any.
  explicit allowed_hosts(std::vector<std::string> names);

  // `host` is the value of Host: a host, and perhaps a port, which plays no part.
  bool allows(std::string_view host) const noexcept;

 private:
  bool any_ = true;
  std::vector<std::string> names_;
};

}  // namespace ordem::http_edge
