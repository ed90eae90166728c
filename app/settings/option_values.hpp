// How values are written on the command line: amounts with units, addresses; and words that may hold a password.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <map>
#include <string>

namespace ordem::app {

bool is_ip_address(const std::string& text);

// What a unit amounts to: of milliseconds, of bytes.
using unit_map = std::map<std::string, std::uint64_t>;
extern const unit_map duration_units;
extern const unit_map size_units;

// In the largest unit that keeps it whole; a day is still told in hours.
std::string with_unit(std::uint64_t amount, const unit_map& units);

// Turns "30s" or "64KiB" into a plain number in the smallest unit, and checks it; `rule` is told if it does not fit. If
// `least` is 0, a 0 needs no unit.
CLI::Validator number_with_unit(const unit_map& units, std::uint64_t least, std::uint64_t most,
                                const std::string& rule);

// The value in a word of the command line: of --name=value, or the word itself.
std::string value_of(const std::string& word);

// `text` without the passwords of that value, which may be a Postgres URL wherever it stands; CLI11 quotes some values
// in lower case.
std::string without_password(const std::string& text, const std::string& value);

}  // namespace ordem::app
