// batch_workload: creates orders in batches, and checks every byte of every line of an answer.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bench/load/order_text.hpp"
#include "bench/load/random_source.hpp"
#include "bench/load/workload.hpp"

namespace ordem::bench {

/// Maximum number of lines of a batch.
inline constexpr std::size_t batch_lines_max = 10'000;
/// Maximum size of a batch in bytes. It is written as a whole before its answer is read: the server holds 16 MiB of
/// answers.
inline constexpr std::size_t batch_bytes_max = std::size_t{8} << 20;

class batch_workload : public workload {
 public:
  /// `host` is the Host header's value. `noted` must outlive it. Throws std::invalid_argument if a batch can't have
  /// that size.
  batch_workload(std::string_view host, const order_text& text, std::size_t lines, random_source random,
                 findings& noted);

  [[nodiscard]] std::string_view next_request() override;
  [[nodiscard]] request_kind kind() const override { return request_kind::batch; }
  [[nodiscard]] std::size_t orders() const override { return guids_.size(); }
  [[nodiscard]] verdict judge(const answer& got) override;

 private:
  verdict judge_line(std::string_view line, std::size_t number);

  random_source random_;
  findings& noted_;
  std::string request_;
  std::size_t first_line_ = 0;  // offsets: of the first line in the request, of what changes in each
  std::size_t line_bytes_ = 0;
  std::size_t turn_offset_ = 0;
  std::vector<uuid> guids_;  // of the last batch
  std::uint64_t turn_ = 0;   // of its first line
  uuid last_id_;
  // What a right verdict has before each of: its GUID, expires_at, order_id, turn, created_at, updated_at; and its end.
  std::array<std::string, 7> around_;
};

}  // namespace ordem::bench
