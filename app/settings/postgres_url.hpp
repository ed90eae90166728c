// The URL of a Postgres database as users write it, and how it is shown: without its password. Both forms of libpq are
// taken: postgresql://user:password@host/database?name=value, and host=... user=... password=...
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace ordem::app {

// Without the white space around it: a URL from a file ends with a line break. A blank behind a backslash stays, since
// it is part of a value.
std::string trimmed_postgres_url(std::string_view url);

// What is wrong with it, or nothing. Never quotes it. Stricter than libpq where that would take a part of a password
// for something else (an unencoded @ or / in it), and then quote that part in an error.
std::optional<std::string> postgres_url_error(const std::string& url);

// The URL with *** for each password. Takes any text: where it can't tell what is what, it hides too much.
std::string masked(std::string_view url);

}  // namespace ordem::app
