// Converts a JSON text as a column of type jsonb does, so that tests need no Postgres: numbers as decimal digits,
// members in another order, a space after each colon and comma. REQUIRES: valid JSON.
#pragma once

#include <algorithm>
#include <cstddef>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ordem::testing {

// Returns the decimal digits of a number that may have an exponent, as the type numeric prints it.
inline std::string plain_digits(std::string_view number) {
  const bool negative = number.starts_with('-');
  if (negative) number.remove_prefix(1);
  const auto exponent_at = number.find_first_of("eE");
  const int exponent =
      exponent_at == std::string_view::npos ? 0 : std::stoi(std::string(number.substr(exponent_at + 1)));
  const std::string_view mantissa = number.substr(0, exponent_at);
  const auto dot = std::min(mantissa.find('.'), mantissa.size());
  std::string digits(mantissa.substr(0, dot));
  if (dot < mantissa.size()) digits += mantissa.substr(dot + 1);
  int point = static_cast<int>(dot) + exponent;  // the place of the decimal point in the digits

  if (point > static_cast<int>(digits.size())) digits.append(static_cast<std::size_t>(point) - digits.size(), '0');
  if (point < 1) {
    digits.insert(0, static_cast<std::size_t>(1 - point), '0');
    point = 1;
  }
  const auto whole = static_cast<std::size_t>(point);
  const std::size_t first = std::min(digits.find_first_not_of('0'), whole - 1);
  std::string text = digits.substr(first, whole - first);
  if (whole < digits.size()) text += '.' + digits.substr(whole);
  const bool is_zero = text.find_first_not_of("0.") == std::string::npos;
  return negative && !is_zero ? '-' + text : text;
}

// A document in such a column.
class jsonb {
 public:
  explicit jsonb(std::string_view text) {
    std::size_t at = 0;
    *this = parse(text, at);
    if (at != text.size()) throw std::runtime_error("more than one JSON value: " + std::string(text));
  }

  // Returns the text that Postgres returns, with the members in random order.
  std::string text(std::mt19937_64& random) const {
    if (kind_ == kind::scalar) return scalar_;
    std::vector<std::size_t> order(children_.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    if (kind_ == kind::object) std::shuffle(order.begin(), order.end(), random);
    std::string out(1, kind_ == kind::object ? '{' : '[');
    for (std::size_t i = 0; i < order.size(); ++i) {
      if (i != 0) out += ", ";
      if (kind_ == kind::object) out += names_[order[i]] + ": ";
      out += children_[order[i]].text(random);
    }
    return out + (kind_ == kind::object ? '}' : ']');
  }

  const jsonb& member(std::string_view name) const {
    const auto found = std::find(names_.begin(), names_.end(), '"' + std::string(name) + '"');
    if (found == names_.end()) throw std::runtime_error("there is no member " + std::string(name));
    return children_[static_cast<std::size_t>(found - names_.begin())];
  }
  // Of a string without escapes.
  std::string unquoted() const { return scalar_.substr(1, scalar_.size() - 2); }

 private:
  enum class kind { scalar, array, object };
  jsonb() = default;

  // From text[at], which moves behind the value.
  static jsonb parse(std::string_view text, std::size_t& at) {
    jsonb value;
    const char c = text.at(at);
    if (c == '{' || c == '[') {
      value.kind_ = c == '{' ? kind::object : kind::array;
      const char end = c == '{' ? '}' : ']';
      for (++at; text.at(at) != end;) {
        if (!value.children_.empty()) expect(text, at, ',');
        if (value.kind_ == kind::object) {
          value.names_.push_back(parse_string(text, at));
          expect(text, at, ':');
        }
        value.children_.push_back(parse(text, at));
      }
      ++at;
    } else if (c == '"') {
      value.scalar_ = parse_string(text, at);
    } else {
      const auto end = std::min(text.find_first_of(",]}", at), text.size());
      const std::string_view word = text.substr(at, end - at);
      value.scalar_ = word == "null" || word == "true" || word == "false" ? std::string(word) : plain_digits(word);
      at = end;
    }
    return value;
  }
  static std::string parse_string(std::string_view text, std::size_t& at) {
    const std::size_t begin = at;
    expect(text, at, '"');
    while (text.at(at) != '"') at += text[at] == '\\' ? 2 : 1;
    ++at;
    return std::string(text.substr(begin, at - begin));
  }
  static void expect(std::string_view text, std::size_t& at, char c) {
    if (text.at(at++) != c) throw std::runtime_error("not the JSON that was expected: " + std::string(text));
  }

  kind kind_ = kind::scalar;
  std::string scalar_;              // as text, a string with its quotes
  std::vector<std::string> names_;  // of an object's children, with their quotes
  std::vector<jsonb> children_;
};

}  // namespace ordem::testing
