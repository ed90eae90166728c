// json_scan: members of JSON texts, found without parsing them.
//
// Fast, and sufficient to check answers: a name is searched as text, so it must not occur earlier in another place, and
// a string ends at the next quote, so compared strings must need no escapes. Names include their quotes.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace ordem::bench {

/// The value of the first member `name` if that is a string.
[[nodiscard]] std::optional<std::string_view> string_member(std::string_view json, std::string_view name) noexcept;

/// The value of the first member `name` if that is a whole number from 0.
[[nodiscard]] std::optional<std::uint64_t> number_member(std::string_view json, std::string_view name) noexcept;

}  // namespace ordem::bench
