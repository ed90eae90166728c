#include "cluster/node/lease_gate.hpp"

#include <catch2/catch.hpp>
#include <optional>
#include <vector>

namespace ordem::cluster {
namespace {

struct lease_gate_test {
  boot_time now{milliseconds(1'000)};
  std::vector<std::uint64_t> tickets;
  std::vector<bool> results;
  lease_gate gate{[this] { return now; }, [this](std::uint64_t ticket) { tickets.push_back(ticket); }};

  void wait() {
    gate.wait([this](bool opened) { results.push_back(opened); });
  }
};

TEST_CASE("the gate of the lease is open until the lease ends") {
  lease_gate_test tested;
  CHECK_FALSE(tested.gate.is_open());
  tested.gate.set_end(boot_time(milliseconds(2'000)));
  CHECK(tested.gate.is_open());
  tested.now = boot_time(milliseconds(2'000) - std::chrono::microseconds(1));
  CHECK(tested.gate.is_open());
  tested.now = boot_time(milliseconds(2'000));
  CHECK_FALSE(tested.gate.is_open());
}

TEST_CASE("a lease can be shortened before it is known whether it becomes longer") {
  lease_gate_test tested;
  tested.gate.set_end(boot_time(milliseconds(2'000)));
  tested.gate.shorten(boot_time(milliseconds(3'000)));
  tested.now = boot_time(milliseconds(2'000));
  CHECK_FALSE(tested.gate.is_open());
  tested.gate.set_end(boot_time(milliseconds(3'000)));
  CHECK(tested.gate.is_open());
  tested.gate.shorten(boot_time::min());
  CHECK_FALSE(tested.gate.is_open());
}

TEST_CASE("a read that waits asks the protocol, and ends with its answer, once") {
  lease_gate_test tested;
  tested.wait();
  tested.wait();
  REQUIRE(tested.tickets.size() == 2);
  CHECK(tested.tickets[0] != tested.tickets[1]);
  tested.gate.finish(tested.tickets[1], true);
  CHECK(tested.results == std::vector{true});
  tested.gate.finish(tested.tickets[1], false);
  CHECK(tested.results.size() == 1);
  tested.gate.finish(tested.tickets[0], false);
  CHECK(tested.results == std::vector{true, false});
}

TEST_CASE("when the node ends, reads are refused") {
  lease_gate_test tested;
  tested.gate.set_end(boot_time(milliseconds(2'000)));
  tested.wait();
  tested.gate.close();
  CHECK_FALSE(tested.gate.is_open());
  CHECK(tested.results == std::vector{false});
  tested.wait();
  CHECK(tested.results == std::vector{false, false});
  CHECK(tested.tickets.size() == 1);
}

TEST_CASE("more reads than the gate takes are refused at once") {
  lease_gate_test tested;
  for (std::size_t i = 0; i < lease_reads_max; ++i) tested.wait();
  CHECK(tested.results.empty());
  tested.wait();
  CHECK(tested.results == std::vector{false});
  tested.gate.finish(tested.tickets.front(), true);
  tested.wait();
  CHECK(tested.results == std::vector{false, true});
}

}  // namespace
}  // namespace ordem::cluster
