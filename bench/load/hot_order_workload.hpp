// hot_order_workload: updates the one order that all connections update, against the version that this connection
// received last. A rejection as out of date is correct; two updates of one version, or a missing version, are not.
#pragma once

#include <optional>

#include "bench/load/create_workload.hpp"
#include "bench/load/order_text.hpp"
#include "bench/load/random_source.hpp"
#include "bench/load/workload.hpp"

namespace ordem::bench {

/// The order of all connections. Written by one connection before other threads start, and only read afterwards.
struct hot_order {
  std::optional<uuid> id;
};

class hot_order_workload : public workload {
 public:
  /// `shared` and `noted` must outlive it.
  hot_order_workload(std::string_view fields, body_size size, random_source random, unsigned number, hot_order& shared,
                     findings& noted);

  /// The first connection creates the order. REQUIRES: it has done so before this is called for the others.
  [[nodiscard]] bool is_prepared() const override { return shared_.id.has_value(); }
  [[nodiscard]] std::string_view next_request() override;
  [[nodiscard]] request_kind kind() const override { return request_kind::update; }
  [[nodiscard]] verdict judge(const answer& got) override;

 private:
  order_text text_;  // of the same customer in all of them
  random_source random_;
  hot_order& shared_;
  findings& noted_;
  create_workload creation_;
  bool is_creating_ = false;
  std::uint64_t version_ = 1;  // the newest that this connection knows of
  std::uint64_t turn_;         // each connection has its own range
};

/// Returns how many of the versions from 2 to the last are missing in `answered` or occur more than once.
[[nodiscard]] std::uint64_t count_version_faults(std::vector<std::uint64_t> answered);

}  // namespace ordem::bench
