// The error of the store, the data folder and Postgres. Values: any thread.
#pragma once

#include <cstdint>
#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace ordem::storage {

enum class error_code : std::uint8_t {
  locked,            // another process has the data folder open for writing
  not_found,         // there is no data to open or to read
  invalid_argument,  // the caller's settings are wrong: a folder that must be empty is not, a URL can't be parsed
  wrong_format,      // the data folder or the database schema belongs to another version of this program
  incomplete,        // an earlier write or load of the data was cut off
  damaged,           // a record can't be decoded, or records contradict each other
  io_error,          // the operating system reported a failure
  unavailable,       // Postgres failed or can't be reached; a retry may succeed
  permanent,         // a retry never succeeds: the sink belongs to another log, or to a later engine
};

struct error {
  error_code code = error_code::unavailable;
  // For the person who runs the program. Never holds a password.
  std::string message;
};

template <class Value>
using result = tl::expected<Value, error>;

// Returns the error in the form that converts to any result.
inline tl::unexpected<error> fail_with(error_code code, std::string message) {
  return tl::make_unexpected(error{code, std::move(message)});
}

}  // namespace ordem::storage
