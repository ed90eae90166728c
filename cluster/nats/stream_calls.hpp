// Single calls to the log's stream, each of which blocks for its answer: for commands. A node appends by links
// (log_link.hpp) and reads by a stream_reader. Any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "cluster/nats/log_answer.hpp"
#include "cluster/nats/nats_connection.hpp"

namespace ordem::cluster {

// Appends a record if the stream's last sequence is `expected_last`, which may be 0. The error is a sentence; whether
// the record was stored is unknown then.
tl::expected<log_answer, std::string> append_record(nats_connection& connection, const std::string& log_subject,
                                                    std::uint64_t expected_last, std::string_view record,
                                                    std::chrono::milliseconds timeout);

// Reads the record with that sequence from the stream's leader.
tl::expected<log_answer, std::string> read_record(nats_connection& connection, const std::string& stream,
                                                  std::uint64_t sequence, std::chrono::milliseconds timeout);

}  // namespace ordem::cluster
