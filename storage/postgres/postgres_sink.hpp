// The sink that Postgres is: the tables of migrations/, filled from the log.
#pragma once

#include <memory>
#include <string>

#include "engine/model/ids.hpp"
#include "storage/log/sink.hpp"

namespace ordem::storage {

struct postgres_sink_settings {
  // A libpq connection URI or keyword/value string. Holds a password perhaps: never to be shown.
  std::string url;
  // Names the log; see store::log_id().
  std::string log_id;
  // For what has expired, and the partitions of the present and the coming months, which the sink makes by itself. Must
  // outlive it.
  const time_source* clock = nullptr;
};

// Connects at the first claim(). Leaves nothing behind in its session, so that a pooler may change it between
// transactions.
std::unique_ptr<sink> make_postgres_sink(postgres_sink_settings settings);

}  // namespace ordem::storage
