// capture_workload: takes one key after the other through a capture: allocates it (PUT), records a response (POST), and
// sends the PUT again, which must return the record.
#pragma once

#include <cstdint>
#include <string>

#include "bench/load/random_source.hpp"
#include "bench/load/workload.hpp"

namespace ordem::bench {

class capture_workload : public workload {
 public:
  /// `record_bytes` is the size to which the POST's body is padded; 0: no padding. Throws
  /// std::invalid_argument if that is too few.
  capture_workload(std::string_view fields, random_source random, std::size_t record_bytes);

  [[nodiscard]] std::string_view next_request() override;
  [[nodiscard]] request_kind kind() const override;
  [[nodiscard]] verdict judge(const answer& got) override;

 private:
  enum class step { allocate, record, read };

  random_source random_;
  step step_ = step::read;  // of the last request
  bool has_gone_wrong_ = true;
  std::string put_;
  std::size_t put_key_ = 0;  // offset
  std::string post_;
  std::size_t post_key_ = 0;
  std::size_t post_turn_ = 0;
  std::string response_body_;  // as recorded
};

}  // namespace ordem::bench
