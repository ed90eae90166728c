// The names of scopes, on the wire and in files. Pure functions, any thread.
#pragma once

#include <optional>
#include <string_view>

#include "auth/identity.hpp"

namespace ordem::auth {

// Returns the name: "orders:read" for scope::orders_read.
std::string_view to_string(scope what) noexcept;

// Returns the scope of that name, or nullopt.
std::optional<scope> parse_scope(std::string_view name) noexcept;

}  // namespace ordem::auth
