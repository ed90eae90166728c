// An error that validation reports.
#pragma once

#include <string>

namespace ordem {

// `pointer`: where (JSON Pointer, RFC 6901). `detail`: the rule that is broken.
struct violation {
  std::string pointer;
  std::string detail;
  friend bool operator==(const violation&, const violation&) = default;
};

}  // namespace ordem
