// What validation reports of a request.
#pragma once

#include <string>

namespace ordem {

// One thing wrong with a request: where (JSON Pointer, RFC 6901) and what.
struct violation {
  std::string pointer;
  std::string detail;
  friend bool operator==(const violation&, const violation&) = default;
};

}  // namespace ordem
