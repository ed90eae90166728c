// A body that arrives in pieces of any size has the same lines as the complete body.
#include "http-edge/protocol/line_splitter.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <optional>
#include <string>
#include <vector>

namespace ordem::http_edge {
namespace {

using lines = std::vector<std::string>;

const std::string too_long = "(too long)";
const std::string long_line(100, 'x');

// Returns the lines of a body that arrives in pieces of this size, removing used bytes before each piece.
lines lines_of(std::string_view body, std::size_t piece_bytes, std::size_t line_bytes_max = 10) {
  line_splitter splitter(line_bytes_max);
  lines found;
  std::string arrived;
  std::size_t longest = 0;
  while (true) {
    while (const auto line = splitter.next(arrived, body.empty())) {
      found.push_back(line->too_long ? too_long : std::string(line->text));
    }
    if (body.empty()) break;
    arrived.erase(0, splitter.take_used());
    longest = std::max(longest, arrived.size());
    arrived += body.substr(0, piece_bytes);
    body.remove_prefix(std::min(piece_bytes, body.size()));
  }
  CHECK(longest <= line_bytes_max + 1);  // the kept bytes are bounded
  return found;
}

TEST_CASE("the lines of a body do not depend on its pieces") {
  struct row {
    std::string body;
    lines expected;
  };
  const row rows[] = {
      {"", {}},
      {"one", {"one"}},
      {"one\n", {"one"}},
      {"one\ntwo", {"one", "two"}},
      {"one\r\ntwo\r\n", {"one", "two"}},
      {"one\r\ntwo\r", {"one", "two"}},
      {"\n\n\r\none\n\n\r\n\n", {"one"}},
      {"a\rb\n", {"a\rb"}},
      {" \n \t\r\n  a \n\t", {"  a "}},
      {"\xEF\xBB\xBF\none\n\xEF\xBB\xBF \n", {"one"}},
      {"\xEF\xBB\xBF{}\n\xEF\xBB", {"\xEF\xBB\xBF{}", "\xEF\xBB"}},
      {"0123456789\n0123456789\r\n0123456789", {"0123456789", "0123456789", "0123456789"}},
      {"01234567890\n1\n", {too_long, "1"}},
      {"01234567890\r\n1\n", {too_long, "1"}},
      {long_line.substr(0, 50) + "\n1\n" + long_line, {too_long, "1", too_long}},
      {long_line + "\n\n" + long_line + "\n2", {too_long, too_long, "2"}},
  };
  for (const auto& [body, expected] : rows) {
    for (const std::size_t piece_bytes : {1U, 2U, 3U, 7U, 1000U}) {
      CAPTURE(body, piece_bytes);
      CHECK(lines_of(body, piece_bytes) == expected);
    }
  }
}

TEST_CASE("a line that is too long is reported before it ends") {
  line_splitter splitter(10);
  const std::string body(12, 'x');
  const auto line = splitter.next(body, false);
  REQUIRE(line);
  CHECK(line->too_long);
  CHECK_FALSE(splitter.next(body, false));
  CHECK(splitter.take_used() == body.size());
}

TEST_CASE("a line is returned in place") {
  line_splitter splitter(10);
  const std::string_view body = "one\ntwo\n";
  CHECK(splitter.next(body, false)->text.data() == body.data());
  CHECK(splitter.next(body, false)->text.data() == body.data() + 4);
}

TEST_CASE("the first byte of a body is found behind blank lines and a byte order mark, in pieces of any size") {
  struct row {
    std::string body;
    std::optional<char> expected;
  };
  const row rows[] = {
      {"", std::nullopt},    {" \n\r\n\t", std::nullopt}, {"[1]", '['},
      {" \n \r\n\t [", '['}, {"\xEF\xBB\xBF[", '['},      {"\xEF\xBB\xBF \n[", '['},
      {"\n\n{}\n[", '{'},    {"\xEF\xBB\xBF{", '{'},      {"\xEF\xBB[", '\xEF'},
  };
  for (const auto& [body, expected] : rows) {
    for (const std::size_t piece_bytes : {1U, 2U, 3U, 100U}) {
      CAPTURE(body, piece_bytes);
      line_splitter splitter(100);
      std::string arrived;
      std::optional<char> found;
      for (std::size_t begin = 0; begin < body.size() && !found; begin += piece_bytes) {
        arrived.erase(0, splitter.take_used());
        arrived += body.substr(begin, piece_bytes);
        found = splitter.first_byte(arrived);
        if (!found) CHECK_FALSE(splitter.next(arrived, false));  // takes blank lines away
      }
      CHECK(found == expected);
    }
  }
}

}  // namespace
}  // namespace ordem::http_edge
