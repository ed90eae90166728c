#include "engine/model/capture.hpp"

#include <algorithm>

#include "engine/base/limits.hpp"

namespace ordem {
namespace {

bool is_base64url(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

}  // namespace

std::optional<capture_key> capture_key::parse(std::string_view text) {
  if (text.empty() || text.size() > limits::capture_key_characters_max || text.size() % 4 == 1) return std::nullopt;
  if (!std::all_of(text.begin(), text.end(), is_base64url)) return std::nullopt;
  return capture_key{text};
}

std::size_t bytes_of(const captured_response& what) noexcept {
  std::size_t bytes = what.body.size();
  for (const captured_header& header : what.headers) {
    bytes += header.key.size();
    if (const auto* one = std::get_if<std::string>(&header.value)) {
      bytes += one->size();
    } else {
      for (const std::string& each : std::get<std::vector<std::string>>(header.value)) bytes += each.size();
    }
  }
  return bytes;
}

bool operator==(const capture& a, const capture& b) {
  const bool same_response =
      a.response == nullptr || b.response == nullptr ? a.response == b.response : *a.response == *b.response;
  return same_response && a.allocated_at == b.allocated_at && a.lease_ends_at == b.lease_ends_at &&
         a.expires_at == b.expires_at && a.origin == b.origin;
}

std::string_view to_string(capture_verdict what) noexcept {
  switch (what) {
    case capture_verdict::allocated: return "allocated";
    case capture_verdict::in_flight: return "in_flight";
    case capture_verdict::completed: return "completed";
    case capture_verdict::recorded: return "recorded";
    case capture_verdict::not_recordable: return "not_recordable";
    case capture_verdict::released: return "released";
    case capture_verdict::not_releasable: return "not_releasable";
    case capture_verdict::unknown: return "unknown";
  }
  return "";
}

}  // namespace ordem
