// The settings of access_control. Checked in app/settings.
#pragma once

#include <string>
#include <vector>

#include "http-edge/access/tenant_limits.hpp"

namespace ordem::http_edge {

struct access_settings {
  // The names by which clients may address the server (Host), beside IP addresses and localhost; "*" is any name.
  // Empty: any name by a listener off loopback, none by one on loopback.
  std::vector<std::string> hosts;
  // Calls of captures need no identity; if captures have a listener of their own, only those that come by it.
  bool captures_are_open = false;
  tenant_settings tenants;
};

}  // namespace ordem::http_edge
