// A position that is behind each entry.
#pragma once

#include "engine/model/ids.hpp"

namespace ordem::testing {

inline constexpr position the_end{~std::uint64_t{0}};

}  // namespace ordem::testing
