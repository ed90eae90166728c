// A connection to Postgres as storage uses it. For storage/*.cpp only, which include pqxx; nobody else may.
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

// Connects, within 10 s for each host unless the URL says otherwise (connect_timeout). The connection is never renewed
// behind the caller's back: once it is lost, everything on it fails. Only what one transaction does is sure to happen
// in one session: there may be a pooler in between. One thread at a time.
result<std::unique_ptr<postgres_connection>> connect_to_postgres(const std::string& url);

// What libpq or the server said, in one line, without the word ERROR.
std::string postgres_error_text(const std::exception& error);

// Whether a statement was ended because it waited for a lock longer than lock_timeout.
bool is_lock_timeout(const std::exception& error);

}  // namespace ordem::storage
