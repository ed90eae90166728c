// The pages that a problem's type links to, in HTML. Pure functions, any thread.
#pragma once

#include <string>

#include "engine/codec/problem.hpp"

namespace ordem::http_edge {

// Explains one problem: what happened, and what to do.
std::string problem_page(const codec::problem_row& row);
// Links to all of them.
std::string problem_list_page();

}  // namespace ordem::http_edge
