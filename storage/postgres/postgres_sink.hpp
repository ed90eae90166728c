// The sink that writes the log to the tables of migrations/ in Postgres.
#pragma once

#include <memory>
#include <string>

#include "engine/model/ids.hpp"
#include "storage/log/sink.hpp"

namespace ordem::storage {

struct postgres_sink_settings {
  // A libpq connection URI or keyword/value string. May hold a password, so it is never logged.
  std::string url;
  // See store::log_id().
  std::string log_id;
  // Decides which captures have expired, and which months need partitions. Must outlive the sink.
  const time_source* clock = nullptr;
};

// Returns a sink that connects at its first claim(). It depends on no session state between transactions, so a pooler
// may run each transaction in another session.
std::unique_ptr<sink> make_postgres_sink(postgres_sink_settings settings);

}  // namespace ordem::storage
