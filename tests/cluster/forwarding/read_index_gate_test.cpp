#include "cluster/forwarding/read_index_gate.hpp"

#include <catch2/catch.hpp>
#include <memory>
#include <optional>
#include <vector>

#include "tests/cluster/forwarding/support.hpp"

namespace ordem::cluster {
namespace {

using namespace testing;

class manual_lease final : public read_gate {
 public:
  bool is_open() const noexcept override { return open; }
  void wait(std::function<void(bool opened)> done) override { waits.push_back(std::move(done)); }
  bool open = false;
  std::vector<std::function<void(bool)>> waits;
};

struct gate_test {
  manual_transport transport;
  manual_lease lease;
  position visible{10};
  std::optional<read_index_gate> gate;
  std::vector<std::optional<bool>> results;

  explicit gate_test(read_index_settings settings = {}) {
    gate.emplace(settings, transport, lease, [this] { return visible; }, milliseconds(1'000));
  }
  // Returns the number of the read in `results`.
  std::size_t read() {
    const std::size_t number = results.size();
    results.emplace_back();
    gate->wait([this, number](bool opened) {
      CHECK_FALSE(results[number].has_value());
      results[number] = opened;
    });
    return number;
  }
  void answer(std::size_t which, std::optional<position> index) {
    transport.sent.at(which).done(encode_read_index_answer({index, 1}));
  }
  void apply(position to) {
    visible = to;
    gate->on_applied(to);
  }
};

TEST_CASE("a standby opens the gate once its view has the owner's position") {
  gate_test tested;
  tested.read();
  REQUIRE(tested.transport.sent.size() == 1);
  CHECK(tested.transport.sent[0].subject == "read-index");
  tested.answer(0, position{12});
  CHECK(tested.transport.noted == std::vector{position{12}});
  CHECK_FALSE(tested.results[0]);
  tested.apply({11});
  CHECK_FALSE(tested.results[0]);
  tested.apply({12});
  CHECK(tested.results[0] == true);
}

TEST_CASE("a view that has the position opens the gate with the answer") {
  gate_test tested;
  tested.read();
  tested.answer(0, position{10});
  CHECK(tested.results[0] == true);
}

TEST_CASE("a read that comes after a question was sent is not answered by it") {
  gate_test tested;
  tested.read();
  tested.read();
  tested.read();
  CHECK(tested.transport.sent.size() == 1);
  tested.answer(0, position{10});
  CHECK(tested.results[0] == true);
  CHECK_FALSE(tested.results[1]);
  REQUIRE(tested.transport.sent.size() == 2);  // one question for both
  tested.answer(1, position{10});
  CHECK(tested.results[1] == true);
  CHECK(tested.results[2] == true);
  CHECK(tested.transport.sent.size() == 2);
}

TEST_CASE("a question without an answer is asked again, for 2 s") {
  gate_test tested;
  tested.read();
  tested.transport.sent[0].done(std::nullopt);
  CHECK(tested.transport.sent.size() == 1);
  tested.gate->on_tick(milliseconds(1'049));
  CHECK(tested.transport.sent.size() == 1);
  tested.gate->on_tick(milliseconds(1'050));
  CHECK(tested.transport.sent.size() == 2);
  tested.answer(1, std::nullopt);  // a node that does not own the log
  tested.gate->on_tick(milliseconds(2'999));
  CHECK(tested.transport.sent.size() == 3);
  CHECK_FALSE(tested.results[0]);
  tested.gate->on_tick(milliseconds(3'000));
  CHECK(tested.results[0] == false);
  tested.answer(2, position{10});  // too late
  CHECK(tested.results[0] == false);
}

TEST_CASE("a view that stays behind refuses the read after 2 s") {
  gate_test tested;
  tested.read();
  tested.answer(0, position{11});
  tested.gate->on_tick(milliseconds(3'000));
  CHECK(tested.results[0] == false);
  tested.apply({11});
}

TEST_CASE("the owner's gate is that of its lease") {
  gate_test tested;
  tested.lease.open = true;
  CHECK(tested.gate->is_open());
  tested.lease.open = false;
  CHECK_FALSE(tested.gate->is_open());
  tested.gate->set_owner(true);
  tested.read();
  REQUIRE(tested.lease.waits.size() == 1);
  CHECK(tested.transport.sent.empty());
  tested.lease.waits[0](true);
  CHECK(tested.results[0] == true);
}

TEST_CASE("a read that waits when the ownership ends asks the new owner") {
  gate_test tested;
  tested.gate->set_owner(true);
  tested.read();
  tested.gate->set_owner(false);
  REQUIRE(tested.transport.sent.size() == 1);
  tested.lease.waits[0](true);  // of the ownership before
  CHECK_FALSE(tested.results[0]);
  tested.answer(0, position{10});
  CHECK(tested.results[0] == true);
}

TEST_CASE("more reads than the bound are refused at once, and those of an ended gate too") {
  read_index_settings settings;
  settings.waiting_max = 2;
  gate_test tested(settings);
  tested.read();
  tested.read();
  CHECK(tested.results[tested.read()] == false);
  tested.answer(0, position{11});  // placed reads count, too
  CHECK(tested.results[tested.read()] == false);
  tested.gate.reset();
  CHECK(tested.results[0] == false);
  CHECK(tested.results[1] == false);
}

TEST_CASE("the owner answers with what is visible, under its lease alone") {
  manual_lease lease;
  std::vector<std::string> answers;
  const auto ask = [&](std::string_view body) {
    answer_read_index(
        body, lease, [] { return position{12}; }, [] { return std::uint64_t{3}; },
        [&](std::string answer) { answers.push_back(std::move(answer)); });
  };
  lease.open = true;
  ask(encode_read_index_request());
  REQUIRE(answers.size() == 1);
  CHECK(decode_read_index_answer(answers[0]) == read_index_answer{position{12}, 3});
  lease.open = false;
  ask(encode_read_index_request());
  CHECK(answers.size() == 1);
  REQUIRE(lease.waits.size() == 1);
  lease.waits[0](false);
  CHECK(decode_read_index_answer(answers.at(1)) == read_index_answer{std::nullopt, 3});
  ask("other");
  CHECK(answers.size() == 2);
}

}  // namespace
}  // namespace ordem::cluster
