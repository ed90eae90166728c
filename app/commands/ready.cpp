#include "app/commands/ready.hpp"

#include <fmt/format.h>

#include <chrono>
#include <iostream>

#include "app/commands/failure.hpp"
#include "http-edge/client/http_client.hpp"

namespace ordem::app {
namespace {

// The server answers from memory: one that needs longer is not ready.
constexpr auto response_time_max = std::chrono::seconds(2);

}  // namespace

int ready(const ready_command& what) {
  const auto scheme = what.uses_tls ? http_edge::scheme::https : http_edge::scheme::http;
  const auto response = http_edge::http_get(scheme, what.address, what.port, what.reads ? "/-/ready/reads" : "/-/ready",
                                            response_time_max);
  if (!response) return fail(response.error());
  if (response->status != 200) return fail(fmt::format("not ready: {} {}", response->status, response->body));
  std::cout << "ready\n";
  return 0;
}

}  // namespace ordem::app
