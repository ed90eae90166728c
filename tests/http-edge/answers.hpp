// Looks at answers.
#pragma once

#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "http-edge/protocol/response.hpp"

namespace ordem::testing {

// The value of a header; nothing if it is not there. Fails if it is there twice.
inline std::optional<std::string> header_of(const http_edge::response& what, std::string_view name) {
  const std::string lines = "\r\n" + what.headers;
  const std::string begin = "\r\n" + std::string(name) + ": ";
  const auto at = lines.find(begin);
  if (at == std::string::npos) return std::nullopt;
  if (lines.find(begin, at + 1) != std::string::npos) throw std::runtime_error(std::string(name) + " is given twice");
  const auto from = at + begin.size();
  return lines.substr(from, lines.find("\r\n", from) - from);
}

// The slug of a problem's type; empty if the answer is no problem.
inline std::string slug_of(const http_edge::response& what) {
  constexpr std::string_view begin = "{\"type\":\"/problems/";
  if (what.content_type != "application/problem+json" || !what.body.starts_with(begin)) return {};
  return what.body.substr(begin.size(), what.body.find('"', begin.size()) - begin.size());
}

}  // namespace ordem::testing
