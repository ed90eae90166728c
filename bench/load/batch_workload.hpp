// batch_workload: creates orders in batches, or updates the orders that it created so, and checks every byte of every
// line of an answer.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bench/load/order_answer.hpp"
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
  /// `fields` are the header fields of every request. `noted` must outlive it. If `orders_updated` is 0, the load is
  /// creates; else it is updates of at least so many orders, which are created first, in batches as well. A batch
  /// updates no order twice. Throws std::invalid_argument if a batch can't have that size.
  batch_workload(std::string_view fields, const order_text& text, std::size_t lines, std::size_t orders_updated,
                 random_source random, findings& noted);

  [[nodiscard]] bool is_prepared() const override { return orders_.size() >= orders_updated_; }
  [[nodiscard]] std::string_view next_request() override;
  [[nodiscard]] request_kind kind() const override {
    return is_updating_ ? request_kind::batch_update : request_kind::batch;
  }
  [[nodiscard]] std::size_t orders() const override { return guids_.size(); }
  [[nodiscard]] verdict judge(const answer& got) override;

 private:
  // A request of many lines, which differ only in what has a fixed width.
  struct batch_text {
    std::string request;
    std::size_t first_line = 0;  // offsets: of the first line in the request, of what changes in each
    std::size_t line_bytes = 0;
    std::size_t guid = 0;
    std::size_t order = 0;    // of updates
    std::size_t version = 0;  // of updates
    std::size_t turn = 0;
  };

  static batch_text make_text(std::string_view fields, std::string_view path, std::string_view line, std::size_t lines);
  void draw_orders();
  verdict judge_line(std::string_view line, std::size_t number);

  random_source random_;
  findings& noted_;
  std::size_t orders_updated_;
  bool is_updating_ = false;
  batch_text create_;
  batch_text update_;
  std::vector<uuid> guids_;  // of the last batch
  std::uint64_t turn_ = 0;   // of its first line
  uuid last_id_;
  // If orders are updated: those that there are, at their last versions. The first ones are those of the last batch.
  std::vector<known_order> orders_;
  // What a right verdict has before each of: its GUID, status, expires_at, order_id, version, turn, created_at,
  // updated_at; and its end.
  std::array<std::string, 9> around_;
};

}  // namespace ordem::bench
