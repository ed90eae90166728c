// ORDEM_CHECK(condition) aborts the process with the file and line if the condition is false, so a bug can't reach the
// disk. Not for input: reject that.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace ordem {

[[noreturn]] inline void check_failed(const char* condition, const char* file, int line) noexcept {
  std::fprintf(stderr, "%s:%d: ORDEM_CHECK failed: %s\n", file, line, condition);
  std::abort();
}

}  // namespace ordem

// NOLINTNEXTLINE(cppcoreguidelines-macro-usage): it prints its argument's text.
#define ORDEM_CHECK(condition) \
  ((condition) ? static_cast<void>(0) : ::ordem::check_failed(#condition, __FILE__, __LINE__))
