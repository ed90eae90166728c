// Turns exceptions of libpqxx into errors. Only for storage/postgres/*.cpp.
#pragma once

#include <exception>
#include <new>

namespace ordem::storage {

// Runs a step that uses libpqxx, and returns its result, or on_failure(exception) if it throws. Passes on
// std::bad_alloc, which ends the process: a lack of memory is no failure of Postgres, and a retry would hide it.
template <class Step, class OnFailure>
auto run_guarded(Step step, OnFailure on_failure) -> decltype(step()) {
  try {
    return step();
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& error) {
    return on_failure(error);
  }
}

}  // namespace ordem::storage
