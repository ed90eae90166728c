// Which exceptions become an error of Postgres.
#include "storage/postgres/guarded.hpp"

#include <catch2/catch.hpp>
#include <new>
#include <stdexcept>
#include <string>

#include "storage/log/error.hpp"

namespace ordem::storage {
namespace {

template <class Step>
result<int> run(Step step) {
  return run_guarded([&]() -> result<int> { return step(); },
                     [](const std::exception& error) { return fail_with(error_code::unavailable, error.what()); });
}

TEST_CASE("an exception becomes the error that the caller makes of it") {
  CHECK(run([] { return 7; }).value() == 7);
  CHECK(run([]() -> int { throw std::runtime_error("broken"); }).error().message == "broken");
  CHECK(run([]() -> int { throw std::invalid_argument("wrong"); }).error().message == "wrong");
}

TEST_CASE("a lack of memory is not taken for a failure of Postgres") {
  CHECK_THROWS_AS(run([]() -> int { throw std::bad_alloc(); }), std::bad_alloc);
}

}  // namespace
}  // namespace ordem::storage
