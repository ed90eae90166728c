// Who sent a request, and what it may do. Values; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>

#include "engine/model/origin.hpp"

namespace ordem::auth {

// What an identity may do. Names on the wire and in files are those of to_string() in scope_names.hpp.
enum class scope : std::uint8_t {
  orders_read,    // read orders, their versions and lists
  orders_write,   // create and update orders, also in batches
  messages_read,  // read messages: requests and responses by their GUID
  captures,       // allocate, record and release captures
  operations,     // read metrics and positions
};
inline constexpr std::size_t scopes = 5;

class scope_set {
 public:
  constexpr scope_set() noexcept = default;
  constexpr scope_set(std::initializer_list<scope> of) noexcept {
    for (const scope each : of) add(each);
  }

  constexpr void add(scope what) noexcept { bits_ |= 1U << static_cast<unsigned>(what); }
  constexpr bool has(scope what) const noexcept { return (bits_ >> static_cast<unsigned>(what) & 1U) != 0; }
  constexpr bool empty() const noexcept { return bits_ == 0; }
  friend constexpr bool operator==(const scope_set&, const scope_set&) = default;

 private:
  std::uint32_t bits_ = 0;
};

struct identity {
  ordem::origin origin;  // its tenant, which may be empty, and its name
  scope_set scopes;
  friend bool operator==(const identity&, const identity&) = default;
};

using shared_identity = std::shared_ptr<const identity>;

}  // namespace ordem::auth
