// The files of the console, which are part of the program: those of the folder console/ at the time of the build.
// Immutable; thread-safe.
#pragma once

#include <span>
#include <string_view>

namespace ordem::embedded {

struct console_file {
  std::string_view name;  // "index.html"
  std::string_view tag;   // the beginning of the SHA-256 of the content, in hexadecimal
  std::string_view content;
};

// In the order of their names. Written by ordem_embed_console() in cmake/embed.cmake.
extern const std::span<const console_file> console_files;

}  // namespace ordem::embedded
