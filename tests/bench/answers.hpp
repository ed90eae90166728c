// Answers as the server gives them, for tests of who judges them.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "bench/load/order_text.hpp"
#include "bench/load/response_reader.hpp"
#include "bench/load/uuid.hpp"

namespace ordem::bench {

inline std::string uuid_text(const uuid& id) {
  std::array<char, uuid_text_bytes> text{};
  write_uuid(id, text);
  return {text.data(), text.size()};
}

/// Owns the texts of an answer.
struct owned_answer {
  unsigned status = 200;
  std::string body;
  std::string headers;

  operator answer() const { return {.status = status, .body = body, .headers = headers}; }  // NOLINT
  /// The same, with the first `from` of body or headers replaced.
  [[nodiscard]] owned_answer with(std::string_view from, std::string_view to) const {
    owned_answer changed = *this;
    auto& text = changed.body.find(from) != std::string::npos ? changed.body : changed.headers;
    const auto at = text.find(from);
    if (at != std::string::npos) text.replace(at, from.size(), to);
    return changed;
  }
  [[nodiscard]] owned_answer with_header(std::string_view line) const {
    owned_answer changed = *this;
    changed.headers.append(line).append("\r\n");
    return changed;
  }
};

/// An order of customer c-000007 with two items.
inline owned_answer order_answer(unsigned status, std::string_view message, const uuid& id, std::uint64_t version,
                                 std::uint64_t turn) {
  const std::string id_text = uuid_text(id);
  const std::string version_text = std::to_string(version);
  return {.status = status,
          .body = R"({"code":)" + std::to_string(status) + R"(,"message":")" + std::string(message) +
                  R"(","order":{"order_id":")" + id_text + R"(","version":)" + version_text +
                  R"(,"status":"new","customer_id":"c-000007","currency":"EUR","items":[)"
                  R"({"sku":"s-000007-000001","quantity":2,"unit_price":1999},)"
                  R"({"sku":"s-000007-000002","quantity":2,"unit_price":1999}],"total":7996,)"
                  R"("attributes":{"channel":"web","turn":")" +
                  order_text::turn_text(turn) + R"("}}})",
          .headers = "ETag: \"" + version_text + "\"\r\nLocation: /api/v1/orders/" + id_text + "\r\n"};
}

inline owned_answer stale_answer(std::uint64_t current, std::uint64_t supplied) {
  return {.status = 409,
          .body = R"({"type":"/problems/stale-version","title":"data is out of date","status":409,"detail":"...",)"
                  R"("code":3043,"message":"data is out of date","current_version":)" +
                  std::to_string(current) + R"(,"supplied_version":)" + std::to_string(supplied) + "}",
          .headers = "Content-Type: application/problem+json\r\n"};
}

/// What stands in `request` between `before` and the next `end`.
inline std::string between(std::string_view request, std::string_view before, std::string_view end) {
  const auto at = request.find(before);
  if (at == std::string_view::npos) return {};
  request.remove_prefix(at + before.size());
  return std::string(request.substr(0, request.find(end)));
}

}  // namespace ordem::bench
