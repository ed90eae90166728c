// What a request handler needs to know about the connection that a request came by. Values; each session owns one, and
// only its I/O thread uses it.
#pragma once

#include <string>

#include "http-edge/protocol/listener.hpp"

namespace ordem::http_edge {

struct connection_info {
  listener_kind listener = listener_kind::main;
  // The client's IP address as text, without the port. An IPv4 address is never mapped to IPv6.
  std::string peer_address;
  // The subject (RFC 4514) of the client certificate that TLS has verified; empty if there is none.
  std::string certificate_subject;
};

}  // namespace ordem::http_edge
