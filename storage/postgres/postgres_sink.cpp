#include "storage/postgres/postgres_sink.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <boost/algorithm/hex.hpp>
#include <iterator>
#include <mutex>
#include <pqxx/pqxx>
#include <set>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include "engine/base/text.hpp"
#include "engine/codec/capture_json.hpp"
#include "engine/codec/message_json.hpp"
#include "engine/codec/order_json.hpp"
#include "engine/model/json_value.hpp"
#include "storage/postgres/postgres_connection.hpp"
#include "storage/postgres/postgres_expiry.hpp"
#include "storage/postgres/schema_check.hpp"

namespace ordem::storage {
namespace {

// Of this month and so many that follow it the partitions are there before any row needs them.
constexpr int months_ahead = 2;

const std::vector<std::string> order_columns = {"order_id",   "version",    "status",  "customer_id",
                                                "currency",   "items",      "total",   "attributes",
                                                "created_at", "updated_at", "position"};
const std::vector<std::string> message_columns = {"guid",     "fingerprint",   "verdict",      "order_id",    "version",
                                                  "status",   "wanted_status", "made_against", "by_if_match", "request",
                                                  "response", "created_at",    "expires_at",   "position"};

const std::vector<std::string> capture_columns = {
    "idempotency_key", "state",         "allocated_at",     "lease_ends_at", "expires_at",
    "response_status", "response_body", "response_headers", "position"};

// How often expired captures are dropped, and how many at a time.
constexpr milliseconds sweep_interval = std::chrono::seconds(1);
constexpr int swept_captures_max = 20'000;

// What each transaction is like. Statements end in bounded time, a transaction that is not continued ends too, and the
// update of orders goes by their index however many rows the planner expects. Set for the transaction alone, and
// nothing else that we make outlives it: a pooler may run the next one in another session.
constexpr const char* transaction_setup =
    "SET LOCAL statement_timeout = '60s'; SET LOCAL lock_timeout = '30s';"
    "SET LOCAL idle_in_transaction_session_timeout = '60s';"
    "SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off; SET LOCAL TimeZone = 'UTC'";

// Takes the changed orders as a list of JSON.
constexpr const char* update_orders =
    "UPDATE orders SET (version, status, customer_id, currency, items, total, attributes, created_at, updated_at,"
    " position) = (c.version, c.status, c.customer_id, c.currency, c.items, c.total, c.attributes, c.created_at,"
    " c.updated_at, c.position) FROM json_populate_recordset(NULL::orders, $1::json) c"
    " WHERE orders.order_id = c.order_id";

// About how many bytes of JSON one such statement takes.
constexpr std::size_t update_bytes_max = std::size_t{4} << 20;

std::int64_t signed_of(std::uint64_t number) {
  return static_cast<std::int64_t>(number);
}

// Returns the text that Postgres reads as bytea: \x and two digits a byte.
std::string bytea_of(const fingerprint& print) {
  std::string text = "\\x";
  boost::algorithm::hex_lower(std::array{print.high, print.low}, std::back_inserter(text));
  return text;
}
std::string bytea_of(std::string_view bytes) {
  std::string text = "\\x";
  text.reserve(text.size() + 2 * bytes.size());
  boost::algorithm::hex_lower(bytes, std::back_inserter(text));
  return text;
}

// The order that the entry made; null if it made none.
const order* order_after(const logged_entry& what) {
  const auto* executed = what.message();
  return executed != nullptr ? executed->after.get() : nullptr;
}

const char* or_null(const std::string& text) {
  return text.empty() ? nullptr : text.c_str();
}

// An order as json_populate_recordset takes it for a row of `orders`.
void append_row_json(std::string& out, const order& what, position at) {
  const auto member = [&out](std::string_view name) { out.append(",\"").append(name).append("\":"); };
  const auto text = [&](std::string_view name, std::string_view value) {
    member(name);
    append_json_string(out, value);
  };
  const auto number = [&](std::string_view name, std::int64_t value) {
    member(name);
    append_number(out, value);
  };
  out += "{\"order_id\":\"" + what.id.to_string() + '"';
  number("version", signed_of(what.version.number));
  text("status", to_string(what.status));
  text("customer_id", what.content.customer_id);
  text("currency", {what.content.currency.data(), what.content.currency.size()});
  member("items");
  codec::append_items(out, what.content.items);
  number("total", what.total.minor_units());
  if (what.content.attributes) {
    member("attributes");
    append_json(out, *what.content.attributes);
  }
  text("created_at", to_rfc3339(what.created_at));
  text("updated_at", to_rfc3339(what.updated_at));
  number("position", signed_of(at.number));
  out += '}';
}

// One COPY.
class row_stream {
 public:
  row_stream(pqxx::work& transaction, const std::string& table, const std::vector<std::string>& columns)
      : stream_(transaction, table, columns) {}

