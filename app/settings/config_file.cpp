#include "app/settings/config_file.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <string_view>

#include "engine/base/text.hpp"

namespace ordem::app {

tl::expected<std::string, std::string> read_config_file(const std::string& path) {
  const auto error = [&](std::string_view what) {
    return tl::make_unexpected(fmt::format("the configuration file '{}' {}", path, what));
  };
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) return error("is a folder");
  std::ifstream in(path, std::ios::binary);
  // One byte more than is allowed: a device such as /dev/zero has no end.
  std::string text(config_file_bytes_max + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!in.is_open() || in.bad()) return error("cannot be read");
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (text.size() > config_file_bytes_max) return error("is larger than 1 MiB");
  if (text.find('\0') != std::string::npos) return error("is not a text in UTF-8");
  return std::string(without_byte_order_mark(text));
}

}  // namespace ordem::app
