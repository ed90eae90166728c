#include "auth/keys/certificate_subject.hpp"

#include <algorithm>

#include "engine/base/text.hpp"

namespace ordem::auth {
namespace {

bool is_type_character(char c) noexcept {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
}

// Returns where the part ends: at a comma or a plus sign without a backslash before it, or at the end.
std::size_t end_of_part(std::string_view text) noexcept {
  std::size_t at = 0;
  while (at < text.size() && text[at] != ',' && text[at] != '+') at += text[at] == '\\' ? 2 : 1;
  return std::min(at, text.size());
}

std::optional<std::string> part_error(std::string_view part) {
  const auto equals = part.find('=');
  const std::string_view type = part.substr(0, equals);
  if (equals == std::string_view::npos || type.empty() || !std::all_of(type.begin(), type.end(), is_type_character)) {
    return "must be parts such as CN=till-7, separated by commas without spaces (RFC 4514); " + in_quotes(part) +
           " is none";
  }
  const std::string_view value = part.substr(equals + 1);
  if (value.empty()) return "has no value for " + in_quotes(type);
  const bool ends_with_space = value.ends_with(' ') && !value.ends_with("\\ ");
  if (value.starts_with(' ') || ends_with_space) return "has a space around the value of " + in_quotes(type);
  constexpr std::string_view special = "\"<>;";
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (value[i] == '\\') {
      if (++i == value.size()) return "ends with a backslash";
    } else if (special.find(value[i]) != std::string_view::npos) {
      return "needs a backslash before each of \" < > ;";
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> subject_error(std::string_view text) {
  if (text.empty()) return "is empty";
  if (text.size() > subject_bytes_max) return "has more than 1024 bytes";
  const auto is_control = [](unsigned char c) { return c < 0x20 || c == 0x7F; };
  if (!is_utf8(text) || std::any_of(text.begin(), text.end(), is_control)) return "is not a text in UTF-8";
  for (;;) {
    const std::size_t end = end_of_part(text);
    if (auto error = part_error(text.substr(0, end))) return error;
    if (end == text.size()) return std::nullopt;
    text.remove_prefix(end + 1);
  }
}

}  // namespace ordem::auth
