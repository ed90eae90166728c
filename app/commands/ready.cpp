#include "app/commands/ready.hpp"

#include <chrono>
#include <iostream>

#include "app/commands/failure.hpp"
#include "http-edge/client/http_client.hpp"

namespace ordem::app {
namespace {

// Readiness is told from memory: a server that takes longer is as good as none.
constexpr auto answer_time_max = std::chrono::seconds(2);

}  // namespace

int ready(const ready_command& what) {
  const auto answer =
      http_edge::http_get(what.address, what.port, what.reads ? "/-/ready/reads" : "/-/ready", answer_time_max);
  if (!answer) return fail(answer.error());
  if (answer->status != 200) return fail("not ready: " + std::to_string(answer->status) + " " + answer->body);
  std::cout << "ready\n";
  return 0;
}

}  // namespace ordem::app
