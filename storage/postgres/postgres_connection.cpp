#include "storage/postgres/postgres_connection.hpp"

#include <libpq-fe.h>

#include <algorithm>
#include <map>
#include <optional>
#include <pqxx/connection>
#include <pqxx/except>
#include <pqxx/transaction>

namespace ordem::storage {
namespace {

constexpr std::string_view lock_not_available = "55P03";

using options = std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)>;

// libpq's reason is not asked for: it may quote the password.
options parse(const std::string& text) {
  return {PQconninfoParse(text.c_str(), nullptr), &PQconninfoFree};
}

// As libpq's lists of name=value want it.
std::string quoted(std::string_view value) {
  std::string out = "'";
  for (const char c : value) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "'";
}

// The options of the URL, and those without which a wait could be endless.
std::string with_bounds(const PQconninfoOption* given) {
  std::map<std::string, std::string> all = {
      {"connect_timeout", "10"},     {"keepalives_idle", "30"},     {"keepalives_interval", "10"},
      {"keepalives_count", "3"},     {"tcp_user_timeout", "60000"},  // 60 s, in ms
      {"application_name", "ordem"},
  };
  for (const auto* option = given; option->keyword != nullptr; ++option) {
    if (option->val != nullptr) all[option->keyword] = option->val;
  }
  all["client_encoding"] = "UTF8";
  std::string out;
  for (const auto& [name, value] : all) out += name + "=" + quoted(value) + " ";
  return out;
}

// pqxx 6 would connect again where it finds the connection lost, and a session's lock and settings would be lost with
// it. The function for that is marked as deprecated because pqxx 7 never does so.
void never_reconnect(pqxx::connection& connection) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
  connection.inhibit_reactivation(true);
#pragma GCC diagnostic pop
}

// Why no transaction can be begun here; nothing if one can. A pooler of statements ends the connection instead, and
// libpqxx does not pass on what it says then.
std::optional<std::string> pooler_error(pqxx::connection& connection) {
  try {
    pqxx::work transaction(connection);
    transaction.exec("SELECT 1");
    return std::nullopt;
  } catch (const std::exception&) {
    if (connection.is_open()) throw;
  }
  return "the connection was ended where a transaction began: a pooler before Postgres has to pool sessions or "
         "transactions, not statements (pool_mode of PgBouncer); otherwise give the address of Postgres itself";
}

// The lines of `text` as one, without line breaks and tabs.
std::string in_one_line(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool space = c == ' ' || c == '\n' || c == '\t';
    if (!space) out += c;
    if (space && !out.empty() && out.back() != ' ') out += ' ';
  }
  while (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

}  // namespace

bool is_connection_string(const std::string& text) {
  return parse(text) != nullptr;
}

bool is_connection_parameter(std::string_view name) {
  const auto all = parse("");  // every option, each without a value
  for (const auto* option = all.get(); option != nullptr && option->keyword != nullptr; ++option) {
    if (name == option->keyword) return true;
  }
  return false;
}

result<std::unique_ptr<postgres_connection>> connect_to_postgres(const std::string& url) {
  const auto given = parse(url);
  if (given == nullptr) return fail_with(error_code::invalid_argument, "the Postgres URL can't be read");
  try {
    auto connection = std::make_unique<pqxx::connection>(with_bounds(given.get()));
    never_reconnect(*connection);
    if (auto validation_error = pooler_error(*connection)) {
      return fail_with(error_code::unavailable, "cannot use Postgres: " + *validation_error);
    }
    return connection;
  } catch (const std::exception& error) {
    return fail_with(error_code::unavailable, "cannot connect to Postgres: " + postgres_error_text(error));
  }
}

std::string postgres_error_text(const std::exception& error) {
  std::string_view text = error.what();
  if (dynamic_cast<const pqxx::sql_error*>(&error) != nullptr) {
    // Further lines quote the statement.
    constexpr std::string_view mark = "ERROR:";
    if (text.starts_with(mark)) text.remove_prefix(mark.size());
    text = text.substr(0, text.find('\n', text.find_first_not_of(' ')));
    text.remove_prefix(std::min(text.size(), text.find_first_not_of(' ')));
  }
  return in_one_line(text);
}

bool is_lock_timeout(const std::exception& error) {
  const auto* by_server = dynamic_cast<const pqxx::sql_error*>(&error);
  return by_server != nullptr && by_server->sqlstate() == lock_not_available;
}

}  // namespace ordem::storage
