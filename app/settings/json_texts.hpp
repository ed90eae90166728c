// What Postgres keeps as JSON is written and read by the same code as the bodies of HTTP.
#pragma once

#include "engine/model/outcome.hpp"
#include "storage/postgres/postgres_reader.hpp"
#include "storage/postgres/postgres_sink.hpp"

namespace ordem::app {

storage::message_text write_message_text(const message_record& record, const shared_order& after);

// Read what write_message_text() and orders have become in a column of type jsonb. One thread at a time.
storage::json_readers make_json_readers();

}  // namespace ordem::app
