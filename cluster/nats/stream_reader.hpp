// Reads the log's stream in order, from a sequence on, and goes on with what is appended: first by batches of direct
// gets, which any replica answers; once it has all, by the copy that NATS publishes of each record as it is stored.
// What is missing there is read by direct gets again.
//
// It has a thread of its own. One thread takes what it has read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cluster/nats/nats_connection.hpp"

namespace ordem::cluster {

struct stream_record {
  std::uint64_t sequence = 0;
  std::string bytes;
};

struct stream_reader_settings {
  std::string stream;
  std::string tail_subject;
  std::uint64_t from = 1;  // the first sequence to read
  // Reading pauses while this many bytes have been read and not been taken, so it holds at most that, one batch of
  // direct gets (read_batch_bytes) and as much of the published copies.
  std::size_t untaken_bytes_max = std::size_t{8} << 20;
  // Called when there is something to take, or when is_current() changes, on the reader's thread; must not block.
  std::function<void()> on_ready;
};

// What one request of direct gets returns at most, and what waits of published copies; beyond it, these are dropped,
// and read by direct gets.
inline constexpr std::size_t read_batch_bytes = std::size_t{4} << 20;

class stream_reader {
 public:
  // REQUIRES: `connection` outlives the reader.
  stream_reader(nats_connection& connection, stream_reader_settings settings);
  // Stops reading; what was not taken is dropped. Blocks for a second at most.
  ~stream_reader();
  stream_reader(const stream_reader&) = delete;
  stream_reader& operator=(const stream_reader&) = delete;

  // Moves all that has been read into `records`, in ascending order of sequences, each once; discards the previous
  // content of `records`. A sequence is left out only if the stream does not have it any more (it was trimmed): a
  // record that a replica does not have yet is waited for. One thread at a time.
  void take(std::vector<stream_record>& records);

  // Records below this sequence need not be read any more, since the caller has them. Thread-safe.
  void skip_to(std::uint64_t sequence);

  // Returns whether the reader has read all that the replica which it asked last had. More may be in the stream: only
  // an append that expects the last sequence tells. Thread-safe.
  bool is_current() const noexcept;

 private:
  class impl;
  std::unique_ptr<impl> impl_;
};

}  // namespace ordem::cluster
