#include "app/identity/api_key_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iostream>
#include <utility>

#include "app/identity/text_file.hpp"

namespace ordem::app {
namespace {

constexpr std::size_t key_file_bytes_max = 4096;

}  // namespace

tl::expected<std::string, std::string> read_api_key(const std::string& path) {
  if (path.empty()) return std::string();
  std::string key;
  if (path == "-") {
    std::getline(std::cin, key);
  } else {
    auto read = read_text_file(path, key_file_bytes_max);
    if (!read) return tl::make_unexpected(std::move(read.error()));
    key = std::move(read->text);
  }
  key.resize(std::min(key.find_first_of("\r\n"), key.size()));
  // A line break or another control character in it would be one in the header.
  const bool is_text = std::all_of(key.begin(), key.end(), [](char c) { return c > ' ' && c < 0x7f; });
  if (key.empty() || key.size() > key_file_bytes_max || !is_text)
    return tl::make_unexpected(fmt::format("'{}' has no key in its first line", path));
  return key;
}

}  // namespace ordem::app
