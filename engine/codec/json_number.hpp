// JSON numbers by value. As in JSON Schema, a number is an integer by its value, not by its notation: 2.0 and 1e3 are
// integers. simdjson reads them as floating-point numbers, whose rounding hides whether the text was an integer, so a
// body with such numbers is parsed again with them written as plain digits. Pure functions; thread-safe.
#pragma once

#include <simdjson.h>

#include <optional>
#include <string>
#include <string_view>

namespace ordem::codec {

// Returns the plain digits, with sign, of a JSON number that has a fraction or an exponent but is an integer from
// -(2^53 - 1) to 2^53 - 1, or nullopt for any other number. Exact for any number of digits.
std::optional<std::string> integer_digits(std::string_view number);

// Returns the JSON text with each such number replaced by its digits, or nullopt if there is none.
// REQUIRES: `json` is valid JSON.
std::optional<std::string> with_plain_integers(std::string_view json);

// Returns the same text for equal numbers: 1e2, 100.0 and 100. Part of fingerprints: do not change.
std::string canonical_text(double number);

// Returns the shortest text of a number, outside of JSON: 5, 0.25, 1e+20.
std::string number_text_of(const simdjson::dom::element& number);

}  // namespace ordem::codec
