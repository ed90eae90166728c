#include "storage/postgres/postgres_reader.hpp"

#include <array>
#include <boost/algorithm/hex.hpp>
#include <chrono>
#include <pqxx/pqxx>
#include <utility>

#include "storage/postgres/guarded.hpp"
#include "storage/postgres/json_columns.hpp"
#include "storage/postgres/postgres_connection.hpp"
#include "storage/postgres/postgres_expiry.hpp"
#include "storage/postgres/schema_check.hpp"

namespace ordem::storage {
namespace {

constexpr const char* page_rows = "2000";

// LOCAL, because behind a pooler another client may use the session after the transaction. A policy that hides rows
// from this role is an error: a restore of some of the rows would look like one of all.
constexpr const char* reading_setup =
    "SET LOCAL TimeZone = 'UTC'; SET LOCAL extra_float_digits = 3; SET LOCAL row_security = off";

// Milliseconds since 1970, the unit of timestamp.
#define ORDEM_MS(column) "(extract(epoch FROM " column ") * 1000)::bigint"
#define ORDEM_ORDER_COLUMNS                                                                                  \
  "order_id::text, version, status, customer_id, currency, items::text, attributes::text, total, " ORDEM_MS( \
      "created_at") ", " ORDEM_MS("updated_at") ", tenant, actor, external_id, merged_from"

constexpr const char* order_cursor =
    "DECLARE next_orders NO SCROLL CURSOR FOR SELECT " ORDEM_ORDER_COLUMNS " FROM orders ORDER BY order_id";
constexpr const char* version_cursor = "DECLARE next_versions NO SCROLL CURSOR FOR SELECT " ORDEM_ORDER_COLUMNS
                                       " FROM order_versions ORDER BY order_id, version, updated_at";
constexpr const char* message_cursor =
    "DECLARE next_messages NO SCROLL CURSOR FOR SELECT guid, encode(fingerprint, 'hex'), verdict, order_id::text,"
    " version, status, wanted_status, made_against, by_if_match, request->>'method', request->>'path',"
    " (request->'body')::text, " ORDEM_MS("created_at") ", " ORDEM_MS(
        "expires_at") ", tenant, actor FROM message_records";

constexpr const char* capture_cursor =
    "DECLARE next_captures NO SCROLL CURSOR FOR SELECT idempotency_key, " ORDEM_MS("allocated_at") ", " ORDEM_MS(
        "lease_ends_at") ", " ORDEM_MS("expires_at") ", response_status, encode(response_body, 'hex'),"
    " response_headers::text, tenant, actor FROM captures";

// As the view sorts its keys.
#define ORDEM_BY_TENANT " ORDER BY octet_length(tenant), tenant COLLATE \"C\", "

// A row that this program can't have written.
struct bad_row : std::runtime_error {
  using std::runtime_error::runtime_error;
};

template <class Value>
Value needed(std::optional<Value> value, const std::string& where) {
  if (!value) throw bad_row(where + " holds a value that this program can't have written");
  return std::move(*value);
}

tl::unexpected<error> read_failure(const std::exception& why) {
  const bool is_bad_row = dynamic_cast<const bad_row*>(&why) != nullptr;
  return fail_with(is_bad_row ? error_code::damaged : error_code::unavailable, postgres_error_text(why));
}

timestamp time_of(const pqxx::field& ms) {
  return timestamp(milliseconds(ms.as<std::int64_t>()));
}

version version_of(const pqxx::field& number) {
  return {static_cast<std::uint64_t>(number.as<std::int64_t>())};
}

std::optional<timestamp> optional_time_of(const pqxx::field& ms) {
  return ms.is_null() ? std::nullopt : std::optional(time_of(ms));
}

origin origin_of(const pqxx::field& tenant, const pqxx::field& actor) {
  return {tenant.as<std::string>(), actor.as<std::string>()};
}

std::optional<fingerprint> fingerprint_of_hex(const std::string& digits) {
  std::array<std::uint64_t, 2> halves{};
  if (digits.size() != 2 * sizeof(halves)) return std::nullopt;
  boost::algorithm::unhex(digits, halves.data());
  return fingerprint{halves[0], halves[1]};
}

class reader final : public postgres_reader {
 public:
  explicit reader(std::unique_ptr<postgres_connection> connection)
      : connection_(std::move(connection)), transaction_(*connection_) {}

