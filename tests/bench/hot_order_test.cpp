#include "bench/load/hot_order_workload.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "tests/bench/answers.hpp"

namespace ordem::bench {
namespace {

constexpr uuid the_order{.high = 5, .low = 6};
constexpr body_size two_items{.items = 2, .bytes = 0};

// Their customer is number 0.
owned_answer of_hot(owned_answer answer) {
  return answer.with("c-000007", "c-000000").with("s-000007-000002", "s-000000-000002");
}

owned_answer updated(std::uint64_t version, std::uint64_t turn) {
  return of_hot(order_answer(200, "order updated", the_order, version, turn));
}

TEST_CASE("the first connection makes the hot order, and all update it") {
  hot_order shared;
  findings noted;
  hot_order_workload first("Host: localhost", two_items, {1, 0}, 0, shared, noted);
  hot_order_workload other("Host: localhost", two_items, {1, 9}, 9, shared, noted);
  CHECK_FALSE(first.is_prepared());
  CHECK(first.next_request().starts_with("POST "));
  CHECK(first.judge(of_hot(order_answer(201, "order created", the_order, 1, 1))) == verdict::right);
  CHECK(first.is_prepared());
  CHECK(other.is_prepared());
  for (auto* workload : {&first, &other}) {
    const std::string sent(workload->next_request());
    CHECK(sent.starts_with("PUT /api/v1/orders/" + uuid_text(the_order)));
    CHECK(between(sent, R"("version":)", ",") == "         1");
  }
  CHECK(noted.hot_versions.empty());
}

TEST_CASE("of the hot order, the next version is right, and a refusal that names a newer one") {
  hot_order shared{.id = the_order};
  findings noted;
  hot_order_workload workload("Host: localhost", two_items, {1, 0}, 0, shared, noted);
  (void)workload.next_request();
  CHECK(workload.judge(updated(3, 1)) == verdict::wrong_header);     // a version left out
  CHECK(workload.judge(updated(1, 1)) == verdict::wrong_header);     // none more
  CHECK(workload.judge(updated(2, 2)) == verdict::wrong_body);       // the content of another connection
  CHECK(workload.judge(stale_answer(1, 1)) == verdict::wrong_body);  // refused, but not out of date
  CHECK(workload.judge(stale_answer(3, 2)) == verdict::wrong_body);
  CHECK(workload.judge(owned_answer{.status = 503, .body = "", .headers = ""}) == verdict::wrong_status);
  CHECK(workload.judge(updated(2, 1)) == verdict::right);

  CHECK(between(workload.next_request(), R"("version":)", ",") == "         2");
  CHECK(workload.judge(stale_answer(8, 2)) == verdict::stale);
  CHECK(between(workload.next_request(), R"("version":)", ",") == "         8");
  CHECK(workload.judge(updated(9, 3)) == verdict::right);
  CHECK(noted.hot_versions == std::vector<std::uint64_t>{2, 9});
}

TEST_CASE("versions of the hot order have to be without gap and without fork") {
  CHECK(count_version_faults({}) == 0);
  CHECK(count_version_faults({2, 3, 4}) == 0);
  CHECK(count_version_faults({4, 2, 3}) == 0);
  CHECK(count_version_faults({3, 4}) == 1);
  CHECK(count_version_faults({2, 3, 6}) == 2);
  CHECK(count_version_faults({2, 3, 3, 4}) == 1);
  CHECK(count_version_faults({2, 2, 2, 5}) == 4);
  CHECK(count_version_faults({1, 2}) == 1);
}

}  // namespace
}  // namespace ordem::bench
