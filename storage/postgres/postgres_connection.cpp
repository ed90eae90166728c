#include "storage/postgres/postgres_connection.hpp"
#include "storage/postgres/guarded.hpp"

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

// Returns null if libpq can't parse the text. Its reason is ignored, because it may quote the password.
options parse(const std::string& text) {
  return {PQconninfoParse(text.c_str(), nullptr), &PQconninfoFree};
}

// Quotes a value for libpq's lists of name=value.
std::string conninfo_quoted(std::string_view value) {
  std::string out = "'";
  for (const char c : value) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "'";
}

// Returns the options of the URL, with defaults that bound each wait.
std::string with_timeouts(const PQconninfoOption* first) {
  std::map<std::string, std::string> all = {
      {"connect_timeout", "10"},     {"keepalives_idle", "30"},     {"keepalives_interval", "10"},
      {"keepalives_count", "3"},     {"tcp_user_timeout", "60000"},  // 60 s, in ms
      {"application_name", "ordem"},
  };
  for (const auto* option = first; option->keyword != nullptr; ++option) {
    if (option->val != nullptr) all[option->keyword] = option->val;
  }
  all["client_encoding"] = "UTF8";
  std::string out;
  for (const auto& [name, value] : all) out += name + "=" + conninfo_quoted(value) + " ";
  return out;
}

// By default pqxx 6 reconnects when a connection is lost, without the locks and settings of the old session. The
// function that prevents it is deprecated only because pqxx 7 never reconnects.
void never_reconnect(pqxx::connection& connection) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
  connection.inhibit_reactivation(true);
#pragma GCC diagnostic pop
}

// Returns why no transaction can be begun on this connection, or nullopt if one can. A pooler of statements closes the
// connection, and libpqxx does not pass on its message.
std::optional<std::string> pooler_error(pqxx::connection& connection) {
  try {
    pqxx::work transaction(connection);
    transaction.exec("SELECT 1");
    return std::nullopt;
  } catch (const std::exception&) {
    if (connection.is_open()) throw;
  }
  return "the connection was closed when a transaction began: a pooler in front of Postgres must pool sessions or "
         "transactions, not statements (pool_mode of PgBouncer); otherwise give the address of Postgres itself";
}

// Returns the lines of `text` as one, without line breaks and tabs.
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

std::optional<std::vector<connection_parameter>> parse_connection_string(const std::string& text) {
  const auto parsed = parse(text);
  if (parsed == nullptr) return std::nullopt;
  std::vector<connection_parameter> parameters;
  for (const auto* option = parsed.get(); option->keyword != nullptr; ++option) {
    if (option->val == nullptr) continue;
    const bool is_secret = std::string_view(option->dispchar) == "*";
    parameters.push_back({option->keyword, is_secret ? "***" : option->val});
  }
  return parameters;
}

bool is_connection_parameter(std::string_view name) {
  const auto all = parse("");  // every option, each without a value
  for (const auto* option = all.get(); option != nullptr && option->keyword != nullptr; ++option) {
    if (name == option->keyword) return true;
  }
  return false;
}

result<std::unique_ptr<postgres_connection>> connect_to_postgres(const std::string& url) {
  const auto parsed = parse(url);
  if (parsed == nullptr) return fail_with(error_code::invalid_argument, "the Postgres URL can't be parsed");
  const auto connect = [&]() -> result<std::unique_ptr<postgres_connection>> {
    auto connection = std::make_unique<pqxx::connection>(with_timeouts(parsed.get()));
    never_reconnect(*connection);
    if (auto reason = pooler_error(*connection)) {
      return fail_with(error_code::unavailable, "cannot use Postgres: " + *reason);
    }
    return connection;
  };
  return run_guarded(connect, [](const std::exception& error) {
    return fail_with(error_code::unavailable, "cannot connect to Postgres: " + postgres_error_text(error));
  });
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
