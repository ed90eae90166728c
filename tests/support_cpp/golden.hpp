// Golden files: the bytes of a format, kept as text, so that an unintended change of the format fails a test.
#pragma once

#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace ordem::testing {

struct golden {
  std::string name;   // of the file, without its ending
  std::string holds;  // the comment in it
  std::string bytes;
};

// Writes a comment, then two digits a byte, 16 bytes a line.
inline std::string hex_text(const golden& what) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text = "# " + what.holds;
  for (std::size_t i = 0; i < what.bytes.size(); ++i) {
    const auto byte = static_cast<unsigned char>(what.bytes[i]);
    text += i % 16 == 0 ? '\n' : ' ';
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return text + "\n";
}

// Checks that each has the bytes of its file in `folder`. Writes the files first if ORDEM_UPDATE_GOLDEN is set.
inline void check_golden(const std::string& folder, const std::vector<golden>& all) {
  for (const golden& each : all) {
    const std::string path = folder + each.name + ".hex";
    if (std::getenv("ORDEM_UPDATE_GOLDEN") != nullptr) std::ofstream(path) << hex_text(each);
    std::ifstream file(path);
    std::stringstream kept;
    kept << file.rdbuf();
    INFO(path << "; ORDEM_UPDATE_GOLDEN=1 writes it anew");
    CHECK(kept.str() == hex_text(each));
  }
}

}  // namespace ordem::testing
