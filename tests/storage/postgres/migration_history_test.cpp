#include "storage/postgres/migration_history.hpp"

#include <catch2/catch.hpp>

namespace ordem::storage {
namespace {

using Catch::Matchers::Contains;

// Returns the migrations of a program that has `count` of them.
std::vector<known_migration> program_with(int count) {
  std::vector<known_migration> known;
  for (int number = 1; number <= count; ++number) {
    known.push_back({number, "000" + std::to_string(number) + "_file", "checksum of " + std::to_string(number)});
  }
  return known;
}

// Returns the history of a database to which that program has applied these.
std::vector<applied_migration> database_with(const std::vector<int>& numbers) {
  std::vector<applied_migration> applied;
  const auto known = program_with(9);
  for (const int number : numbers) {
    const auto& file = known[static_cast<std::size_t>(number) - 1];
    applied.push_back({file.number, file.name, file.checksum, {}});
  }
  return applied;
}

TEST_CASE("a database with the first migrations, none or all is accepted") {
  const auto numbers = GENERATE(values<std::vector<int>>({{}, {1}, {1, 2}, {1, 2, 3}}));
  CHECK_FALSE(check_history(program_with(3), database_with(numbers)));
}

TEST_CASE("a newer database is refused, and its newest migration is named") {
  const auto numbers = GENERATE(values<std::vector<int>>({{1, 2, 3, 4}, {1, 2, 4}, {4}, {1, 4, 9}}));
  const auto message = check_history(program_with(3), database_with(numbers));
  REQUIRE(message);
  CHECK_THAT(*message, Contains("newer ordem") && Contains(database_with(numbers).back().name));
}

TEST_CASE("a gap is refused, and what is missing is named") {
  const auto [numbers, applied, missing] = GENERATE(table<std::vector<int>, std::string, std::string>({
      {{2}, "0002_file", "number 1"},
      {{1, 3}, "0003_file", "number 2"},
      {{2, 3}, "0002_file", "number 1"},
  }));
  const auto message = check_history(program_with(3), database_with(numbers));
  REQUIRE(message);
  CHECK_THAT(*message, Contains(applied) && Contains(missing));
}

TEST_CASE("a migration that was edited after it was applied is refused by its name") {
  const std::size_t edited = GENERATE(0U, 1U, 2U);
  auto applied = database_with({1, 2, 3});
  applied[edited].checksum = "another";
  const auto message = check_history(program_with(3), applied);
  REQUIRE(message);
  CHECK_THAT(*message, Contains(program_with(3)[edited].name) && Contains("edited"));
}

TEST_CASE("a renamed file is still the same migration") {
  auto applied = database_with({1, 2});
  applied[1].name = "0002_earlier_name";
  CHECK_FALSE(check_history(program_with(3), applied));
}

TEST_CASE("only a database with every migration can be used") {
  CHECK_FALSE(history_error(program_with(3), database_with({1, 2, 3})));
  CHECK_THAT(history_error(program_with(3), database_with({1, 2})).value(),
             Contains("2 of 3") && Contains("run ordem migrate"));
  CHECK_THAT(history_error(program_with(3), {}).value(), Contains("0 of 3") && Contains("run ordem migrate"));
}

TEST_CASE("a database that contradicts the program is not one to run ordem migrate on") {
  const auto validation_error = history_error(program_with(3), database_with({1, 3}));
  REQUIRE(validation_error);
  CHECK_THAT(*validation_error, !Contains("run ordem migrate"));
}

}  // namespace
}  // namespace ordem::storage
