#include "http-edge/protocol/line_splitter.hpp"

#include <algorithm>
#include <utility>

#include "engine/base/text.hpp"

namespace ordem::http_edge {
namespace {

bool is_blank(std::string_view text) {
  return without_byte_order_mark(text).find_first_not_of(json_white_space) == std::string_view::npos;
}

}  // namespace

std::optional<char> line_splitter::first_byte(std::string_view body) noexcept {
  blank_ = std::max(blank_, begin_);
  if (blank_ == begin_) {
    const auto rest = body.substr(begin_);
    if (rest.size() < byte_order_mark.size() && byte_order_mark.starts_with(rest)) return std::nullopt;
    blank_ += rest.size() - without_byte_order_mark(rest).size();
  }
  blank_ = std::min(body.find_first_not_of(json_white_space, blank_), body.size());
  return blank_ < body.size() ? std::optional(body[blank_]) : std::nullopt;
}

std::optional<line_splitter::line> line_splitter::next(std::string_view body, bool at_end) {
  while (begin_ < body.size()) {
    const auto line_end = body.find('\n', seen_);
    if (line_end == std::string_view::npos && !at_end) break;
    const auto end = std::min(line_end, body.size());
    auto text = body.substr(begin_, end - begin_);
    begin_ = seen_ = std::min(end + 1, body.size());
    if (std::exchange(skips_, false)) continue;
    if (text.ends_with('\r')) text.remove_suffix(1);
    if (text.size() > line_bytes_max_) return line{{}, true};
    if (!is_blank(text)) return line{text, false};
  }
  seen_ = body.size();
  if (skips_) begin_ = seen_;
  // One more byte may be the carriage return of the line end.
  if (seen_ - begin_ <= line_bytes_max_ + 1) return std::nullopt;
  skips_ = true;
  begin_ = seen_;
  return line{{}, true};
}

std::size_t line_splitter::take_used() noexcept {
  seen_ -= begin_;
  blank_ = std::max(blank_, begin_) - begin_;
  return std::exchange(begin_, 0);
}

}  // namespace ordem::http_edge
