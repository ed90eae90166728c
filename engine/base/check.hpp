// CHECK(condition): a bug stops the process at once, with the place, before it can reach the disk. Never for what a
// user sent.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace ordem {

[[noreturn]] inline void check_failed(const char* condition, const char* file, int line) noexcept {
  std::fprintf(stderr, "%s:%d: CHECK failed: %s\n", file, line, condition);
  std::abort();
}

}  // namespace ordem

// NOLINTNEXTLINE(cppcoreguidelines-macro-usage): it prints its argument's text.
#define CHECK(condition) ((condition) ? static_cast<void>(0) : ::ordem::check_failed(#condition, __FILE__, __LINE__))
