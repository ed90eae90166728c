#include "bench/load/json_scan.hpp"

#include <catch2/catch.hpp>
#include <cstdint>
#include <optional>
#include <string_view>

namespace ordem::bench {
namespace {

TEST_CASE("members are found in any depth, with white space around") {
  constexpr std::string_view json = R"({"code" : 409 ,"order":{ "id"
 : "a-1", "note":"", "total":0}})";
  CHECK(number_member(json, R"("code")") == 409);
  CHECK(number_member(json, R"("total")") == 0);
  CHECK(string_member(json, R"("id")") == "a-1");
  CHECK(string_member(json, R"("note")") == "");
}

TEST_CASE("what is not there, or of another kind, is not found") {
  constexpr std::string_view json = R"({"text":"1","number":1,"minus":-1,"real":1.5,"power":1e3,"list":[1],"open":"x)";
  CHECK(string_member(json, R"("number")") == std::nullopt);
  CHECK(string_member(json, R"("open")") == std::nullopt);
  CHECK(string_member(json, R"("none")") == std::nullopt);
  CHECK(string_member("", R"("none")") == std::nullopt);
  CHECK(string_member(R"({"name")", R"("name")") == std::nullopt);
  CHECK(number_member(json, R"("text")") == std::nullopt);
  CHECK(number_member(json, R"("minus")") == std::nullopt);
  CHECK(number_member(json, R"("real")") == std::nullopt);
  CHECK(number_member(json, R"("power")") == std::nullopt);
  CHECK(number_member(json, R"("list")") == std::nullopt);
  CHECK(number_member(json, R"("none")") == std::nullopt);
  CHECK(number_member(R"({"n":99999999999999999999})", R"("n")") == std::nullopt);
}

}  // namespace
}  // namespace ordem::bench
