// What the fuzz targets share. A target states what must hold with ORDEM_CHECK, which aborts; libFuzzer and
// corpus_main.cpp both take an abort as a find.
#pragma once

#include <simdjson.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>

#include "engine/base/check.hpp"
#include "engine/base/limits.hpp"

namespace ordem::fuzz {

// A text followed by the padding that simdjson may read, in a block of exactly that size: the address sanitizer sees a
// read beyond it. `fill` is what the padding holds, on which no result may depend.
class padded_text {
 public:
  explicit padded_text(std::string_view text, char fill = '\0')
      : bytes_(std::make_unique<char[]>(text.size() + simdjson::SIMDJSON_PADDING)), size_(text.size()) {
    if (!text.empty()) std::memcpy(bytes_.get(), text.data(), text.size());
    std::memset(bytes_.get() + size_, fill, simdjson::SIMDJSON_PADDING);
  }

  std::string_view view() const noexcept { return {bytes_.get(), size_}; }

 private:
  std::unique_ptr<char[]> bytes_;
  std::size_t size_;
};

// A parser that nests as deep as the server's.
inline simdjson::dom::parser json_parser(std::size_t depth_max = limits::json_depth_max) {
  constexpr std::size_t capacity = 16 * 1024;
  simdjson::dom::parser parser;
  ORDEM_CHECK(parser.allocate(capacity, depth_max) == simdjson::SUCCESS);
  return parser;
}

// Whether a text that the server writes is a JSON object, and so UTF-8.
inline bool is_json_object(std::string_view text) {
  static simdjson::dom::parser parser;
  simdjson::dom::object object;
  return parser.parse(text.data(), text.size()).get(object) == simdjson::SUCCESS;
}

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

// Takes the first byte off the front, as a choice of 0 to `choices` - 1; '0', '1', ... choose 0, 1, ..., so that a seed
// can be read. Returns 0 if there is no byte.
inline unsigned take_choice(std::string_view& from, unsigned choices) {
  if (from.empty()) return 0;
  const auto byte = static_cast<unsigned char>(from.front());
  from.remove_prefix(1);
  return (byte - unsigned{'0'}) % choices;
}

}  // namespace ordem::fuzz
