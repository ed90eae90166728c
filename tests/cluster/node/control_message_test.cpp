#include "cluster/node/control_message.hpp"

#include <catch2/catch.hpp>

namespace ordem::cluster {
namespace {

TEST_CASE("a request to move the log names a node, or none") {
  CHECK(encode_move_request({}) == "move");
  CHECK(encode_move_request({"orders-1.shop"}) == "move orders-1.shop");
  CHECK(parse_move_request("move")->to.empty());
  CHECK(parse_move_request("move orders-1.shop")->to == "orders-1.shop");
  for (const char* bad : {"", "mov", "moves", "move ", "move  a", "move a b", "move a\n", "move >", "MOVE a", "stop"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_move_request(bad));
  }
}

TEST_CASE("the answer to a request of an operator is done, or a refusal with its reason") {
  CHECK(encode_control_answer({}) == "done");
  CHECK(parse_control_answer("done")->refusal.empty());
  CHECK(parse_control_answer(encode_control_answer({"it does not own the log"}))->refusal == "it does not own the log");
  for (const char* bad : {"", "Done", "done ", "refused", "refused "}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_control_answer(bad));
  }
}

}  // namespace
}  // namespace ordem::cluster
