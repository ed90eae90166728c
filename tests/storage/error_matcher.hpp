// Matches errors of the store by their code, and by texts that their messages must contain.
#pragma once

#include <algorithm>
#include <catch2/catch.hpp>
#include <string>
#include <utility>
#include <vector>

#include "storage/log/error.hpp"

namespace ordem::testing {

class is_error final : public Catch::MatcherBase<storage::error> {
 public:
  explicit is_error(storage::error_code code, std::vector<std::string> texts = {})
      : code_(code), texts_(std::move(texts)) {}

  bool match(const storage::error& found) const override {
    const auto is_in_message = [&](const std::string& text) { return found.message.find(text) != std::string::npos; };
    return found.code == code_ && std::all_of(texts_.begin(), texts_.end(), is_in_message);
  }
  std::string describe() const override {
    std::string text = "has code " + std::to_string(static_cast<int>(code_));
    for (const std::string& each : texts_) text += " and contains \"" + each + "\"";
    return text;
  }

 private:
  const storage::error_code code_;
  const std::vector<std::string> texts_;
};

}  // namespace ordem::testing

template <>
struct Catch::StringMaker<ordem::storage::error> {
  static std::string convert(const ordem::storage::error& what) {
    return "code " + std::to_string(static_cast<int>(what.code)) + ": " + what.message;
  }
};
