// response_reader: parses one HTTP/1.1 answer as its bytes arrive.
//
// Owned by one connection and used on its thread only. It is fast and strict, and accepts only what load
// generation needs. An answer must have exactly one Content-Length, or one Transfer-Encoding, which is chunked
// without extensions or trailers; interim (1xx) answers, HEAD, 204 and 304 are not supported. With one request in
// flight, bytes after the body are an error as well.
//
//   reader.reset();
//   while (reader.state() == read_state::incomplete) {
//     std::span<char> space = reader.space();
//     reader.received(read_some_into(space));
//   }
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace ordem::bench {

enum class read_state { incomplete, complete, malformed };

/// A complete answer. Its texts belong to the reader and are valid until its next reset().
struct answer {
  unsigned status = 0;
  std::string_view body;
  std::string_view headers = {};  // lines, each with its line end

  /// The value of the first header `name`, which must be in lower case. Returns nullopt if there is none.
  [[nodiscard]] std::optional<std::string_view> header(std::string_view name) const noexcept;
};

class response_reader {
 public:
  /// Maximum size of the head (status line and headers); also the buffer's first size.
  static constexpr std::size_t head_bytes_max = std::size_t{16} * 1024;
  static constexpr std::size_t default_body_bytes_max = std::size_t{16} * 1024 * 1024;

  explicit response_reader(std::size_t body_bytes_max = default_body_bytes_max);

  /// Returns the buffer for the next bytes of the answer. Never empty while incomplete.
  [[nodiscard]] std::span<char> space() noexcept { return std::span(buffer_).subspan(bytes_); }

  /// Reports that `count` bytes of space() were filled. REQUIRES: incomplete.
  void received(std::size_t count);

  [[nodiscard]] read_state state() const noexcept { return state_; }
  /// Why the answer is malformed; empty otherwise.
  [[nodiscard]] std::string_view complaint() const noexcept { return complaint_; }
  /// Returns true if the server closes the connection after the answer.
  [[nodiscard]] bool ends_connection() const noexcept { return ends_connection_; }
  /// Returns the answer. REQUIRES: complete.
  [[nodiscard]] answer whole() const noexcept;

  /// Forgets the answer and waits for the next.
  void reset() noexcept;

 private:
  enum class chunk_part { size, data, data_end, body_end };

  void parse_head(std::string_view head);
  void parse_header(std::string_view line);
  void take_chunks();
  bool take_size_line(std::size_t& at);
  void refuse(std::string_view complaint) noexcept;

  std::size_t body_bytes_max_;
  std::vector<char> buffer_;
  std::size_t bytes_ = 0;           // received so far
  std::size_t head_bytes_ = 0;      // with the empty line; 0 until that has come
  std::size_t headers_offset_ = 0;  // behind the status line
  std::size_t body_bytes_ = 0;      // announced; of a body in chunks, what has come: it stands behind the head
  bool has_length_ = false;
  bool is_chunked_ = false;
  bool ends_connection_ = false;
  chunk_part awaited_ = chunk_part::size;  // of a body in chunks, what comes next
  std::size_t chunk_left_ = 0;
  unsigned status_ = 0;
  read_state state_ = read_state::incomplete;
  std::string_view complaint_;
};

}  // namespace ordem::bench
