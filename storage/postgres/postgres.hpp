// What the rest of the program may know of Postgres: a URL, and why something failed. The connections themselves stay
// in storage (storage/postgres/postgres_connection.hpp).
#pragma once

#include <string>
#include <string_view>

namespace ordem::storage {

// Why Postgres could not be used, as a sentence for the person who runs the program. Holds nothing of the URL but what
// libpq tells: host, port, user and database, never a password.
struct postgres_failure {
  std::string message;
};

// Whether libpq understands it: a URL, or a list of name=value. Any thread; connects to nothing.
bool is_connection_string(const std::string& text);

// Whether libpq has a parameter of this name, as in postgresql://host/database?name=value.
bool is_connection_parameter(std::string_view name);

}  // namespace ordem::storage
