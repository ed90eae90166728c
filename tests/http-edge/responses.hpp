// Reads parts of responses.
#pragma once

#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "http-edge/protocol/response.hpp"

namespace ordem::testing {

// Returns the value of a header, or nullopt if it is missing. Throws if it is there twice.
inline std::optional<std::string> header_of(const http_edge::response& what, std::string_view name) {
  const std::string lines = "\r\n" + what.headers;
  const std::string begin = "\r\n" + std::string(name) + ": ";
  const auto at = lines.find(begin);
  if (at == std::string::npos) return std::nullopt;
  if (lines.find(begin, at + 1) != std::string::npos) throw std::runtime_error(std::string(name) + " is given twice");
  const auto from = at + begin.size();
  return lines.substr(from, lines.find("\r\n", from) - from);
}

// Returns the slug of a problem's type, or "" if the response is not a problem.
inline std::string slug_of(const http_edge::response& what) {
  constexpr std::string_view begin = "{\"type\":\"/problems/";
  if (what.content_type != "application/problem+json" || !what.body.starts_with(begin)) return {};
  return what.body.substr(begin.size(), what.body.find('"', begin.size()) - begin.size());
}

// Returns the JSON text of the last member with this name, or "" if it is missing.
inline std::string member_of(const std::string& json, std::string_view name) {
  const std::string begin = '"' + std::string(name) + "\":";
  const auto at = json.rfind(begin);
  if (at == std::string::npos) return {};
  const auto from = at + begin.size();
  return json.substr(from, json.find_first_of(",}", from) - from);
}

}  // namespace ordem::testing
