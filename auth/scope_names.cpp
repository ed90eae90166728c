#include "auth/scope_names.hpp"

#include <algorithm>
#include <array>

namespace ordem::auth {
namespace {

// In the order of the enumeration.
constexpr std::array<std::string_view, scopes> names = {"orders:read", "orders:write", "messages:read", "captures",
                                                        "operations"};

}  // namespace

std::string_view to_string(scope what) noexcept {
  return names[static_cast<std::size_t>(what)];
}

std::optional<scope> parse_scope(std::string_view name) noexcept {
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) return std::nullopt;
  return static_cast<scope>(found - names.begin());
}

}  // namespace ordem::auth
