// hot_order_workload: updates the one order that all connections update, against the version that this connection was
// told last. To be refused as out of date is right here; two updates of one version, or a version left out, is not.
#pragma once

#include <optional>

#include "bench/load/create_workload.hpp"
#include "bench/load/order_text.hpp"
#include "bench/load/random_source.hpp"
#include "bench/load/workload.hpp"

namespace ordem::bench {

/// The order of them all. Written by one connection before there are other threads, and only read from then on.
struct hot_order {
  std::optional<uuid> id;
};

class hot_order_workload : public workload {
 public:
  /// `shared` and `noted` must outlive it.
  hot_order_workload(std::string_view host, body_size size, random_source random, unsigned number, hot_order& shared,
                     findings& noted);

  /// The first of the connections makes the order. The others must not be asked before that.
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

/// How many of the versions from 2 to the last are missing in `answered`, or there more than once.
[[nodiscard]] std::uint64_t count_version_faults(std::vector<std::uint64_t> answered);

}  // namespace ordem::bench
