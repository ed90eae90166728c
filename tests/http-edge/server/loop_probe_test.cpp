#include "http-edge/server/loop_probe.hpp"

#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>
#include <chrono>
#include <vector>

namespace ordem::http_edge {
namespace {

using std::chrono::milliseconds;

TEST_CASE("a loop probe measures from its beginning to its handler, one measurement at a time") {
  boost::asio::io_context loop;
  std::vector<loop_probe::clock::duration> measured;
  loop_probe probe(
      loop, [&](loop_probe::clock::time_point, loop_probe::clock::duration delay) { measured.push_back(delay); });
  const auto before = loop_probe::clock::now() - milliseconds(30);  // as if the loop had not come round for 30 ms
  CHECK(probe.late(before) == milliseconds(0));
  probe.begin(before);
  probe.begin(before + milliseconds(20));  // under way: no second one
  CHECK(probe.late(before + milliseconds(20)) == milliseconds(20));
  loop.run();
  REQUIRE(measured.size() == 1);
  CHECK(measured.front() >= milliseconds(30));

  probe.begin(before + milliseconds(30));  // just after the last one
  loop.restart();
  loop.run();
  CHECK(measured.size() == 1);
  const auto later = loop_probe::clock::now() + milliseconds(5);
  probe.begin(later);
  loop.restart();
  loop.run();
  CHECK(measured.size() == 2);
}

}  // namespace
}  // namespace ordem::http_edge
