// The forms of names, tenants and lists of scopes, in the keys file, on the command line and in tokens. Pure functions,
// any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "auth/identity.hpp"
#include "engine/base/limits.hpp"

namespace ordem::auth {

inline constexpr std::size_t name_characters_max = 64;
inline constexpr std::size_t tenant_characters_max = 64;
static_assert(name_characters_max <= limits::actor_bytes_max && tenant_characters_max <= limits::tenant_bytes_max,
              "records keep names and tenants");

// Returns whether the text is the name of an identity: 1 to 64 of A-Z a-z 0-9 . _ : @ -
bool is_name(std::string_view text) noexcept;
inline constexpr std::string_view name_rule = "1 to 64 characters of A-Z a-z 0-9 . _ : @ -";

// Returns whether the text is a tenant: 0 to 64 of a-z 0-9 . _ -
bool is_tenant(std::string_view text) noexcept;
inline constexpr std::string_view tenant_rule = "at most 64 characters of a-z 0-9 . _ -";

// Parses scopes separated by commas, at least one: orders:read,orders:write. The error is the end of a sentence: "has
// the unknown scope 'orders'; ...".
tl::expected<scope_set, std::string> parse_scope_list(std::string_view text);

// Returns the scopes separated by commas, in the order of the enumeration; an empty text for no scopes.
std::string to_string(scope_set scopes);

}  // namespace ordem::auth
