// Seeds for random tests: ORDEM_SEED where it is set, else a new one. Say `INFO("ORDEM_SEED=" << seed)`, so that a
// failing test prints what runs it again.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <string>

#include "engine/base/random_bits.hpp"

namespace ordem::testing {

inline std::uint64_t seed_of_run() {
  if (const char* given = std::getenv("ORDEM_SEED")) return std::stoull(given);
  return random_bits();
}

}  // namespace ordem::testing
