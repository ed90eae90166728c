// The version of the program, from CMakeLists.txt.
#pragma once

#include <string_view>

namespace ordem::app {

inline constexpr std::string_view version_text = ORDEM_VERSION;

}  // namespace ordem::app
