#include "engine/model/outcome.hpp"

#include <utility>

#include "engine/base/check.hpp"

namespace ordem {
namespace {

constexpr std::pair<verdict, std::string_view> verdict_names[] = {
    {verdict::order_created, "order_created"},           {verdict::content_changed, "content_changed"},
    {verdict::status_changed, "status_changed"},         {verdict::stale_version, "stale_version"},
    {verdict::status_not_allowed, "status_not_allowed"}, {verdict::order_closed, "order_closed"},
};

}  // namespace

std::string_view to_string(verdict what) noexcept {
  for (const auto& [value, name] : verdict_names) {
    if (value == what) return name;
  }
  ORDEM_CHECK(false && "a verdict outside its enumeration");
  return {};
}

std::optional<verdict> parse_verdict(std::string_view text) noexcept {
  for (const auto& [value, name] : verdict_names) {
    if (name == text) return value;
  }
  return std::nullopt;
}

}  // namespace ordem
