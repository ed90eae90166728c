// workload: the requests of one connection, and the check of their answers.
//
// Owned by one connection and used on its thread only: next_request(), then judge() with the answer to it, and so on.
// It knows the wire format and nothing of sockets. What a run has to check over all its connections goes into findings.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "bench/load/response_reader.hpp"
#include "bench/load/uuid.hpp"

namespace ordem::bench {

enum class verdict {
  right,
  stale,  // right, too: the write was refused as out of date, as it had to be or could be
  wrong_status,
  wrong_header,
  wrong_body,
};

/// What a request was for. Counted and timed apart.
enum class request_kind : std::size_t {
  create,
  repeat,  // of an earlier create, with its GUID
  update,
  stale_update,  // made against an old version on purpose
  get,
  allocate,      // a capture: PUT
  record,        // its POST
  read_capture,  // its PUT after that
  batch,         // of creates
  batch_update,  // a batch of updates
  constant,
};
inline constexpr std::size_t request_kinds = 11;
inline constexpr std::array<std::string_view, request_kinds> request_kind_names{
    "create", "repeat",       "update", "stale_update", "get",     "allocate",
    "record", "read_capture", "batch",  "batch_update", "constant"};

/// The records of the workloads of one thread, which are checked together after the run.
struct findings {
  std::vector<uuid> created;                // order ids that came with creates, without repeats
  std::vector<std::uint64_t> hot_versions;  // versions of the one hot order that were answered to updates
};

class workload {
 public:
  workload() = default;
  workload(const workload&) = delete;
  workload& operator=(const workload&) = delete;
  virtual ~workload() = default;

  /// Whether the next request belongs to the load. Until then requests make what the load needs, such as orders to
  /// read.
  [[nodiscard]] virtual bool is_prepared() const { return true; }

  /// The next request, good until the next call.
  [[nodiscard]] virtual std::string_view next_request() = 0;

  /// What the last request was for.
  [[nodiscard]] virtual request_kind kind() const = 0;

  /// How many orders or captures the last request was about: one, but for a batch.
  [[nodiscard]] virtual std::size_t orders() const { return 1; }

  /// Checks the answer to the last request.
  [[nodiscard]] virtual verdict judge(const answer& got) = 0;
};

}  // namespace ordem::bench
