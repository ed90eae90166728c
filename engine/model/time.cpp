#include "engine/model/time.hpp"

#include <string_view>

namespace ordem {
namespace {

void put_digits(char* at, int digits, unsigned value) {
  for (int i = digits - 1; i >= 0; --i) {
    at[i] = static_cast<char>('0' + value % 10);
    value /= 10;
  }
}

constexpr bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

// REQUIRES: digits alone, at most nine.
unsigned number_of(std::string_view digits) noexcept {
  unsigned number = 0;
  for (const char c : digits) number = number * 10 + static_cast<unsigned>(c - '0');
  return number;
}

// Takes ".123456" off the front, 0 if it is not there. Returns nullopt for a point without digits or with too many.
std::optional<milliseconds> take_fraction(std::string_view& text) noexcept {
  constexpr std::size_t digits_max = 9;
  if (!text.starts_with('.')) return milliseconds(0);
  text.remove_prefix(1);
  std::size_t digits = 0;
  unsigned ms = 0;
  while (digits < text.size() && is_digit(text[digits])) ++digits;
  if (digits == 0 || digits > digits_max) return std::nullopt;
  for (std::size_t i = 0; i < 3; ++i) ms = ms * 10 + (i < digits ? number_of(text.substr(i, 1)) : 0);
  text.remove_prefix(digits);
  return milliseconds(ms);
}

// Parses Z, +01:00 or -01:00.
std::optional<std::chrono::minutes> parse_offset(std::string_view text) noexcept {
  if (text == "Z") return std::chrono::minutes(0);
  const bool is_form = text.size() == 6 && (text[0] == '+' || text[0] == '-') && is_digit(text[1]) &&
                       is_digit(text[2]) && text[3] == ':' && is_digit(text[4]) && is_digit(text[5]);
  if (!is_form) return std::nullopt;
  const unsigned hours = number_of(text.substr(1, 2));
  const unsigned minutes = number_of(text.substr(4, 2));
  if (hours > 23 || minutes > 59) return std::nullopt;
  const std::chrono::minutes offset(hours * 60 + minutes);
  return text[0] == '+' ? offset : -offset;
}

}  // namespace

const clock_steps& clock_reading::steps() const noexcept {
  static const clock_steps none;
  return steps_ != nullptr ? *steps_ : none;
}

milliseconds clock_reading::unconfirmed_since(timestamp made) const noexcept {
  milliseconds sum{};
  for (const clock_step& each : *steps_) {
    if (each.before >= made) sum += each.unconfirmed;
  }
  return sum;
}

void time_source::resume(std::optional<timestamp>, const std::optional<clock_state>&) {}

void time_source::follow(timestamp, const std::optional<clock_state>&) {}

clock_state time_source::state() const {
  clock_state what;
  what.time = now();
  return what;
}

void append_rfc3339(std::string& out, timestamp at) {
  const auto day = std::chrono::floor<std::chrono::days>(at);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss time{at - day};
  char text[] = "0000-00-00T00:00:00.000Z";
  put_digits(text, 4, static_cast<unsigned>(static_cast<int>(date.year())));
  put_digits(text + 5, 2, static_cast<unsigned>(date.month()));
  put_digits(text + 8, 2, static_cast<unsigned>(date.day()));
  put_digits(text + 11, 2, static_cast<unsigned>(time.hours().count()));
  put_digits(text + 14, 2, static_cast<unsigned>(time.minutes().count()));
  put_digits(text + 17, 2, static_cast<unsigned>(time.seconds().count()));
  put_digits(text + 20, 3, static_cast<unsigned>(time.subseconds().count()));
  out.append(text, sizeof text - 1);
}

std::string to_rfc3339(timestamp at) {
  std::string text;
  append_rfc3339(text, at);
  return text;
}

std::optional<timestamp> parse_rfc3339(std::string_view text) noexcept {
  // "2026-11-22T10:15:30" with the digits as 0, and what is behind it.
  constexpr std::string_view form = "0000-00-00T00:00:00";
  if (text.size() < form.size() + 1) return std::nullopt;
  for (std::size_t i = 0; i < form.size(); ++i) {
    if (form[i] == '0' ? !is_digit(text[i]) : text[i] != form[i]) return std::nullopt;
  }
  const auto number = [&text](std::size_t at, std::size_t digits) { return number_of(text.substr(at, digits)); };
  const std::chrono::year_month_day date(std::chrono::year(static_cast<int>(number(0, 4))),
                                         std::chrono::month(number(5, 2)), std::chrono::day(number(8, 2)));
  const std::chrono::hours hours(number(11, 2));
  const std::chrono::minutes minutes(number(14, 2));
  const std::chrono::seconds seconds(number(17, 2));
  if (!date.ok() || hours.count() > 23 || minutes.count() > 59 || seconds.count() > 59) return std::nullopt;

  std::string_view rest = text.substr(form.size());
  const auto fraction = take_fraction(rest);
  if (!fraction) return std::nullopt;
  const auto offset = parse_offset(rest);
  if (!offset) return std::nullopt;
  const timestamp at = std::chrono::sys_days(date) + hours + minutes + seconds + *fraction - *offset;
  // The offset may lead out of the years that can be printed.
  const std::chrono::year_month_day utc(std::chrono::floor<std::chrono::days>(at));
  if (utc.year() < std::chrono::year(0) || utc.year() > std::chrono::year(9999)) return std::nullopt;
  return at;
}

}  // namespace ordem
