// The listeners of the server, and which resources each of them serves. Pure functions; thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "http-edge/protocol/route.hpp"

namespace ordem::http_edge {

enum class listener_kind : std::uint8_t {
  main,        // --address, --port
  operations,  // --operations-address, --operations-port
  captures,    // --captures-address, --captures-port
};
inline constexpr std::size_t listeners = 3;

// Returns the name for logs: "main", "operations", "captures".
std::string_view to_string(listener_kind what) noexcept;

// Returns whether the listener serves the resource; a request for any other gets 404. `has_operations` tells whether
// there is an operations listener, which takes its resources from the main one. Every listener serves ping, live and
// ready; none serves resource::unknown.
bool serves(listener_kind listener, bool has_operations, resource what) noexcept;

}  // namespace ordem::http_edge
