// Checks of Postgres URLs, for other folders. They connect to nothing. Thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ordem::storage {

// A parameter that a URL or a list of name=value sets.
struct connection_parameter {
  std::string name;
  std::string value;  // *** if it is a secret, such as a password
};

// Returns the parameters in libpq's order, or nullopt if libpq cannot parse the text. Connects to nothing. Thread-safe.
std::optional<std::vector<connection_parameter>> parse_connection_string(const std::string& text);

// Returns whether libpq has a parameter of this name, as in postgresql://host/database?name=value.
bool is_connection_parameter(std::string_view name);

}  // namespace ordem::storage
