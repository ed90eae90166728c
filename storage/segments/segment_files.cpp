#include "storage/segments/segment_files.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string_view>
#include <system_error>

namespace ordem::storage {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view extension = ".seg";
constexpr std::size_t name_digits = 20;
constexpr const char* unfinished_name = "unfinished";  // a segment that has no header yet

std::optional<position> position_in(const std::string& name) {
  if (name.size() != name_digits + extension.size() || !name.ends_with(extension)) return std::nullopt;
  std::uint64_t number = 0;
  const char* const end = name.data() + name_digits;
  const auto read = std::from_chars(name.data(), end, number);
  if (read.ec != std::errc() || read.ptr != end) return std::nullopt;
  return position{number};
}

}  // namespace

std::string segment_name(position first) {
  std::string name(name_digits, '0');
  const std::string digits = std::to_string(first.number);
  name.replace(name_digits - digits.size(), digits.size(), digits);
  name += extension;
  return name;
}

result<std::vector<position>> find_segments(const fs::path& folder) {
  std::vector<position> firsts;
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    if (const auto first = position_in(at->path().filename().string())) firsts.push_back(*first);
  }
  if (error) return fail_with(error_code::io_error, "cannot read " + quoted(folder) + ": " + error.message());
  std::sort(firsts.begin(), firsts.end());
  return firsts;
}

result<open_file> make_segment(const segment_header& header, const fs::path& folder) {
  auto file = open_file::open(folder / unfinished_name, O_CREAT | O_TRUNC | O_RDWR);
  if (!file) return file;
  std::string bytes;
  encode_segment_header(bytes, header);
  int error = file->write(bytes, 0);
  if (error == 0) error = file->sync();
  const fs::path path = folder / segment_name(header.first);
  if (error == 0 && ::rename((folder / unfinished_name).c_str(), path.c_str()) != 0) error = errno;
  if (error == 0) error = sync_folder(folder);
  if (error == 0) return file;
  ::unlink(path.c_str());
  return fail_with(error_code::io_error, "cannot make " + quoted(path) + ": " + error_text(error));
}

}  // namespace ordem::storage
