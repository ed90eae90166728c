// Why a request is refused before anything else about it is told: for metrics and logs. Values; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "auth/authenticator.hpp"

namespace ordem::http_edge {

class denial_cause {
 public:
  // What the edge itself refuses, beside bad credentials.
  enum class by_edge : std::uint8_t {
    insufficient_scope,
    foreign_origin,    // a write from a web page of another origin
    misdirected_host,  // Host is none of --allowed-hosts
  };
  using enum by_edge;
  static constexpr std::size_t count = auth::denials + 3;

  constexpr denial_cause(auth::denial why) noexcept : index_(static_cast<std::size_t>(why)) {}  // NOLINT(*-explicit-*)
  constexpr denial_cause(by_edge why) noexcept : index_(auth::denials + static_cast<std::size_t>(why)) {}  // NOLINT

  // REQUIRES: index < count.
  static constexpr denial_cause at(std::size_t index) noexcept { return denial_cause(index); }
  constexpr std::size_t index() const noexcept { return index_; }

  // Returns the name in metrics and logs.
  std::string_view name() const noexcept;

 private:
  explicit constexpr denial_cause(std::size_t index) noexcept : index_(index) {}
  std::size_t index_;
};

}  // namespace ordem::http_edge
