#include "engine/codec/json_number.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <iterator>

#include "engine/base/limits.hpp"

namespace ordem::codec {
namespace {

// The number of digits of 2^53 - 1, the largest integer that is replaced.
constexpr std::int64_t digits_max = 16;

// Returns the exponent of a number, bounded so that sums of it do not overflow. integer_digits() has the same result
// for all exponents beyond the bound.
std::int64_t exponent_of(std::string_view digits) {
  constexpr std::int64_t most = std::int64_t{1} << 40;
  std::int64_t exponent = 0;
  if (digits.starts_with('+')) digits.remove_prefix(1);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), exponent);
  if (error == std::errc::result_out_of_range) return digits.starts_with('-') ? -most : most;
  return std::clamp(exponent, -most, most);
}

}  // namespace

std::optional<std::string> integer_digits(std::string_view number) {
  const bool negative = number.starts_with('-');
  if (negative) number.remove_prefix(1);
  const std::size_t mantissa_end = std::min(number.find_first_of("eE"), number.size());
  const auto mantissa = number.substr(0, mantissa_end);
  if (mantissa_end == number.size() && mantissa.find('.') == mantissa.npos) return std::nullopt;

  // The number is 0.DIGITS times ten to the power of `point`, where DIGITS begins and ends with no zero.
  const std::size_t whole = std::min(mantissa.find('.'), mantissa.size());
  std::string digits(mantissa.substr(0, whole));
  if (whole < mantissa.size()) digits += mantissa.substr(whole + 1);
  auto point = static_cast<std::int64_t>(whole);
  if (mantissa_end < number.size()) point += exponent_of(number.substr(mantissa_end + 1));
  const std::size_t zeros = std::min(digits.find_first_not_of('0'), digits.size());
  digits.erase(0, zeros);
  point -= static_cast<std::int64_t>(zeros);
  digits.erase(digits.find_last_not_of('0') + 1);

  if (digits.empty()) return "0";
  if (point > digits_max || point < static_cast<std::int64_t>(digits.size())) return std::nullopt;
  digits.append(static_cast<std::size_t>(point) - digits.size(), '0');
  std::int64_t value = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (value > limits::exact_integer_max) return std::nullopt;
  return negative ? '-' + digits : digits;
}

std::optional<std::string> with_plain_integers(std::string_view json) {
  std::string out;
  std::size_t copied = 0;
  for (std::size_t i = 0; i < json.size();) {
    const char c = json[i];
    if (c == '"') {
      for (++i; i < json.size() && json[i] != '"'; ++i) i += json[i] == '\\' ? 1 : 0;
      ++i;
    } else if (c == '-' || (c >= '0' && c <= '9')) {
      const std::size_t end = std::min(json.find_first_not_of("+-.0123456789eE", i), json.size());
      if (const auto digits = integer_digits(json.substr(i, end - i))) {
        out += json.substr(copied, i - copied);
        out += *digits;
        copied = end;
      }
      i = end;
    } else {
      ++i;
    }
  }
  if (copied == 0) return std::nullopt;
  out += json.substr(copied);
  return out;
}

std::string canonical_text(double number) {
  char text[32];
  const bool integral = number == std::trunc(number);
  if (integral && std::abs(number) <= static_cast<double>(limits::exact_integer_max)) {
    return std::to_string(static_cast<std::int64_t>(number));
  }
  // A large integral number keeps its exponent: as plain digits it would claim to be exact.
  const auto end = integral ? std::to_chars(std::begin(text), std::end(text), number, std::chars_format::scientific).ptr
                            : std::to_chars(std::begin(text), std::end(text), number).ptr;
  return {text, end};
}

std::string number_text_of(const simdjson::dom::element& number) {
  if (std::int64_t integer = 0; number.get(integer) == simdjson::SUCCESS) return std::to_string(integer);
  if (std::uint64_t integer = 0; number.get(integer) == simdjson::SUCCESS) return std::to_string(integer);
  const auto value = double(number);
  if (value == std::trunc(value)) return canonical_text(value);
  char text[32];  // 0.0001, not 1e-04
  return {text, std::to_chars(std::begin(text), std::end(text), value, std::chars_format::general).ptr};
}

}  // namespace ordem::codec
