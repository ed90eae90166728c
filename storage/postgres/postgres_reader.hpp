// Reads the data that the Postgres sink has written, as of one moment. Used by `ordem restore` and `ordem verify`.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "engine/model/capture.hpp"
#include "engine/model/message.hpp"
#include "engine/model/order.hpp"
#include "engine/model/outcome.hpp"
#include "storage/log/error.hpp"
#include "storage/postgres/postgres.hpp"

namespace ordem::storage {

// Of the tenant of its origin, as a persisted_capture.
struct persisted_message {
  ordem::guid guid;
  message_record record;
};

struct persisted_capture {
  capture_key key;
  ordem::capture capture;
};

struct persisted_counts {
  std::uint64_t orders = 0;
  std::uint64_t versions = 0;
  std::uint64_t messages = 0;
  std::uint64_t captures = 0;
};

// Has one connection and one transaction. Each next_ function returns the next rows of its table, and an empty page at
// the end; they may be called in any order. One thread at a time.
class postgres_reader {
 public:
  virtual ~postgres_reader() = default;

  // The id of the log, and the last position that Postgres holds.
  virtual const std::string& log_id() const noexcept = 0;
  virtual position last() const noexcept = 0;
  // Sets the reading of the clock by which messages and captures have expired. Called once, before count() and the
  // next_ functions.
  virtual result<void> keep_by(const clock_reading& now) = 0;
  // Returns how many rows the next_ functions return in total.
  virtual result<persisted_counts> count() = 0;

  // In ascending order of ids.
  virtual result<std::vector<order>> next_orders() = 0;
  // All versions, also the current ones, in ascending order of ids and versions.
  virtual result<std::vector<order>> next_versions() = 0;
  // Those that have not expired, in the order of view::scan_messages().
  virtual result<std::vector<persisted_message>> next_messages() = 0;
  // Those that are kept, in the order of view::scan_captures().
  virtual result<std::vector<persisted_capture>> next_captures() = 0;

  // Whether the partition for rows of that time exists. If not, it may have been dropped with its rows.
  virtual bool has_versions_of(timestamp updated_at) const = 0;
  virtual bool has_messages_of(timestamp created_at) const = 0;
};

// Connects and begins the transaction.
result<std::unique_ptr<postgres_reader>> read_postgres(const std::string& url);

}  // namespace ordem::storage