  // Throws the exceptions of pqxx.
  result<void> begin();

  const std::string& log_id() const noexcept override { return log_id_; }
  position last() const noexcept override { return last_; }
  result<void> keep_by(const clock_reading& now) override;
  result<persisted_counts> count() override;
  result<std::vector<order>> next_orders() override { return next<order>("next_orders", &reader::order_of); }
  result<std::vector<order>> next_versions() override { return next<order>("next_versions", &reader::order_of); }
  result<std::vector<persisted_message>> next_messages() override {
    return next<persisted_message>("next_messages", &reader::message_of);
  }
  result<std::vector<persisted_capture>> next_captures() override {
    return next<persisted_capture>("next_captures", &reader::capture_of);
  }
  bool has_versions_of(timestamp updated_at) const override { return has_partition("order_versions", updated_at); }
  bool has_messages_of(timestamp created_at) const override { return has_partition("message_records", created_at); }

 private:
  order order_of(const pqxx::row& row);
  persisted_message message_of(const pqxx::row& row);
  persisted_capture capture_of(const pqxx::row& row);
  bool has_partition(const std::string& table, timestamp at) const;

  template <class Row>
  result<std::vector<Row>> next(const std::string& cursor, Row (reader::*read)(const pqxx::row&)) {
    const auto fetch = [&]() -> result<std::vector<Row>> {
      std::vector<Row> page;
      for (const auto& row : transaction_.exec(std::string("FETCH ") + page_rows + " FROM " + cursor)) {
        page.push_back((this->*read)(row));
      }
      return page;
    };
    return run_guarded(fetch, read_failure);
  }

