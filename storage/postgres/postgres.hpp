// What the rest of the program may know of Postgres: a URL, and why something failed. The connections themselves stay
// in storage (storage/postgres/postgres_connection.hpp).
#pragma once

#include <string>
#include <string_view>

namespace ordem::storage {

// Whether libpq understands it: a URL, or a list of name=value. Any thread; connects to nothing.
bool is_connection_string(const std::string& text);

// Whether libpq has a parameter of this name, as in postgresql://host/database?name=value.
bool is_connection_parameter(std::string_view name);

}  // namespace ordem::storage
