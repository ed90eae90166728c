// JSON numbers by their value. What is an integer is so by its value, not by the way it is written: 2.0 and 1e3 are
// integers, as JSON Schema has it. simdjson reads them as floating-point numbers, whose rounding hides whether the text
// was an integer; so a body with one is read again from a text that writes them as plain digits.
#pragma once

#include <simdjson.h>

#include <optional>
#include <string>
#include <string_view>

namespace ordem::codec {

// The plain digits, with sign, of a JSON number that has a fraction or an exponent and is an integer from -(2^53 - 1)
// to 2^53 - 1 all the same. Returns nullopt for any other. Exact, whatever the number of digits.
std::optional<std::string> integer_digits(std::string_view number);

// The JSON text with each such number replaced by its digits. Returns nullopt if it has none. `json` must be valid.
std::optional<std::string> with_plain_integers(std::string_view json);

// One text for each number, so that 1e2, 100.0 and 100 have the same. Part of fingerprints: never to change.
std::string canonical_text(double number);

// The text of a number outside of JSON: 5, 0.25, 1e+20.
std::string number_text_of(const simdjson::dom::element& number);

}  // namespace ordem::codec