  std::unique_ptr<postgres_connection> connection_;
  pqxx::transaction<pqxx::repeatable_read, pqxx::read_only> transaction_;
  json_column_reader json_;
  std::string kept_messages_;  // WHERE clause, as the next
  std::string kept_captures_;
  std::string log_id_;
  position last_;
  std::set<std::string> partitions_;
};

result<void> reader::begin() {
  if (auto mismatch = schema_error(transaction_)) return fail_with(error_code::wrong_format, *mismatch);
  transaction_.exec(reading_setup);
  const auto rows = transaction_.exec("SELECT engine_id::text, position FROM engine_positions");
  if (rows.empty()) {
    return fail_with(error_code::not_found, "the database holds no log: no engine has written to it yet");
  }
  log_id_ = rows[0][0].as<std::string>();
  last_ = {static_cast<std::uint64_t>(rows[0][1].as<std::int64_t>())};
  const auto names = transaction_.exec(
      "SELECT inhrelid::regclass::text FROM pg_inherits"
      " WHERE inhparent IN ('order_versions'::regclass, 'message_records'::regclass)");
  for (const auto& row : names) partitions_.insert(row[0].as<std::string>());
  transaction_.exec(order_cursor);
  transaction_.exec(version_cursor);
  return {};
}

result<void> reader::keep_by(const clock_reading& now) {
  kept_messages_ = " WHERE NOT (" + has_expired(now, "created_at") + ")";
  kept_captures_ = " WHERE expires_at IS NULL OR NOT (" + has_expired(now, "allocated_at") + ")";
  const auto open_cursors = [&]() -> result<void> {
    transaction_.exec(capture_cursor + kept_captures_ + ORDEM_BY_TENANT "idempotency_key COLLATE \"C\"");
    transaction_.exec(message_cursor + kept_messages_ + ORDEM_BY_TENANT "guid COLLATE \"C\"");
    return {};
  };
  return run_guarded(open_cursors, read_failure);
}

result<persisted_counts> reader::count() {
  const auto count_rows = [&]() -> result<persisted_counts> {
    const auto row = transaction_.exec1(
        "SELECT (SELECT count(*) FROM orders), (SELECT count(*) FROM order_versions),"
        " (SELECT count(*) FROM message_records" +
        kept_messages_ + "), (SELECT count(*) FROM captures" + kept_captures_ + ")");
    return persisted_counts{row[0].as<std::uint64_t>(), row[1].as<std::uint64_t>(), row[2].as<std::uint64_t>(),
                            row[3].as<std::uint64_t>()};
  };
  return run_guarded(count_rows, read_failure);
}

order reader::order_of(const pqxx::row& row) {
  const auto id = row[0].as<std::string>();
  const std::string where = "order " + id + " in Postgres";
  std::string content = "{\"customer_id\":";
  append_json_string(content, row[3].as<std::string>());
  if (!row[12].is_null()) {
    content += ",\"external_id\":";
    append_json_string(content, row[12].as<std::string>());
  }
  content += ",\"currency\":";
  append_json_string(content, row[4].as<std::string>());
  content += ",\"items\":" + row[5].as<std::string>();
  if (!row[6].is_null()) content += ",\"attributes\":" + row[6].as<std::string>();
  content += '}';

  order what;
  what.id = needed(order_id::parse(id), where);
  what.version = version_of(row[1]);
  what.status = needed(parse_order_status(row[2].as<std::string>()), where);
  what.content = needed(json_.content(content), where);
  what.total = needed(money::of_minor_units(row[7].as<std::int64_t>()), where);
  what.created_at = time_of(row[8]);
  what.updated_at = time_of(row[9]);
  what.origin = origin_of(row[10], row[11]);
  if (!row[13].is_null()) what.merged_from = version_of(row[13]);
  return what;
}

persisted_message reader::message_of(const pqxx::row& row) {
  const auto id = row[0].as<std::string>();
  const std::string where = "message " + id + " in Postgres";
  message_record record;
  record.fingerprint = needed(fingerprint_of_hex(row[1].as<std::string>()), where);
  outcome& decided = record.outcome;
  decided.verdict = needed(parse_verdict(row[2].as<std::string>()), where);
  decided.order = needed(order_id::parse(row[3].as<std::string>()), where);
  decided.version = version_of(row[4]);
  decided.status = needed(parse_order_status(row[5].as<std::string>()), where);
  if (!row[6].is_null()) decided.requested_status = needed(parse_order_status(row[6].as<std::string>()), where);
  if (!row[7].is_null()) decided.expected_version = ordem::expected_version{version_of(row[7]), row[8].as<bool>()};
  if (!row[9].is_null()) {
    auto asked =
        needed(json_.command(row[9].as<std::string>(), row[10].as<std::string>(), row[11].as<std::string>()), where);
    record.command = std::move(asked.command);
    if (decided.expected_version) decided.expected_version->merges = asked.merges;
  }
  record.created_at = time_of(row[12]);
  record.expires_at = time_of(row[13]);
  record.origin = origin_of(row[14], row[15]);
  return {needed(guid::parse(id), where), std::move(record)};
}

persisted_capture reader::capture_of(const pqxx::row& row) {
  const auto key = row[0].as<std::string>();
  const std::string where = "capture " + key + " in Postgres";
  capture what;
  what.allocated_at = time_of(row[1]);
  what.lease_ends_at = optional_time_of(row[2]);
  what.expires_at = optional_time_of(row[3]);
  if (!row[4].is_null()) {
    captured_response response;
    response.status = row[4].as<std::uint16_t>();
    response.body = boost::algorithm::unhex(row[5].as<std::string>());
    response.headers = needed(json_.headers(row[6].as<std::string>()), where);
    what.response = std::make_shared<const captured_response>(std::move(response));
  }
  what.origin = origin_of(row[7], row[8]);
  return {needed(capture_key::parse(key), where), std::move(what)};
}

bool reader::has_partition(const std::string& table, timestamp at) const {
  // As ordem_make_month() names it.
  const std::string month = to_rfc3339(at).substr(0, 7);
  return partitions_.contains(table + "_" + month.substr(0, 4) + "_" + month.substr(5, 2));
}

}  // namespace

result<std::unique_ptr<postgres_reader>> read_postgres(const std::string& url) {
  auto connection = connect_to_postgres(url);
  if (!connection) return tl::make_unexpected(connection.error());
  const auto begin = [&]() -> result<std::unique_ptr<postgres_reader>> {
    auto made = std::make_unique<reader>(std::move(*connection));
    if (auto begun = made->begin(); !begun) return tl::make_unexpected(std::move(begun.error()));
    return made;
  };
  return run_guarded(begin, read_failure);
}

}  // namespace ordem::storage
