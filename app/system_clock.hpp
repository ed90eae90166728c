// The machine's clock, for the whole program; tests have one of their own.
#pragma once

#include "engine/time.hpp"

namespace ordem::app {

class system_clock final : public time_source {
 public:
  timestamp now() const noexcept override {
    return std::chrono::time_point_cast<milliseconds>(std::chrono::system_clock::now());
  }
};

}  // namespace ordem::app
