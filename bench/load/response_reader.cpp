#include "bench/load/response_reader.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <system_error>

namespace ordem::bench {
namespace {

constexpr std::string_view line_end = "\r\n";
constexpr std::string_view head_end = "\r\n\r\n";

constexpr bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

// `lower` is in lower case already.
bool equals_ignoring_case(std::string_view text, std::string_view lower) noexcept {
  return std::ranges::equal(text, lower,
                            [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + ('a' - 'A') : a) == b; });
}

std::string_view trimmed(std::string_view text) noexcept {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

}  // namespace

std::optional<std::string_view> answer::header(std::string_view name) const noexcept {
  for (auto rest = headers; !rest.empty();) {
    const auto line = rest.substr(0, rest.find(line_end));
    if (line.size() > name.size() && line[name.size()] == ':' &&
        equals_ignoring_case(line.substr(0, name.size()), name)) {
      return trimmed(line.substr(name.size() + 1));
    }
    rest.remove_prefix(std::min(rest.size(), line.size() + line_end.size()));
  }
  return std::nullopt;
}

response_reader::response_reader(std::size_t body_bytes_max)
    : body_bytes_max_(body_bytes_max), buffer_(head_bytes_max) {}

void response_reader::received(std::size_t count) {
  const std::size_t seen = bytes_;
  bytes_ += count;
  if (head_bytes_ == 0) {
    const std::string_view text(buffer_.data(), bytes_);
    const auto end = text.find(head_end, seen < head_end.size() ? 0 : seen - head_end.size() + 1);
    if (end == std::string_view::npos) {
      if (bytes_ >= head_bytes_max) refuse("head too long");
      return;
    }
    parse_head(text.substr(0, end + line_end.size()));
    if (state_ == read_state::malformed) return;
    head_bytes_ = end + head_end.size();
    if (is_chunked_) return take_chunks();
    // One byte more than the answer has, so that a surplus shows.
    if (buffer_.size() <= head_bytes_ + body_bytes_) buffer_.resize(head_bytes_ + body_bytes_ + 1);
  }
  if (is_chunked_) return take_chunks();
  const std::size_t whole_bytes = head_bytes_ + body_bytes_;
  if (bytes_ > whole_bytes) return refuse("bytes behind the body");
  if (bytes_ == whole_bytes) state_ = read_state::complete;
}

// Moves the data of chunks together behind the head. What is not used yet, part of a line at most, stays behind it.
void response_reader::take_chunks() {
  std::size_t at = head_bytes_ + body_bytes_;
  while (state_ == read_state::incomplete) {
    const std::size_t arrived = bytes_ - at;
    if (awaited_ == chunk_part::data) {
      const std::size_t size = std::min(chunk_left_, arrived);
      std::memmove(buffer_.data() + head_bytes_ + body_bytes_, buffer_.data() + at, size);
      body_bytes_ += size;
      at += size;
      chunk_left_ -= size;
      if (chunk_left_ > 0) break;
      awaited_ = chunk_part::data_end;
    } else if (awaited_ == chunk_part::size) {
      if (!take_size_line(at)) break;
    } else {
      if (arrived < line_end.size()) break;
      if (std::string_view(buffer_.data() + at, line_end.size()) != line_end) return refuse("bad end of a chunk");
      at += line_end.size();
      if (awaited_ == chunk_part::body_end) state_ = read_state::complete;
      awaited_ = chunk_part::size;
    }
  }
  if (state_ == read_state::complete && at < bytes_) return refuse("bytes behind the body");
  const std::size_t body_end = head_bytes_ + body_bytes_;
  std::memmove(buffer_.data() + body_end, buffer_.data() + at, bytes_ - at);
  bytes_ = body_end + (bytes_ - at);
  constexpr std::size_t least_space = 4096;
  if (buffer_.size() - bytes_ < least_space) buffer_.resize(buffer_.size() * 2);
}

// The size of the next chunk, at `at`. False if it has not arrived, or is none.
bool response_reader::take_size_line(std::size_t& at) {
  constexpr std::size_t digits_max = 8;
  const auto rest = std::string_view(buffer_.data() + at, bytes_ - at).substr(0, digits_max + line_end.size());
  const auto end = rest.find(line_end);
  if (end == std::string_view::npos) {
    if (rest.size() == digits_max + line_end.size()) refuse("bad chunk size");
    return false;
  }
  const auto [stop, error] = std::from_chars(rest.data(), rest.data() + end, chunk_left_, 16);
  if (error != std::errc{} || stop != rest.data() + end) {
    refuse("bad chunk size");
  } else if (chunk_left_ > body_bytes_max_ - body_bytes_) {
    refuse("body too long");
  }
  awaited_ = chunk_left_ == 0 ? chunk_part::body_end : chunk_part::data;
  at += end + line_end.size();
  return state_ == read_state::incomplete;
}

answer response_reader::whole() const noexcept {
  const std::string_view bytes(buffer_.data(), bytes_);
  return {.status = status_,
          .body = bytes.substr(head_bytes_, body_bytes_),
          .headers = bytes.substr(headers_offset_, head_bytes_ - line_end.size() - headers_offset_)};
}

void response_reader::reset() noexcept {
  bytes_ = head_bytes_ = headers_offset_ = body_bytes_ = 0;
  has_length_ = is_chunked_ = ends_connection_ = false;
  awaited_ = chunk_part::size;
  chunk_left_ = 0;
  status_ = 0;
  state_ = read_state::incomplete;
  complaint_ = {};
}

// `head` is lines, each with its line end.
void response_reader::parse_head(std::string_view head) {
  constexpr std::string_view version = "HTTP/1.1 ";
  const auto status_line = head.substr(0, head.find(line_end));
  const auto code = status_line.substr(std::min(version.size(), status_line.size()), 3);
  const bool has_reason = status_line.size() > version.size() + 3;
  if (!status_line.starts_with(version) || code.size() != 3 || !std::ranges::all_of(code, is_digit) ||
      (has_reason && status_line[version.size() + 3] != ' ')) {
    return refuse("bad status line");
  }
  std::from_chars(code.data(), code.data() + code.size(), status_);
  if (status_ < 200) return refuse("interim answer");

  headers_offset_ = status_line.size() + line_end.size();
  for (auto rest = head.substr(headers_offset_); !rest.empty();) {
    const auto end = rest.find(line_end);
    parse_header(rest.substr(0, end));
    if (state_ == read_state::malformed) return;
    rest.remove_prefix(end + line_end.size());
  }
  if (!has_length_ && !is_chunked_) refuse("no Content-Length");
}

void response_reader::parse_header(std::string_view line) {
  const auto colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0) return refuse("bad header line");
  const auto name = line.substr(0, colon);
  if (name.find_first_of(" \t") != std::string_view::npos) return refuse("bad header name");  // a folded line, too
  if (equals_ignoring_case(name, "connection")) {
    ends_connection_ = ends_connection_ || equals_ignoring_case(trimmed(line.substr(colon + 1)), "close");
    return;
  }
  const bool is_coding = equals_ignoring_case(name, "transfer-encoding");
  if (!is_coding && !equals_ignoring_case(name, "content-length")) return;

  if (has_length_ || is_chunked_) return refuse("two lengths");
  const auto value = trimmed(line.substr(colon + 1));
  if (is_coding) {
    is_chunked_ = equals_ignoring_case(value, "chunked");
    return is_chunked_ ? void() : refuse("Transfer-Encoding");
  }
  const auto [stop, error] = std::from_chars(value.data(), value.data() + value.size(), body_bytes_);
  if (error != std::errc{} || stop != value.data() + value.size()) return refuse("bad Content-Length");
  if (body_bytes_ > body_bytes_max_) return refuse("body too long");
  has_length_ = true;
}

void response_reader::refuse(std::string_view complaint) noexcept {
  state_ = read_state::malformed;
  complaint_ = complaint;
}

}  // namespace ordem::bench