  void put_order(const order& what, position at) {
    std::string items;
    codec::append_items(items, what.content.items);
    std::string attributes;
    if (what.content.attributes) append_json(attributes, *what.content.attributes);
    stream_ << std::make_tuple(what.id.to_string(), signed_of(what.version.number), std::string(to_string(what.status)),
                               what.content.customer_id,
                               std::string(what.content.currency.data(), what.content.currency.size()), items,
                               what.total.minor_units(), or_null(attributes), to_rfc3339(what.created_at),
                               to_rfc3339(what.updated_at), signed_of(at.number));
  }

  void put_message(const message_entry& what, position at, const codec::message_json& text) {
    const message_record& record = what.record;
    const outcome& result = record.outcome;
    const auto& supplied = result.expected_version;
    const std::string wanted(result.requested_status ? to_string(*result.requested_status) : "");
    const std::string expected_version = supplied ? std::to_string(supplied->version.number) : "";
    stream_ << std::make_tuple(std::string(what.guid.view()), bytea_of(record.fingerprint),
                               std::string(to_string(result.verdict)), result.order.to_string(),
                               signed_of(result.version.number), std::string(to_string(result.status)), or_null(wanted),
                               or_null(expected_version), std::string(supplied && supplied->by_if_match ? "t" : "f"),
                               or_null(text.request), or_null(text.response), to_rfc3339(record.created_at),
                               to_rfc3339(record.expires_at), signed_of(at.number));
  }

  void put_capture(std::string_view key, const capture& what, position at) {
    const auto time_or_null = [](const std::optional<timestamp>& time) { return time ? to_rfc3339(*time) : ""; };
    const std::string lease_ends_at = time_or_null(what.lease_ends_at);
    const std::string expires_at = time_or_null(what.expires_at);
    std::string status;
    std::string body;
    std::string headers;
    if (what.response) {
      append_number(status, what.response->status);
      body = bytea_of(what.response->body);
      codec::append_headers(headers, what.response->headers);
    }
    stream_ << std::make_tuple(std::string(key), std::string(what.response ? "completed" : "allocated"),
                               to_rfc3339(what.allocated_at), or_null(lease_ends_at), or_null(expires_at),
                               or_null(status), or_null(body), or_null(headers), signed_of(at.number));
  }

  void complete() { stream_.complete(); }

 private:
  pqxx::stream_to stream_;
};

using month = std::chrono::year_month;

month month_of(timestamp at) {
  const std::chrono::year_month_day day(std::chrono::floor<std::chrono::days>(at));
  return day.year() / day.month();
}

// The socket of a connection, to be cut by another thread. A descriptor of its own, so that its number stays taken
// until nobody can cut it any more.
class cut_line {
 public:
  explicit cut_line(int socket) : socket_(::dup(socket)) {}
  ~cut_line() {
    if (socket_ >= 0) ::close(socket_);
  }
  cut_line(const cut_line&) = delete;
  cut_line& operator=(const cut_line&) = delete;

  void cut() const noexcept { ::shutdown(socket_, SHUT_RDWR); }

 private:
  int socket_;
};

// What engine_positions says of the writer. A database that was put back to an earlier state may give an epoch a second
// time; two claims never begin at the same moment.
struct writer_claim {
  std::int64_t epoch = 0;
  std::int64_t began_us = 0;  // microseconds since 1970, by the clock of Postgres

  friend bool operator==(const writer_claim&, const writer_claim&) = default;
};

#define ORDEM_CLAIM_BEGAN_US "(extract(epoch FROM claimed_at) * 1000000)::bigint"

class postgres_sink final : public sink {
 public:
  explicit postgres_sink(postgres_sink_settings settings) : settings_(std::move(settings)) {}

  result<position> claim(const claim_check& object) override;
  result<void> write(std::span<const logged_entry> entries) override;
  void interrupt() noexcept override;

