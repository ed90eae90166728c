// Checks of Postgres URLs, for other folders. They connect to nothing. Thread-safe.
#pragma once

#include <string>
#include <string_view>

namespace ordem::storage {

// Returns whether libpq can parse the text: a URL, or a list of name=value.
bool is_connection_string(const std::string& text);

// Returns whether libpq has a parameter of this name, as in postgresql://host/database?name=value.
bool is_connection_parameter(std::string_view name);

}  // namespace ordem::storage
