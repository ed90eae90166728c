// Entries of captures, as the actors make them.
#pragma once

#include <string>
#include <utility>

#include "storage/log/entry.hpp"
#include "tests/support_cpp/captures.hpp"

namespace ordem::testing {

inline storage::capture_entry allocation_entry(capture_key key, timestamp at = sample_time) {
  return {std::move(key), at, allocated_at(at)};
}
inline storage::capture_entry record_entry(capture_key key, std::string body, timestamp at = sample_time) {
  return {std::move(key), at, recorded_at(at, response_of(std::move(body)))};
}
inline storage::capture_entry release_entry(capture_key key, timestamp at = sample_time) {
  return {std::move(key), at, nullptr};
}

}  // namespace ordem::testing
