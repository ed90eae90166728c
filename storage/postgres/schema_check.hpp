// For storage/*.cpp that use the tables: whether they are there, on a connection that is open already.
#pragma once

#include <optional>
#include <string>

namespace pqxx {
class transaction_base;
}

namespace ordem::storage {

// Why the database is not exactly at this program's migrations, as a sentence that says what to do; nothing if it is.
// Throws what pqxx throws if the database can't be asked.
std::optional<std::string> schema_error(pqxx::transaction_base& transaction);

}  // namespace ordem::storage
