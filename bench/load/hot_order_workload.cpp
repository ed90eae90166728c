#include "bench/load/hot_order_workload.hpp"

#include <algorithm>

namespace ordem::bench {
namespace {

constexpr std::uint64_t turns_of_a_connection = 100'000;
constexpr std::uint64_t ranges = 100'000;  // of turns, which have ten digits

}  // namespace

hot_order_workload::hot_order_workload(std::string_view fields, body_size size, random_source random, unsigned number,
                                       hot_order& shared, findings& noted)
    : text_(fields, 0, size),
      random_(random),
      shared_(shared),
      noted_(noted),
      creation_(text_, random_source(random(), number), 0, noted),
      turn_(number % ranges * turns_of_a_connection) {}

std::string_view hot_order_workload::next_request() {
  is_creating_ = !shared_.id;
  if (is_creating_) return creation_.next_request();
  if (++turn_ % turns_of_a_connection == 0) turn_ -= turns_of_a_connection - 1;
  return text_.update(random_.next_uuid(), *shared_.id, version_, turn_);
}

verdict hot_order_workload::judge(const answer& got) {
  if (is_creating_) {
    const auto checked = creation_.judge(got);
    if (checked == verdict::right) shared_.id = creation_.last_created().id;
    return checked;
  }
  if (is_replay(got)) return verdict::wrong_header;
  if (got.status == 409) {
    const auto checked = judge_stale(got, version_);
    if (checked != verdict::stale) return checked;
    if (current_version_of(got) <= version_) return verdict::wrong_body;
    version_ = current_version_of(got);
    return verdict::stale;
  }
  const auto checked = check_order(
      got, {.status = 200, .message = "order updated", .id = *shared_.id, .version = version_ + 1, .turn = turn_},
      text_);
  if (checked != verdict::right) return checked;
  ++version_;
  noted_.hot_versions.push_back(version_);
  return verdict::right;
}

std::uint64_t count_version_faults(std::vector<std::uint64_t> answered) {
  std::ranges::sort(answered);
  std::uint64_t faults = 0;
  std::uint64_t last = 1;
  for (const auto version : answered) {
    faults += version > last ? version - last - 1 : 1;  // left out, or there before
    last = std::max(last, version);
  }
  return faults;
}

}  // namespace ordem::bench
