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
#include "engine/model/tenant_key.hpp"
#include "storage/postgres/guarded.hpp"
#include "storage/postgres/postgres_connection.hpp"
#include "storage/postgres/postgres_expiry.hpp"
#include "storage/postgres/schema_check.hpp"

namespace ordem::storage {
namespace {

// Partitions are made for the present month and this many after it, before a row needs them.
constexpr int months_ahead = 2;

const std::vector<std::string> order_columns = {"order_id", "version", "status",     "customer_id", "currency",
                                                "items",    "total",   "attributes", "created_at",  "updated_at",
                                                "position", "tenant",  "actor",      "external_id", "merged_from"};
const std::vector<std::string> message_columns = {
    "guid",        "fingerprint", "verdict",  "order_id",   "version",    "status",   "wanted_status", "made_against",
    "by_if_match", "request",     "response", "created_at", "expires_at", "position", "tenant",        "actor"};

const std::vector<std::string> capture_columns = {
    "idempotency_key",  "state",    "allocated_at", "lease_ends_at", "expires_at", "response_status", "response_body",
    "response_headers", "position", "tenant",       "actor"};

// How often expired captures are deleted, and how many at a time.
constexpr milliseconds sweep_interval = std::chrono::seconds(1);
constexpr int swept_captures_max = 20'000;

// Settings of each transaction: statements and idle transactions time out, the update of orders uses their index
// whatever number of rows the planner expects, and a policy that hides rows from this role is an error. LOCAL, because
// a pooler may run the next transaction in another session.
constexpr const char* writing_setup =
    "SET LOCAL statement_timeout = '60s'; SET LOCAL lock_timeout = '30s';"
    "SET LOCAL idle_in_transaction_session_timeout = '60s';"
    "SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off; SET LOCAL row_security = off;"
    "SET LOCAL TimeZone = 'UTC'";

// Its parameter is a JSON array of the changed orders. Their tenants never change.
constexpr const char* update_orders =
    "UPDATE orders SET (version, status, customer_id, currency, items, total, attributes, created_at, updated_at,"
    " position, actor, external_id, merged_from) = (c.version, c.status, c.customer_id, c.currency, c.items, c.total, c.attributes, c.created_at,"
    " c.updated_at, c.position, c.actor, c.external_id, c.merged_from) FROM json_populate_recordset(NULL::orders, $1::json) c"
    " WHERE orders.order_id = c.order_id";

// A statement is executed once its JSON has this size.
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

// Returns the order version that the entry made, or null.
const order* order_after(const logged_entry& what) {
  const auto* message = what.message();
  return message != nullptr ? message->after.get() : nullptr;
}

const char* or_null(const std::string& text) {
  return text.empty() ? nullptr : text.c_str();
}

// Appends an order in the form that json_populate_recordset takes for a row of `orders`.
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
  text("actor", what.origin.actor);
  if (what.content.external_id) text("external_id", *what.content.external_id);
  if (what.merged_from) number("merged_from", signed_of(what.merged_from->number));
  out += '}';
}

// One COPY into a table.
class row_stream {
 public:
  row_stream(pqxx::work& transaction, const std::string& table, const std::vector<std::string>& columns)
      : stream_(transaction, table, columns) {}

  void put_order(const order& what, position at) {
    std::string items;
    codec::append_items(items, what.content.items);
    std::string attributes;
    if (what.content.attributes) append_json(attributes, *what.content.attributes);
    const std::string merged_from = what.merged_from ? std::to_string(what.merged_from->number) : "";
    stream_ << std::make_tuple(
        what.id.to_string(), signed_of(what.version.number), std::string(to_string(what.status)),
        what.content.customer_id, std::string(what.content.currency.data(), what.content.currency.size()), items,
        what.total.minor_units(), or_null(attributes), to_rfc3339(what.created_at), to_rfc3339(what.updated_at),
        signed_of(at.number), what.origin.tenant, what.origin.actor,
        what.content.external_id ? what.content.external_id->c_str() : nullptr, or_null(merged_from));
  }

