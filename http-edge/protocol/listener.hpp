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

// What the settings say about the listeners.
struct listener_setup {
  // There is an operations listener, which takes its resources from the main one.
  bool has_operations = false;
  // It also serves state, settings, reads of orders and messages, and reads and releases of captures, for the console:
  // there are identities, or only this machine reaches it.
  bool operations_reads_data = false;
};

// Returns whether this is a call that the operations listener serves for the console, if it serves any: a read of
// orders, messages or captures, or the release of a capture.
bool is_console_call(resource what, boost::beast::http::verb method) noexcept;

// Returns whether the listener serves the call; a request for any other gets 404. Every listener serves ping, live and
// ready; none serves resource::unknown. A method that the resource does not have makes no difference, but for
// is_console_call().
bool serves(listener_kind listener, listener_setup setup, resource what, boost::beast::http::verb method) noexcept;

}  // namespace ordem::http_edge
