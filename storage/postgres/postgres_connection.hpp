// A connection to Postgres. Only for storage/postgres/*.cpp.
#pragma once

#include <exception>
#include <memory>
#include <string>
#include <string_view>

#include "storage/log/error.hpp"
#include "storage/postgres/postgres.hpp"

namespace pqxx {
class connect_direct;
template <typename ConnectPolicy>
class basic_connection_base;
}  // namespace pqxx

namespace ordem::storage {

using postgres_connection = pqxx::basic_connection_base<pqxx::connect_direct>;  // pqxx::connection

// Connects, within 10 s for each host unless the URL has another connect_timeout. A lost connection is not renewed:
// every later call on it fails. Only the statements of one transaction are sure to run in one session, because there
// may be a pooler in between. One thread at a time.
result<std::unique_ptr<postgres_connection>> connect_to_postgres(const std::string& url);

// Returns the message of libpq or the server in one line, without the word ERROR.
std::string postgres_error_text(const std::exception& error);

// Returns whether a statement failed because it waited for a lock longer than lock_timeout.
bool is_lock_timeout(const std::exception& error);

}  // namespace ordem::storage
