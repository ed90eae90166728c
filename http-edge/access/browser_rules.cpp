#include "http-edge/access/browser_rules.hpp"

#include <algorithm>
#include <utility>

#include "http-edge/protocol/headers.hpp"

namespace ordem::http_edge {
namespace {

struct host_and_port {
  std::string_view host;
  std::string_view port;  // without the colon; empty if there is none
};

host_and_port split(std::string_view authority) noexcept {
  const auto bracket = authority.starts_with('[') ? authority.find(']') : 0;
  const auto colon = bracket == authority.npos ? authority.npos : authority.find(':', bracket);
  if (colon == authority.npos) return {authority, {}};
  return {authority.substr(0, colon), authority.substr(colon + 1)};
}

// No browser looks up a name of digits and dots, nor one in brackets: they are addresses (URL standard, section 3.5).
bool is_ip_address(std::string_view host) noexcept {
  if (host.starts_with('[')) return true;
  return !host.empty() &&
         std::all_of(host.begin(), host.end(), [](char c) { return (c >= '0' && c <= '9') || c == '.'; });
}

}  // namespace

bool is_foreign_origin(std::string_view origin, std::string_view host) noexcept {
  const auto scheme_end = origin.find("://");
  if (scheme_end == origin.npos || host.empty()) return true;
  const auto scheme = origin.substr(0, scheme_end);
  const std::string_view default_port = equals_ignoring_case(scheme, "https") ? "443" : "80";
  auto from = split(origin.substr(scheme_end + 3));
  auto here = split(host);
  if (from.port.empty()) from.port = default_port;
  if (here.port.empty()) here.port = default_port;
  return from.port != here.port || !equals_ignoring_case(from.host, here.host);
}

bool is_from_other_origin(std::string_view fetch_site) noexcept {
  return !equals_ignoring_case(fetch_site, "same-origin") && !equals_ignoring_case(fetch_site, "none");
}

allowed_hosts::allowed_hosts(std::vector<std::string> names)
    : any_(std::find(names.begin(), names.end(), "*") != names.end()), names_(std::move(names)) {}

bool allowed_hosts::allows(std::string_view host) const noexcept {
  if (any_) return true;
  const std::string_view name = split(host).host;
  if (is_ip_address(name) || equals_ignoring_case(name, "localhost")) return true;
  return std::any_of(names_.begin(), names_.end(), [&](const auto& each) { return equals_ignoring_case(each, name); });
}

}  // namespace ordem::http_edge
