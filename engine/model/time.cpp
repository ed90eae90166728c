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

}  // namespace ordem
