#include "http-edge/server/settings.hpp"

namespace ordem::http_edge {

std::vector<endpoint_settings> endpoints_of(const server_settings& settings) {
  std::vector<endpoint_settings> found = {{listener_kind::main, settings.address, settings.port}};
  if (settings.operations_port)
    found.push_back({listener_kind::operations, settings.operations_address, *settings.operations_port});
  if (settings.captures_port)
    found.push_back({listener_kind::captures, settings.captures_address, *settings.captures_port});
  return found;
}

}  // namespace ordem::http_edge
