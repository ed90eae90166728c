// Timeout of waits that a passing test never reaches.
#pragma once

#include <chrono>

namespace ordem::testing {

inline constexpr std::chrono::seconds patience{60};

}  // namespace ordem::testing
