// Encodes and decodes the fields of records. Integers are LEB128 varints (7 bits a byte, low bits first), or big-endian
// where keys must sort. A string is its length as a varint and its bytes. One thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace ordem::storage {

// Appends to a string, which must outlive the writer.
class byte_writer {
 public:
  explicit byte_writer(std::string& out) : out_(out) {}

  void put_byte(std::uint8_t value) { out_ += static_cast<char>(value); }
  void put_bytes(std::span<const std::uint8_t> bytes) {
    out_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  void put_varint(std::uint64_t value) {
    while (value >= 0x80) {
      put_byte(static_cast<std::uint8_t>(value | 0x80));
      value >>= 7;
    }
    put_byte(static_cast<std::uint8_t>(value));
  }
  void put_big_endian(std::uint64_t value, unsigned bytes = 8) {
    for (unsigned i = bytes; i-- > 0;) put_byte(static_cast<std::uint8_t>(value >> (8 * i)));
  }
  // Without its length.
  void put_text(std::string_view text) { out_ += text; }
  void put_string(std::string_view text) {
    put_varint(text.size());
    put_text(text);
  }

 private:
  std::string& out_;
};

// Reads what byte_writer wrote. A read past the end, or of a number that is too long, returns zeros and makes ok()
// false from then on, so that a caller reads all fields and checks ok() once. The bytes must outlive the reader.
class byte_reader {
 public:
  explicit byte_reader(std::string_view bytes) : rest_(bytes) {}

  bool ok() const noexcept { return ok_; }
  bool at_end() const noexcept { return rest_.empty(); }
  std::size_t bytes_left() const noexcept { return rest_.size(); }
  void fail() noexcept {
    ok_ = false;
    rest_ = {};
  }

  std::string_view get_bytes(std::size_t count) noexcept {
    if (count > rest_.size()) {
      fail();
      return {};
    }
    const auto bytes = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return bytes;
  }
  void get_bytes(std::span<std::uint8_t> out) noexcept {
    const auto bytes = get_bytes(out.size());
    for (std::size_t i = 0; i < bytes.size(); ++i) out[i] = static_cast<std::uint8_t>(bytes[i]);
  }
  std::uint8_t get_byte() noexcept {
    const auto byte = get_bytes(1);
    return byte.empty() ? std::uint8_t{0} : static_cast<std::uint8_t>(byte[0]);
  }
  std::uint64_t get_varint() noexcept {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      const std::uint64_t byte = get_byte();
      if (shift == 63 && byte > 1) break;  // more than 64 bits
      value |= (byte & 0x7F) << shift;
      if (byte < 0x80) return value;
    }
    fail();
    return 0;
  }
  std::uint64_t get_big_endian(unsigned bytes = 8) noexcept {
    std::uint64_t value = 0;
    for (unsigned i = 0; i < bytes; ++i) value = value << 8 | get_byte();
    return value;
  }
  std::string_view get_string() noexcept { return get_bytes(get_varint()); }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace ordem::storage
