#include "storage/postgres/postgres_expiry.hpp"

namespace ordem::storage {
namespace {

std::string literal(timestamp at) {
  return "'" + to_rfc3339(at) + "'::timestamptz";
}

}  // namespace

std::string has_expired(const clock_reading& now, std::string_view made_column) {
  std::string condition = "expires_at <= " + literal(now.now());
  if (now.steps().empty()) return condition;
  milliseconds unconfirmed{};
  for (const clock_step& each : now.steps()) unconfirmed += each.unconfirmed;
  condition += " AND expires_at <= CASE";
  for (const clock_step& each : now.steps()) {
    condition += " WHEN " + std::string(made_column) + " <= " + literal(each.before) + " THEN " +
                 literal(now.now() - unconfirmed);
    unconfirmed -= each.unconfirmed;
  }
  return condition + " ELSE " + literal(now.now()) + " END";
}

}  // namespace ordem::storage
