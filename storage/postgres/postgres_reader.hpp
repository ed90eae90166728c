// Reads back what the Postgres sink has written: everything as it was at one moment.
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

// One connection, one moment. One thread at a time. keep_by() comes before count() and the next_ functions. Each next_
// function gives the next rows of its table, and an empty page at the end; they may be called in any order.
class postgres_reader {
 public:
  virtual ~postgres_reader() = default;

  // Whose log it is, and up to which position it is here.
  virtual const std::string& log_id() const noexcept = 0;
  virtual position last() const noexcept = 0;
  // By which reading of the clock messages and captures have expired. Called once.
  virtual result<void> keep_by(const clock_reading& now) = 0;
  // How many rows the next_ functions give in all.
  virtual result<persisted_counts> count() = 0;

  // In ascending order of ids.
  virtual result<std::vector<order>> next_orders() = 0;
  // Present versions and older ones, in ascending order of ids and versions.
  virtual result<std::vector<order>> next_versions() = 0;
  // Those that have not expired, in byte order of their GUIDs.
  virtual result<std::vector<persisted_message>> next_messages() = 0;

  // Those that are kept, in byte order of their keys.
  virtual result<std::vector<persisted_capture>> next_captures() = 0;

  // Whether the partition that a row of that time stands in is there, or was dropped with all its rows.
  virtual bool has_versions_of(timestamp updated_at) const = 0;
  virtual bool has_messages_of(timestamp created_at) const = 0;
};

result<std::unique_ptr<postgres_reader>> read_postgres(const std::string& url);

}  // namespace ordem::storage
