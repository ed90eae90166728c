// Captures: for requests that another server executes, who may execute one (an allocation), and what it answered (a
// record). docs/captures.md has the table of states and moves.
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
#include "engine/model/time.hpp"

namespace ordem {

// The client's name for a captured request: 1 to 1024 characters of base64url without padding (RFC 4648, section 5).
class capture_key {
 public:
  // Nothing for a text that no bytes are encoded as. What its last character has in bits that decoding drops is not
  // looked at, nor does it make two keys one.
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
  // A list is given back as a list, also one of a single value.
  std::variant<std::string, std::vector<std::string>> value;
  friend bool operator==(const captured_header&, const captured_header&) = default;
};

// What the other server answered, headers in their order.
struct captured_response {
  std::uint16_t status = 0;  // 100 to 999
  std::string body;          // UTF-8
  std::vector<captured_header> headers;
  friend bool operator==(const captured_response&, const captured_response&) = default;
};

// What it takes, for bounds: the bytes of its body, and of the keys and values of its headers.
std::size_t bytes_of(const captured_response& what) noexcept;

using shared_captured_response = std::shared_ptr<const captured_response>;

// A capture as it is kept.
struct capture {
  timestamp allocated_at;
  // Of an allocation: until when nobody else may allocate; absent: for ever.
  std::optional<timestamp> lease_ends_at;
  // Until when it is kept; absent: for ever.
  std::optional<timestamp> expires_at;
  // Null while nothing is recorded.
  shared_captured_response response;

  bool is_kept_at(const clock_reading& now) const noexcept {
    return !expires_at || !now.has_ended(*expires_at, allocated_at);
  }
  // Whether it excludes other allocations. REQUIRES: nothing is recorded.
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
};

// How long things hold. `lease`: of an allocation, zero means for ever. `ttl`: how long a capture is kept; not shorter
// than the lease.
struct capture_terms {
  milliseconds lease{};
  milliseconds ttl{};
};

enum class capture_verdict : std::uint8_t {
  allocated,
  in_flight,  // to an allocation: somebody else's lease runs
  completed,  // to an allocation: there is a record
  recorded,
  not_recordable,  // there is a record, or no allocation
  released,
  not_releasable,  // there is a record
  unknown,         // to a release: there is no allocation
};
inline constexpr std::size_t capture_verdicts = 8;

// Its name in metrics.
std::string_view to_string(capture_verdict what) noexcept;

}  // namespace ordem

template <>
struct std::hash<ordem::capture_key> {
  std::size_t operator()(const ordem::capture_key& key) const noexcept {
    return std::hash<std::string_view>{}(key.view());
  }
};
