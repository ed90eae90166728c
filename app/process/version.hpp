// The version of the program, from CMakeLists.txt, and what is known of its build. Thread-safe.
#pragma once

#include <string_view>

namespace ordem::app {

inline constexpr std::string_view version_text = ORDEM_VERSION;

// The texts live as long as the program.
struct build_info {
  std::string_view commit;      // 12 digits, followed by -dirty if files were changed; "unknown" outside a repository
  std::string_view build_type;  // CMake's: Release, Debug
  std::string_view compiler;
  std::string_view libraries;  // "NAME VERSION, NAME VERSION": what the program was built with
};

const build_info& this_build();

}  // namespace ordem::app
