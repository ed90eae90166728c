// Captures: idempotency for requests that another server executes. An allocation is the right to execute a request; a
// record is the response to it. docs/captures.md has the table of states and transitions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "engine/model/ids.hpp"
#include "engine/model/origin.hpp"
#include "engine/model/time.hpp"

namespace ordem {

// The client's name for a captured request: 1 to 1024 characters of base64url without padding (RFC 4648, section 5).
class capture_key {
 public:
  // Returns nullopt if the text is not valid base64url or has a wrong length. Keys are compared as text: two encodings
  // of the same bytes are different keys.
  static std::optional<capture_key> parse(std::string_view text);

  std::string_view view() const noexcept { return text_; }
  hash_slot slot() const noexcept { return slot_of(text_); }

  friend bool operator==(const capture_key&, const capture_key&) = default;

 private:
  explicit capture_key(std::string_view text) : text_(text) {}
  std::string text_;
};

struct captured_header {
  std::string key;
  // A list is returned as a list, even if it has a single value.
  std::variant<std::string, std::vector<std::string>> value;
  friend bool operator==(const captured_header&, const captured_header&) = default;
};

// The response of the other server, headers in their original order.
struct captured_response {
  std::uint16_t status = 0;  // 100 to 999
  std::string body;          // UTF-8
  std::vector<captured_header> headers;
  friend bool operator==(const captured_response&, const captured_response&) = default;
};

// Returns the size that limits apply to: the bytes of the body and of the keys and values of the headers.
std::size_t bytes_of(const captured_response& what) noexcept;

using shared_captured_response = std::shared_ptr<const captured_response>;

// A capture as the store keeps it.
struct capture {
  timestamp allocated_at;
  // When the lease of an allocation ends; absent for a lease without end.
  std::optional<timestamp> lease_ends_at;
  // Absent for a capture that does not expire.
  std::optional<timestamp> expires_at;
  // Null until a response is recorded.
  shared_captured_response response;
  ordem::origin origin = {};  // of the allocation; its tenant is that of the key

  bool is_kept_at(const clock_reading& now) const noexcept {
    return !expires_at || !now.has_ended(*expires_at, allocated_at);
  }
  // Returns whether the lease excludes other allocations. REQUIRES: no response is recorded.
  bool is_leased_at(const clock_reading& now) const noexcept {
    return !lease_ends_at || !now.has_ended(*lease_ends_at, allocated_at);
  }
  friend bool operator==(const capture& a, const capture& b);
};

using shared_capture = std::shared_ptr<const capture>;

struct allocate_capture {};
struct record_capture {
  shared_captured_response response;
};
struct release_capture {};

struct capture_request {
  capture_key key;
  std::variant<allocate_capture, record_capture, release_capture> action;
  ordem::origin origin = {};  // who sent it; the key is one of this tenant
};

// `lease`: of an allocation; zero for a lease without end. `ttl`: how long a capture is kept; at least the lease.
struct capture_terms {
  milliseconds lease{};
  milliseconds ttl{};
};

enum class capture_verdict : std::uint8_t {
  allocated,
  in_flight,  // to an allocation: another lease has not ended
  completed,  // to an allocation: a response is recorded
  recorded,
  not_recordable,  // a response is recorded, or there is no allocation, or another identity has it
  released,
  not_releasable,  // a response is recorded, or another identity has the allocation
  unknown,         // to a release: there is no allocation
};
inline constexpr std::size_t capture_verdicts = 8;

// Returns the name in metrics.
std::string_view to_string(capture_verdict what) noexcept;

}  // namespace ordem

template <>
struct std::hash<ordem::capture_key> {
  std::size_t operator()(const ordem::capture_key& key) const noexcept {
    return std::hash<std::string_view>{}(key.view());
  }
};
