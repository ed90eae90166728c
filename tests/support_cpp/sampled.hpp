// Tests that try one place after another, or draw many, try one in ORDEM_SAMPLE of them where it is set, as
// scripts/test does in a quick run under a sanitizer. Which ones depends on the seed of the run.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include "tests/support_cpp/seed.hpp"

namespace ordem::testing {

// The numbers 0 to count - 1, or a part of them, in order; at least one of each eight.
inline std::vector<int> sampled(int count) {
  const char* given = std::getenv("ORDEM_SAMPLE");
  const int step = given ? std::clamp(std::stoi(given), 1, 8) : 1;
  std::vector<int> numbers;
  for (int i = step == 1 ? 0 : static_cast<int>(seed_of_run() % static_cast<unsigned>(step)); i < count; i += step)
    numbers.push_back(i);
  return numbers;
}

}  // namespace ordem::testing