  void put_message(const message_entry& what, position at, const codec::message_json& text) {
    const message_record& record = what.record;
    const outcome& result = record.outcome;
    const auto& expected = result.expected_version;
    const std::string requested_status(result.requested_status ? to_string(*result.requested_status) : "");
    const std::string expected_version = expected ? std::to_string(expected->version.number) : "";
    stream_ << std::make_tuple(std::string(what.guid.view()), bytea_of(record.fingerprint),
                               std::string(to_string(result.verdict)), result.order.to_string(),
                               signed_of(result.version.number), std::string(to_string(result.status)),
                               or_null(requested_status), or_null(expected_version),
                               std::string(expected && expected->by_if_match ? "t" : "f"), or_null(text.request),
                               or_null(text.response), to_rfc3339(record.created_at), to_rfc3339(record.expires_at),
                               signed_of(at.number), record.origin.tenant, record.origin.actor);
  }

  void put_capture(const capture_key& key, const capture& what, position at) {
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
    stream_ << std::make_tuple(std::string(key.view()), std::string(what.response ? "completed" : "allocated"),
                               to_rfc3339(what.allocated_at), or_null(lease_ends_at), or_null(expires_at),
                               or_null(status), or_null(body), or_null(headers), signed_of(at.number),
                               what.origin.tenant, what.origin.actor);
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

// Lets another thread shut down the socket of a connection. Has a duplicate of the descriptor, so that the number is
// not reused while the other thread may use it. Thread-safe.
class socket_handle {
 public:
  explicit socket_handle(int socket) : socket_(::dup(socket)) {}
  ~socket_handle() {
    if (socket_ >= 0) ::close(socket_);
  }
  socket_handle(const socket_handle&) = delete;
  socket_handle& operator=(const socket_handle&) = delete;

  void shut_down() const noexcept { ::shutdown(socket_, SHUT_RDWR); }

 private:
  int socket_;
};

// The writer according to engine_positions. A database that was restored to an earlier state may assign an epoch twice,
// but two claims never begin at the same time.
struct writer_claim {
  std::int64_t epoch = 0;
  std::int64_t began_us = 0;  // microseconds since 1970, by the clock of Postgres

  friend bool operator==(const writer_claim&, const writer_claim&) = default;
};

#define ORDEM_CLAIM_BEGAN_US "(extract(epoch FROM claimed_at) * 1000000)::bigint"

class postgres_sink final : public sink {
 public:
  explicit postgres_sink(postgres_sink_settings settings) : settings_(std::move(settings)) {}

  result<position> claim(const claim_check& check) override;
  result<void> write(std::span<const logged_entry> entries) override;
  void interrupt() noexcept override;

 private:
  result<void> connect();
  void disconnect();
  result<void> become_writer(const claim_check& check);
  writer_claim put_claim(pqxx::work& transaction, std::int64_t epoch, bool is_first);
  result<void> write_all(std::span<const logged_entry> entries);
  result<void> put_orders(pqxx::work& transaction, std::span<const logged_entry> entries);
  codec::message_json json_of(const message_entry& what) const;
  void put_history(pqxx::work& transaction, std::span<const logged_entry> entries);
  void put_captures(pqxx::work& transaction, std::span<const logged_entry> entries);
  void drop_expired_captures(pqxx::work& transaction);
  void make_months(pqxx::work& transaction, std::span<const logged_entry> entries);
  void make_months(pqxx::work& transaction, timestamp at);

  // Runs a step that uses the connection. Closes the connection after an error or an exception of libpqxx.
  template <class Step>
  result<void> guarded(Step step) {
    const auto failed = [this](const std::exception& error) -> result<void> {
      // After a lost connection libpqxx only says what it failed to do next.
      const bool is_lost = connection_ != nullptr && !connection_->is_open();
      return fail_with(error_code::unavailable,
                       is_lost ? "the connection to Postgres was lost" : postgres_error_text(error));
    };
    auto done = run_guarded(step, failed);
    if (!done) disconnect();
    return done;
  }

  const postgres_sink_settings settings_;
  std::unique_ptr<postgres_connection> connection_;
  std::mutex socket_mutex_;
  std::unique_ptr<socket_handle> socket_;
  std::atomic<bool> interrupted_{false};
  writer_claim claim_;      // the last committed one of this process, if any
  writer_claim attempted_;  // the last one, which may not be committed
  position held_;
  std::set<month> months_made_;
  timestamp captures_swept_at_;
};

void postgres_sink::interrupt() noexcept {
  interrupted_.store(true);
  const std::lock_guard lock(socket_mutex_);
  if (socket_) socket_->shut_down();
}

result<void> postgres_sink::connect() {
  disconnect();
  auto connected = connect_to_postgres(settings_.url);
  if (!connected) return tl::make_unexpected(std::move(connected.error()));
  connection_ = std::move(*connected);
  const std::lock_guard lock(socket_mutex_);
  socket_ = std::make_unique<socket_handle>(connection_->sock());
  if (interrupted_.load()) socket_->shut_down();
  return {};
}

void postgres_sink::disconnect() {
  connection_.reset();
  const std::lock_guard lock(socket_mutex_);
  socket_.reset();
}

// Looks the message up by the key of message_records. Returns true if the partition of its month was dropped.
bool has_message(pqxx::transaction_base& transaction, const message_entry& what, position at) {
  const std::string created_at = to_rfc3339(what.record.created_at);
  const std::string partition = "message_records_" + created_at.substr(0, 4) + "_" + created_at.substr(5, 2);
  const auto row = transaction.exec_params1(
      "SELECT to_regclass($1) IS NULL OR EXISTS (SELECT FROM message_records WHERE tenant = $2 AND guid = $3"
      " AND created_at = $4::timestamptz AND position = $5)",
      partition, what.tenant(), std::string(what.guid.view()), created_at, signed_of(at.number));
  return row[0].as<bool>();
}

// Returns true for a capture that was given up or has expired, because it has no row.
bool has_capture(pqxx::transaction_base& transaction, const capture_entry& what, position at,
                 const clock_reading& now) {
  if (what.after == nullptr || !what.after->is_kept_at(now)) return true;
  const auto row = transaction.exec_params1(
      "SELECT EXISTS (SELECT FROM captures WHERE tenant = $1 AND idempotency_key = $2"
      " AND position = $3)",
      what.tenant(), std::string(what.key.view()), signed_of(at.number));
  return row[0].as<bool>();
}

result<position> postgres_sink::claim(const claim_check& check) {
  if (auto connected = connect(); !connected) return tl::make_unexpected(connected.error());
  const auto claimed = guarded([&] { return become_writer(check); });
  if (!claimed) return tl::make_unexpected(claimed.error());
  return held_;
}

result<void> postgres_sink::become_writer(const claim_check& check) {
  pqxx::work transaction(*connection_);
  transaction.exec(writing_setup);
  if (auto mismatch = schema_error(transaction)) return fail_with(error_code::wrong_format, *mismatch);
  const auto rows = transaction.exec("SELECT engine_id::text, position, epoch, " ORDEM_CLAIM_BEGAN_US
                                     " FROM engine_positions FOR UPDATE");
  writer_claim found;
  position held;
  if (!rows.empty()) {
    const auto log_id = rows[0][0].as<std::string>();
    if (log_id != settings_.log_id) {
      return fail_with(error_code::permanent, "the database holds the log of another engine, " + log_id +
                                                  "; the log of this one is " + settings_.log_id);
    }
    held = {static_cast<std::uint64_t>(rows[0][1].as<std::int64_t>())};
    found = {rows[0][2].as<std::int64_t>(), rows[0][3].as<std::int64_t>()};
  }
  if (found == attempted_) claim_ = attempted_;
  // An earlier claim means that the database was restored to an earlier state, not that another engine took over.
  const bool is_later = found.epoch > claim_.epoch || found.began_us > claim_.began_us;
  if (claim_ != writer_claim{} && is_later) {
    return fail_with(error_code::permanent, "another engine has taken over this log: epoch " +
                                                std::to_string(found.epoch) + ", this one was epoch " +
                                                std::to_string(claim_.epoch));
  }
  const auto has = [&](const logged_entry& what) {
    const auto* message = what.message();
    return message != nullptr ? has_message(transaction, *message, what.position)
                              : has_capture(transaction, *what.capture(), what.position, settings_.clock->read());
  };
  if (auto conflict = check(held, has)) return tl::make_unexpected(std::move(*conflict));
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
  // clock_timestamp(), because now() may be before the lock on the row was taken.
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
  transaction.exec(writing_setup);
  const position last = entries.back().position;
  // First, because it locks out every other engine until the transaction ends.
  const auto moved = transaction.exec_params(
      "UPDATE engine_positions SET position = $1, persisted_at = now() WHERE engine_id = $2 AND epoch = $3"
      " AND " ORDEM_CLAIM_BEGAN_US " = $4 AND position = $5",
      signed_of(last.number), settings_.log_id, claim_.epoch, claim_.began_us, signed_of(held_.number));
  if (moved.affected_rows() != 1) {
    return fail_with(
        error_code::unavailable,
        "Postgres does not hold what this engine wrote last: another engine has written, or it was restored to an earlier state");
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

// Writes each order as of the last of the entries: new orders as new rows, the others as updates.
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
  const auto for_each_changed = [&](bool created, const auto& put) {
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
    for_each_changed(true, [&](const order& what, position at) { rows.put_order(what, at); });
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
  for_each_changed(false, [&](const order& what, position at) {
    rows += rows.empty() ? '[' : ',';
    append_row_json(rows, what, at);
    ++changed;
    if (rows.size() >= update_bytes_max) update();
  });
  update();
  if (updated == changed) return {};
  return fail_with(error_code::damaged, "the table orders lacks " + std::to_string(changed - updated) +
                                            " orders that it should have; ordem verify lists them");
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
    if (const auto* message = each.message()) rows.put_message(*message, each.position, json_of(*message));
  }
  rows.complete();
}

// Returns the JSON that does not follow from the version that the message made; see migrations/0003_messages.sql.
codec::message_json postgres_sink::json_of(const message_entry& what) const {
  if (!what.record.command) return {};
  codec::message_json text = codec::message_json_of(what.record, what.after);
  if (is_accepted(what.record.outcome.verdict)) text.response.clear();
  return text;
}

// Writes each capture as of the last of the entries.
void postgres_sink::put_captures(pqxx::work& transaction, std::span<const logged_entry> entries) {
  tenant_map<capture_key, const logged_entry*> last;
  for (const logged_entry& each : entries) {
    if (const auto* changed = each.capture()) last[tenant_capture_key{changed->tenant(), changed->key}] = &each;
  }
  if (last.empty()) return;
  // The row of each key is deleted, and inserted again if the capture still exists.
  std::string keys;
  for (const auto& [key, at] : last) {
    keys += keys.empty() ? "[[" : ",[";
    append_json_string(keys, key.tenant);
    keys += ',';
    append_json_string(keys, key.name.view());
    keys += ']';
  }
  transaction.exec_params0(
      "DELETE FROM captures WHERE (tenant, idempotency_key) IN"
      " (SELECT pair->>0, pair->>1 FROM json_array_elements($1::json) pair)",
      keys + ']');
  row_stream rows(transaction, "captures", capture_columns);
  for (const auto& [key, at] : last) {
    if (const auto& changed = *at->capture(); changed.after) rows.put_capture(key.name, *changed.after, at->position);
  }
  rows.complete();
}

// Does nothing within sweep_interval after the last time.
void postgres_sink::drop_expired_captures(pqxx::work& transaction) {
  const clock_reading now = settings_.clock->read();
  if (now.now() < captures_swept_at_ + sweep_interval) return;
  captures_swept_at_ = now.now();
  transaction.exec_params0(
      "DELETE FROM captures WHERE (tenant, idempotency_key) IN (SELECT tenant, idempotency_key FROM captures WHERE " +
          has_expired(now, "allocated_at") + " LIMIT $1)",
      swept_captures_max);
}

void postgres_sink::make_months(pqxx::work& transaction, std::span<const logged_entry> entries) {
  for (const logged_entry& each : entries) {
    if (const auto* message = each.message()) make_months(transaction, message->record.created_at);
    if (const order* after = order_after(each)) make_months(transaction, after->updated_at);
  }
}

void postgres_sink::make_months(pqxx::work& transaction, timestamp at) {
  month next = month_of(at);
  if (months_made_.contains(next)) return;
  for (int i = 0; i <= months_ahead; ++i, next += std::chrono::months(1)) {
    const std::chrono::sys_days first_day(next / 1);
    transaction.exec_params(
        "SELECT ordem_make_month('order_versions', $1::timestamptz), ordem_make_month('message_records', $1::timestamptz)",
        to_rfc3339(timestamp(first_day)));
  }
  // Only the month of `at`: the first row of the next month makes one more partition ahead. If this transaction is
  // aborted, the next claim clears the set.
  months_made_.insert(month_of(at));
}

}  // namespace

std::unique_ptr<sink> make_postgres_sink(postgres_sink_settings settings) {
  return std::make_unique<postgres_sink>(std::move(settings));
}

}  // namespace ordem::storage
