// create_workload: creates orders; a share of its requests repeats earlier ones, GUID and all.
#pragma once

#include <array>
#include <string>

#include "bench/load/order_answer.hpp"
#include "bench/load/order_text.hpp"
#include "bench/load/random_source.hpp"
#include "bench/load/workload.hpp"

namespace ordem::bench {

class create_workload : public workload {
 public:
  /// A repeat is of one of the last this many creates; repeats begin once there are so many.
  static constexpr std::size_t repeatable_max = 64;

  /// `repeat_share` is 0..1. `text` and `noted` must outlive it.
  create_workload(order_text& text, random_source random, double repeat_share, findings& noted);

  [[nodiscard]] std::string_view next_request() override;
  [[nodiscard]] request_kind kind() const override { return repeated_ ? request_kind::repeat : request_kind::create; }
  [[nodiscard]] verdict judge(const answer& got) override;

  /// The order of the last create with a correct answer.
  [[nodiscard]] const known_order& last_created() const noexcept { return last_; }

 private:
  /// 128-bit hash of a text: keeping thousands of whole answers would evict the caches of the measured server.
  struct text_hash {
    std::uint64_t high = 0;
    std::uint64_t low = 0;
    friend bool operator==(const text_hash&, const text_hash&) = default;
  };
  struct executed {
    uuid guid;
    std::uint64_t turn = 0;
    unsigned status = 0;
    std::string etag;
    text_hash location;
    text_hash body;
  };

  static text_hash hash_of(std::string_view text) noexcept;
  verdict judge_create(const answer& got);
  static verdict judge_repeat(const answer& got, const executed& first);

  order_text& text_;
  random_source random_;
  double repeat_share_;
  findings& noted_;
  uuid guid_;
  std::uint64_t turn_ = 0;
  known_order last_;
  std::array<executed, repeatable_max> executed_;  // the last ones, in turn
  std::size_t executed_count_ = 0;                 // ever
  const executed* repeated_ = nullptr;             // what the last request repeats
};

}  // namespace ordem::bench
