#include "app/settings/config_file.hpp"

#include <filesystem>
#include <fstream>
#include <string_view>

#include "engine/base/text.hpp"

namespace ordem::app {

tl::expected<std::string, std::string> read_config_file(const std::string& path) {
  const std::string file = "the configuration file '" + path + "' ";
  std::error_code unknown;
  if (std::filesystem::is_directory(path, unknown)) return tl::make_unexpected(file + "is a folder");
  std::ifstream in(path, std::ios::binary);
  // One byte more than is allowed: a device such as /dev/zero has no end.
  std::string text(config_file_bytes_max + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!in.is_open() || in.bad()) return tl::make_unexpected(file + "cannot be read");
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (text.size() > config_file_bytes_max) return tl::make_unexpected(file + "is larger than 1 MiB");
  if (text.find('\0') != std::string::npos) return tl::make_unexpected(file + "is not a text in UTF-8");
  return std::string(without_byte_order_mark(text));
}

}  // namespace ordem::app
