#include "http-edge/server/request_counts.hpp"

#include <algorithm>

namespace ordem::http_edge {
namespace {

namespace http = boost::beast::http;

std::size_t index_of(http::verb method) noexcept {
  switch (method) {
    case http::verb::get: return 0;
    case http::verb::head: return 1;
    case http::verb::post: return 2;
    case http::verb::put: return 3;
    case http::verb::patch: return 4;
    case http::verb::delete_: return 5;
    default: return request_counts::methods.size() - 1;
  }
}

std::size_t index_of(unsigned status) noexcept {
  constexpr auto& all = request_counts::statuses;
  const auto* const found = std::find(all.begin(), all.end(), status);
  return found == all.end() ? 0 : static_cast<std::size_t>(found - all.begin());
}

// REQUIRES: no other thread writes the counter.
void add_one(std::atomic<std::uint64_t>& to) noexcept {
  to.store(to.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

}  // namespace

void request_counts::add(const answered_request& what) noexcept {
  of_route& route = routes_[static_cast<std::size_t>(what.to)];
  add_one(route.requests[index_of(what.method)][index_of(what.status)]);
  route.durations.add(what.took);
  if (what.problem) add_one(problems_[static_cast<std::size_t>(*what.problem)]);
}

}  // namespace ordem::http_edge