 private:
  result<void> connect();
  void disconnect();
  result<void> become_writer(const claim_check& object);
  writer_claim put_claim(pqxx::work& transaction, std::int64_t epoch, bool is_first);
  result<void> write_all(std::span<const logged_entry> entries);
  result<void> put_orders(pqxx::work& transaction, std::span<const logged_entry> entries);
  codec::message_json text_of(const message_entry& what) const;
  void put_history(pqxx::work& transaction, std::span<const logged_entry> entries);
  void put_captures(pqxx::work& transaction, std::span<const logged_entry> entries);
  void drop_expired_captures(pqxx::work& transaction);
  void make_months(pqxx::work& transaction, std::span<const logged_entry> entries);
  void make_months(pqxx::work& transaction, timestamp at);

  // Runs a step that talks to Postgres; what libpqxx throws ends the connection.
  template <class Step>
  result<void> guarded(Step step) {
    try {
      auto done = step();
      if (!done) disconnect();
      return done;
    } catch (const std::exception& error) {
      // Of a connection that broke libpqxx tells what it could not do next.
      const bool is_lost = connection_ != nullptr && !connection_->is_open();
      disconnect();
      return fail_with(error_code::unavailable,
                       is_lost ? "the connection to Postgres was lost" : postgres_error_text(error));
    }
  }

