#include "http-edge/access/denial_log.hpp"

#include <catch2/catch.hpp>
#include <set>
#include <string>
#include <vector>

namespace ordem::http_edge {
namespace {

using namespace std::chrono_literals;

struct written_lines {
  std::vector<std::string> lines;
  denial_log log{{[this](const denied_request& what) {
                    lines.push_back(std::string(what.reason) + ' ' + std::string(what.address) + ' ' +
                                    std::string(what.name));
                  },
                  [this](std::uint64_t count) { lines.push_back("left out " + std::to_string(count)); }}};
  denial_log::clock::time_point now{1h};

  void deny(int times) {
    for (int i = 0; i < times; ++i) log.add(auth::denial::expired, "10.0.0.1", "", now);
  }
};

constexpr int most = denial_log::lines_a_second_max;

TEST_CASE("a denial is counted by its reason, and logged with address and name") {
  written_lines with;
  with.log.add(auth::denial::unknown_key, "10.0.0.1", "", with.now);
  with.log.add(denial_cause::insufficient_scope, "10.0.0.2", "till-7", with.now);
  CHECK(with.lines == std::vector<std::string>{"unknown_key 10.0.0.1 ", "insufficient_scope 10.0.0.2 till-7"});
  CHECK(with.log.count(auth::denial::unknown_key) == 1);
  CHECK(with.log.count(denial_cause::insufficient_scope) == 1);
  CHECK(with.log.count(auth::denial::missing) == 0);
}

TEST_CASE("a flood is counted, and logged by so many lines a second and one about the rest") {
  written_lines with;
  with.deny(most + 5);
  CHECK(with.lines.size() == std::size_t{most});
  with.now += 999ms;
  with.deny(1);
  CHECK(with.lines.size() == std::size_t{most});
  with.now += 1ms;
  with.deny(1);
  REQUIRE(with.lines.size() == std::size_t{most} + 2);
  CHECK(with.lines[most] == "left out 6");
  CHECK(with.lines.back() == "expired 10.0.0.1 ");
  CHECK(with.log.count(auth::denial::expired) == std::uint64_t{most} + 7);
}

TEST_CASE("what a flood left out is reported after its end, once") {
  written_lines with;
  with.log.flush(with.now);
  with.deny(most + 1);
  with.log.flush(with.now + 999ms);
  CHECK(with.lines.size() == std::size_t{most});
  with.log.flush(with.now + 1s);
  CHECK(with.lines.back() == "left out 1");
  with.log.flush(with.now + 5s);
  CHECK(with.lines.size() == std::size_t{most} + 1);
}

TEST_CASE("every cause has a name of its own") {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < denial_cause::count; ++i) {
    CAPTURE(i);
    CHECK(denial_cause::at(i).index() == i);
    CHECK_FALSE(denial_cause::at(i).name().empty());
    CHECK(names.insert(denial_cause::at(i).name()).second);
  }
}

}  // namespace
}  // namespace ordem::http_edge
