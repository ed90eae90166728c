// The HTML pages that the type of a problem links to. Pure functions; thread-safe.
#pragma once

#include <string>

#include "engine/codec/problem.hpp"

namespace ordem::http_edge {

// Returns the page that explains one problem: what happened and what to do.
std::string problem_page(const codec::problem_row& row);
// Returns the page with links to all problems.
std::string problem_list_page();

}  // namespace ordem::http_edge
