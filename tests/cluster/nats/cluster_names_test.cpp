#include "cluster/nats/cluster_names.hpp"

#include <catch2/catch.hpp>

namespace ordem::cluster {
namespace {

TEST_CASE("a cluster's name is in the names of its stream and subjects") {
  const cluster_names names = names_of("shop-7");
  CHECK(names.stream == "ORDEM_SHOP_7_LOG_0");
  CHECK(names.log_subject == "ordem.shop-7.log.0");
  CHECK(names.tail_subject == "ordem.shop-7.tail.0");
  CHECK(names.heartbeat == "ordem.shop-7.0.heartbeat");
  CHECK(names.submit == "ordem.shop-7.0.submit");
  CHECK(names.read_index == "ordem.shop-7.0.read-index");
  CHECK(names.control == "ordem.shop-7.0.control");
  CHECK(names_of("a", 12).stream == "ORDEM_A_LOG_12");
}

TEST_CASE("requests to a node have its name in their subject, which nothing else could match") {
  CHECK(subject_of_node(names_of("shop").submit, "ordem-0.ordem") == "ordem.shop.0.submit.ordem-0.ordem");
  CHECK_FALSE(node_name_error("Node_1.example-7.org"));
  CHECK_FALSE(node_name_error(std::string(255, 'z')));
  CHECK(node_name_error("") == "must have 1 to 255 characters");
  CHECK(node_name_error(std::string(256, 'z')) == "must have 1 to 255 characters");
  const auto empty_token = GENERATE(as<std::string>{}, ".a", "a.", "a..b", ".");
  CHECK(node_name_error(empty_token) == "may have a point only between other characters");
  const auto name = GENERATE(as<std::string>{}, "a b", "*", "a.>", "\xC3\xA9", "a\n", std::string(1, '\0'), "a:1");
  CHECK(node_name_error(name) == "may have only letters, digits, -, _ and .");
}

TEST_CASE("a cluster's name has 1 to 32 of a to z, 0 to 9 and -") {
  CHECK_FALSE(cluster_name_error("a"));
  CHECK_FALSE(cluster_name_error("shop-7"));
  CHECK_FALSE(cluster_name_error(std::string(32, 'z')));
  CHECK(cluster_name_error("") == "must have 1 to 32 characters");
  CHECK(cluster_name_error(std::string(33, 'z')) == "must have 1 to 32 characters");
  // Each would be another subject, another stream, or none.
  const auto name =
      GENERATE(as<std::string>{}, "a.b", "a b", "*", ">", "A", "a_b", "\xC3\xA9", "a\n", std::string(1, '\0'));
  CHECK(cluster_name_error(name) == "may have only a to z, 0 to 9 and -");
}

}  // namespace
}  // namespace ordem::cluster