  const postgres_sink_settings settings_;
  std::unique_ptr<postgres_connection> connection_;
  std::mutex line_mutex_;
  std::unique_ptr<cut_line> line_;
  std::atomic<bool> interrupted_{false};
  writer_claim claim_;      // of this process, once it has been the writer
  writer_claim attempted_;  // its last one; whether it was committed may be unknown
  position held_;
  std::set<month> months_made_;
  timestamp captures_swept_at_;
};

void postgres_sink::interrupt() noexcept {
  interrupted_.store(true);
  const std::lock_guard lock(line_mutex_);
  if (line_) line_->cut();
}

result<void> postgres_sink::connect() {
  disconnect();
  auto connected = connect_to_postgres(settings_.url);
  if (!connected) return tl::make_unexpected(std::move(connected.error()));
  connection_ = std::move(*connected);
  const std::lock_guard lock(line_mutex_);
  line_ = std::make_unique<cut_line>(connection_->sock());
  if (interrupted_.load()) line_->cut();
  return {};
}

void postgres_sink::disconnect() {
  connection_.reset();
  const std::lock_guard lock(line_mutex_);
  line_.reset();
}

// By the key of message_records. Of a month that was dropped nobody knows any more.
bool has_message(pqxx::transaction_base& transaction, const message_entry& what, position at) {
  const std::string created_at = to_rfc3339(what.record.created_at);
  const std::string partition = "message_records_" + created_at.substr(0, 4) + "_" + created_at.substr(5, 2);
  const auto row = transaction.exec_params1(
      "SELECT to_regclass($1) IS NULL OR EXISTS (SELECT FROM message_records WHERE guid = $2 AND created_at = $3::timestamptz"
      " AND position = $4)",
      partition, std::string(what.guid.view()), created_at, signed_of(at.number));
  return row[0].as<bool>();
}

// A capture leaves nothing behind that is given up or has expired.
bool has_capture(pqxx::transaction_base& transaction, const capture_entry& what, position at,
                 const clock_reading& now) {
  if (what.after == nullptr || !what.after->is_kept_at(now)) return true;
  const auto row =
      transaction.exec_params1("SELECT EXISTS (SELECT FROM captures WHERE idempotency_key = $1 AND position = $2)",
                               std::string(what.key.view()), signed_of(at.number));
  return row[0].as<bool>();
}

result<position> postgres_sink::claim(const claim_check& object) {
  if (auto connected = connect(); !connected) return tl::make_unexpected(connected.error());
  const auto claimed = guarded([&] { return become_writer(object); });
  if (!claimed) return tl::make_unexpected(claimed.error());
  return held_;
}

result<void> postgres_sink::become_writer(const claim_check& object) {
  pqxx::work transaction(*connection_);
  transaction.exec(transaction_setup);
  if (auto mismatch = schema_error(transaction)) return fail_with(error_code::wrong_format, *mismatch);
  const auto rows = transaction.exec("SELECT engine_id::text, position, epoch, " ORDEM_CLAIM_BEGAN_US
                                     " FROM engine_positions FOR UPDATE");
  writer_claim found;
  position held;
  if (!rows.empty()) {
    const auto log_id = rows[0][0].as<std::string>();
    if (log_id != settings_.log_id) {
      return fail_with(error_code::permanent,
                       "the database holds the log of another engine, " + log_id + ", this one is " + settings_.log_id);
    }
    held = {static_cast<std::uint64_t>(rows[0][1].as<std::int64_t>())};
    found = {rows[0][2].as<std::int64_t>(), rows[0][3].as<std::int64_t>()};
  }
  if (found == attempted_) claim_ = attempted_;
  // A claim from before this one is no successor: the database was put back to an earlier state.
  const bool is_later = found.epoch > claim_.epoch || found.began_us > claim_.began_us;
  if (claim_ != writer_claim{} && is_later) {
    return fail_with(error_code::permanent, "another engine has taken over this log: epoch " +
                                                std::to_string(found.epoch) + ", this one was epoch " +
                                                std::to_string(claim_.epoch));
  }
  const auto has = [&](const logged_entry& what) {
    const auto* executed = what.message();
    return executed != nullptr ? has_message(transaction, *executed, what.position)
                               : has_capture(transaction, *what.capture(), what.position, settings_.clock->read());
  };
  if (auto conflict = object(held, has)) return tl::make_unexpected(std::move(*conflict));
  writer_claim claim = claim_;
  if (rows.empty() || found != claim_) {
    claim = put_claim(transaction, std::max(found.epoch, claim_.epoch) + 1, rows.empty());
  }
  months_made_.clear();
  make_months(transaction, settings_.clock->now());
  attempted_ = claim;
  transaction.commit();
  claim_ = claim;
  held_ = held;
  return {};
}

writer_claim postgres_sink::put_claim(pqxx::work& transaction, std::int64_t epoch, bool is_first) {
  // By the clock itself, not now(): that may be older than the lock on the row.
  const auto row = transaction.exec_params1(
      is_first ? "INSERT INTO engine_positions VALUES ($1, $2, 0, clock_timestamp(), clock_timestamp())"
                 " RETURNING " ORDEM_CLAIM_BEGAN_US
               : "UPDATE engine_positions SET epoch = $2, claimed_at = clock_timestamp() WHERE engine_id = $1"
                 " RETURNING " ORDEM_CLAIM_BEGAN_US,
      settings_.log_id, epoch);
  return {epoch, row[0].as<std::int64_t>()};
}

result<void> postgres_sink::write(std::span<const logged_entry> entries) {
  return guarded([&] { return write_all(entries); });
}

result<void> postgres_sink::write_all(std::span<const logged_entry> entries) {
  if (connection_ == nullptr) return fail_with(error_code::unavailable, "the connection is lost");
  pqxx::work transaction(*connection_);
  transaction.exec(transaction_setup);
  const position last = entries.back().position;
  // First of all: it locks out every other engine until the transaction ends.
  const auto moved = transaction.exec_params(
      "UPDATE engine_positions SET position = $1, persisted_at = now() WHERE engine_id = $2 AND epoch = $3"
      " AND " ORDEM_CLAIM_BEGAN_US " = $4 AND position = $5",
      signed_of(last.number), settings_.log_id, claim_.epoch, claim_.began_us, signed_of(held_.number));
  if (moved.affected_rows() != 1) {
    return fail_with(
        error_code::unavailable,
        "Postgres does not hold what this engine left there: another engine has written, or it was put back");
  }
  make_months(transaction, entries);
  if (auto put = put_orders(transaction, entries); !put) return put;
  put_history(transaction, entries);
  put_captures(transaction, entries);
  drop_expired_captures(transaction);
  transaction.commit();
  held_ = last;
  return {};
}

// Orders are put as they are after the last of the entries: those that are new as new rows, the others as updates.
result<void> postgres_sink::put_orders(pqxx::work& transaction, std::span<const logged_entry> entries) {
  struct change {
    const logged_entry* last;
    bool created;
  };
  std::unordered_map<order_id, change> changes;
  for (const logged_entry& each : entries) {
    const order* after = order_after(each);
    if (after == nullptr) continue;
    const bool created = each.message()->record.outcome.verdict == verdict::order_created;
    const auto [at, is_first] = changes.try_emplace(after->id, change{&each, created});
    if (!is_first) at->second.last = &each;
  }
  // In the order of the log, so that new ids ascend.
  const auto for_each_that_is = [&](bool created, const auto& put) {
    for (const logged_entry& each : entries) {
      const order* after = order_after(each);
      if (after == nullptr) continue;
      const change& of_order = changes.at(after->id);
      if (of_order.last == &each && of_order.created == created) put(*after, each.position);
    }
  };
  const bool any_new =
      std::any_of(changes.begin(), changes.end(), [](const auto& each) { return each.second.created; });
  if (any_new) {
    row_stream rows(transaction, "orders", order_columns);
    for_each_that_is(true, [&](const order& what, position at) { rows.put_order(what, at); });
    rows.complete();
  }
  std::size_t changed = 0;
  std::size_t updated = 0;
  std::string rows;
  const auto update = [&] {
    if (rows.empty()) return;
    updated += transaction.exec_params(update_orders, rows + ']').affected_rows();
    rows.clear();
  };
  for_each_that_is(false, [&](const order& what, position at) {
    rows += rows.empty() ? '[' : ',';
    append_row_json(rows, what, at);
    ++changed;
    if (rows.size() >= update_bytes_max) update();
  });
  update();
  if (updated == changed) return {};
  return fail_with(error_code::damaged, "the table orders lacks " + std::to_string(changed - updated) +
                                            " orders that it should have; ordem verify names them");
}

void postgres_sink::put_history(pqxx::work& transaction, std::span<const logged_entry> entries) {
  {
    row_stream rows(transaction, "order_versions", order_columns);
    for (const logged_entry& each : entries) {
      if (const order* after = order_after(each)) rows.put_order(*after, each.position);
    }
    rows.complete();
  }
  row_stream rows(transaction, "message_records", message_columns);
  for (const logged_entry& each : entries) {
    if (const auto* executed = each.message()) rows.put_message(*executed, each.position, text_of(*executed));
  }
  rows.complete();
}

// What the version that the message made doesn't tell; see migrations/0003_messages.sql.
codec::message_json postgres_sink::text_of(const message_entry& what) const {
  if (!what.record.command) return {};
  codec::message_json text = codec::message_json_of(what.record, what.after);
  if (is_accepted(what.record.outcome.verdict)) text.response.clear();
  return text;
}

// Captures are put as they are after the last of the entries.
void postgres_sink::put_captures(pqxx::work& transaction, std::span<const logged_entry> entries) {
  std::unordered_map<std::string_view, const logged_entry*> last;
  for (const logged_entry& each : entries) {
    if (const auto* changed = each.capture()) last[changed->key.view()] = &each;
  }
  if (last.empty()) return;
  // Their rows go in any case: what stays of a key is written anew.
  std::string keys;
  for (const auto& [key, at] : last) {
    keys += keys.empty() ? "{\"" : ",\"";
    keys += key;
    keys += '"';
  }
  transaction.exec_params0("DELETE FROM captures WHERE idempotency_key = ANY ($1::text[])", keys + '}');
  row_stream rows(transaction, "captures", capture_columns);
  for (const auto& [key, at] : last) {
    if (const auto& changed = *at->capture(); changed.after) rows.put_capture(key, *changed.after, at->position);
  }
  rows.complete();
}

// Once in a while, and never many at once.
void postgres_sink::drop_expired_captures(pqxx::work& transaction) {
  const clock_reading now = settings_.clock->read();
  if (now.now() < captures_swept_at_ + sweep_interval) return;
  captures_swept_at_ = now.now();
  transaction.exec_params0(
      "DELETE FROM captures WHERE idempotency_key IN (SELECT idempotency_key FROM captures WHERE " +
          has_expired(now, "allocated_at") + " LIMIT $1)",
      swept_captures_max);
}

void postgres_sink::make_months(pqxx::work& transaction, std::span<const logged_entry> entries) {
  for (const logged_entry& each : entries) {
    if (const auto* executed = each.message()) make_months(transaction, executed->record.created_at);
    if (const order* after = order_after(each)) make_months(transaction, after->updated_at);
  }
}

void postgres_sink::make_months(pqxx::work& transaction, timestamp at) {
  month wanted = month_of(at);
  if (months_made_.contains(wanted)) return;
  for (int i = 0; i <= months_ahead; ++i, wanted += std::chrono::months(1)) {
    const std::chrono::sys_days first_day(wanted / 1);
    transaction.exec_params(
        "SELECT ordem_make_month('order_versions', $1::timestamptz), ordem_make_month('message_records', $1::timestamptz)",
        to_rfc3339(timestamp(first_day)));
  }
  // Only now, and for one month alone: the next one's turn makes one more ahead. An aborted transaction is followed by
  // a claim, which begins anew.
  months_made_.insert(month_of(at));
}

}  // namespace

std::unique_ptr<sink> make_postgres_sink(postgres_sink_settings settings) {
  return std::make_unique<postgres_sink>(std::move(settings));
}

}  // namespace ordem::storage
