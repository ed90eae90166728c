// The URL of a Postgres database, from the command line to libpq. Both forms of libpq are accepted:
// postgresql://user:password@host/database?name=value, and host=... user=... password=... All functions are
// thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace ordem::app {

// Returns the URL without the white space around it: a URL from a file ends with a line break. A blank after a
// backslash is part of a value and stays.
std::string trimmed_postgres_url(std::string_view url);

// Returns the error of the URL as the end of a sentence, or nullopt if it is valid. The error never quotes the URL.
// Stricter than libpq where libpq would take a part of a password for another part of the URL.
std::optional<std::string> postgres_url_error(const std::string& url);

// Returns the parameters that libpq reads in the URL, as name=value, with *** for each password; *** alone if
// postgres_url_error() refuses the URL; an empty text for an empty one.
std::string masked(const std::string& url);

}  // namespace ordem::app
