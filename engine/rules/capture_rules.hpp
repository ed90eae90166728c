// The rules of a capture: who may allocate, record and release it. Pure: no I/O, no clock, no threads.
#pragma once

#include <optional>

#include "engine/model/capture.hpp"

namespace ordem {

// A new state of a capture; null if it is removed.
struct capture_change {
  shared_capture after;
};

struct capture_decision {
  capture_verdict verdict = capture_verdict::unknown;
  std::optional<capture_change> change;
};

// Decides a request. `current`: the capture after all decisions so far; null if there is none. An allocation that an
// identity was given is recorded and released by that identity only. REQUIRES: `current` is of the request's tenant.
capture_decision decide(const shared_capture& current, const capture_request& asked, const capture_terms& terms,
                        const clock_reading& now);

}  // namespace ordem
