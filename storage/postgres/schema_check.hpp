// Checks the schema of a database on an open connection. Only for storage/postgres/*.cpp.
#pragma once

#include <optional>
#include <string>

namespace pqxx {
class transaction_base;
}

namespace ordem::storage {

// Returns a message that says what to do if the database does not have exactly the migrations of this program, else
// nullopt. Throws the exceptions of pqxx.
std::optional<std::string> schema_error(pqxx::transaction_base& transaction);

}  // namespace ordem::storage
