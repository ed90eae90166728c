// The error message of a command other than serve.
#pragma once

#include <iostream>
#include <string_view>

namespace ordem::app {

// Prints the message on standard error. Returns the exit code of a failure. Thread-safe.
inline int fail(std::string_view message) {
  std::cerr << "ordem: " << message << "\n";
  return 1;
}

}  // namespace ordem::app
