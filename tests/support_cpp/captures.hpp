// Captures to test with.
#pragma once

#include <cstdint>
#include <memory>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>

#include "engine/model/capture.hpp"
#include "tests/support_cpp/manual_clock.hpp"

namespace ordem {

// How failing tests show them.
inline std::ostream& operator<<(std::ostream& out, const capture_key& key) {
  return out << key.view();
}
inline std::ostream& operator<<(std::ostream& out, capture_verdict what) {
  return out << to_string(what);
}

}  // namespace ordem

namespace ordem::testing {

inline capture_key key_of(std::string_view text) {
  return capture_key::parse(text).value();
}
// A larger number sorts later.
inline const capture_key some_key = key_of("some-key");

inline capture_key key_of(std::uint64_t number) {
  std::string digits = std::to_string(number);
  return key_of(digits.insert(0, 12 - digits.size(), '0'));
}

inline constexpr capture_terms sample_terms{std::chrono::minutes(1), std::chrono::hours(24)};

inline shared_captured_response response_of(std::string body, std::uint16_t status = 200) {
  return std::make_shared<const captured_response>(captured_response{status, std::move(body), {}});
}

inline capture_request allocation(capture_key key) {
  return {std::move(key), allocate_capture{}};
}
inline capture_request record(capture_key key, shared_captured_response response) {
  return {std::move(key), record_capture{std::move(response)}};
}
inline capture_request release(capture_key key) {
  return {std::move(key), release_capture{}};
}

// As decide() makes them.
inline shared_capture allocated_at(timestamp at, const capture_terms& terms = sample_terms) {
  return std::make_shared<const capture>(capture{at, at + terms.lease, at + terms.ttl, nullptr});
}
inline shared_capture recorded_at(timestamp at, shared_captured_response response,
                                  const capture_terms& terms = sample_terms) {
  return std::make_shared<const capture>(capture{at, std::nullopt, at + terms.ttl, std::move(response)});
}

}  // namespace ordem::testing
