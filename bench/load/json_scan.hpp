// json_scan: members of JSON texts, found without parsing them.
//
// Enough to check answers, and quick: a name is looked for as text, so it must not occur earlier in another place, and
// a string is taken up to the next quote, so those that are compared must need no escapes. Names are given with their
// quotes.
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
