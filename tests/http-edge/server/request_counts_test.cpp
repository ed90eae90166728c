#include "http-edge/server/request_counts.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <memory>

namespace ordem::http_edge {
namespace {

using boost::beast::http::verb;

std::size_t index_of(std::string_view method) {
  const auto& all = request_counts::methods;
  return static_cast<std::size_t>(std::find(all.begin(), all.end(), method) - all.begin());
}

std::size_t index_of(unsigned status) {
  const auto& all = request_counts::statuses;
  return static_cast<std::size_t>(std::find(all.begin(), all.end(), status) - all.begin());
}

TEST_CASE("requests are counted by route, method and status") {
  const auto counts = std::make_unique<request_counts>();
  counts->add({.to = resource::orders, .method = verb::post, .status = 201});
  counts->add({.to = resource::orders, .method = verb::post, .status = 201});
  counts->add({.to = resource::orders, .method = verb::get, .status = 200});
  counts->add({.to = resource::unknown, .method = verb::delete_, .status = 404});
  CHECK(counts->count(resource::orders, index_of("POST"), index_of(201U)) == 2);
  CHECK(counts->count(resource::orders, index_of("GET"), index_of(200U)) == 1);
  CHECK(counts->count(resource::orders, index_of("GET"), index_of(201U)) == 0);
  CHECK(counts->count(resource::unknown, index_of("DELETE"), index_of(404U)) == 1);
  CHECK(counts->count(resource::order, index_of("POST"), index_of(201U)) == 0);
}

TEST_CASE("methods and statuses that are not listed are counted together") {
  const auto counts = std::make_unique<request_counts>();
  for (const verb method : {verb::unknown, verb::options, verb::trace, verb::propfind})
    counts->add({.to = resource::ping, .method = method, .status = 405});
  counts->add({.to = resource::ping, .method = verb::get, .status = 299});
  CHECK(counts->count(resource::ping, index_of("other"), index_of(405U)) == 4);
  CHECK(counts->count(resource::ping, index_of("GET"), index_of(0U)) == 1);
}

TEST_CASE("every status of the table of problems has a count of its own") {
  for (const codec::problem_row& row : codec::problem_table()) {
    CAPTURE(row.slug);
    CHECK(index_of(row.status) < request_counts::statuses.size());
  }
}

TEST_CASE("problems are counted, and durations by route") {
  const auto counts = std::make_unique<request_counts>();
  counts->add({.to = resource::order,
               .status = 409,
               .problem = codec::problem::stale_version,
               .took = std::chrono::microseconds(60)});
  counts->add({.to = resource::order,
               .status = 412,
               .problem = codec::problem::stale_version,
               .took = std::chrono::microseconds(40)});
  CHECK(counts->count(codec::problem::stale_version) == 2);
  CHECK(counts->count(codec::problem::not_found) == 0);
  CHECK(counts->durations(resource::order).count(0) == 1);
  CHECK(counts->durations(resource::order).count(1) == 1);
  CHECK(counts->durations(resource::order).sum_us() == 100);
  CHECK(counts->durations(resource::orders).sum_us() == 0);
}

}  // namespace
}  // namespace ordem::http_edge
