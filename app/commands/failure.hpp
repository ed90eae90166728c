// How a command that ends by itself tells that it failed.
#pragma once

#include <iostream>
#include <string_view>

namespace ordem::app {

// Prints the sentence on standard error; returns the exit code of a failure. Any thread.
inline int fail(std::string_view message) {
  std::cerr << "ordem: " << message << "\n";
  return 1;
}

}  // namespace ordem::app
